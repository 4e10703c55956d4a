// Caller profiles: read from the token file, found by the digest of a token.
#include "platform/rpc/callers.h"

#include <cstring>
#include <fstream>
#include <iterator>
#include <set>

#include "platform/config/key_file.h"
#include "platform/config/textproto.h"
#include "taizhang/config/v1/tokens.pb.h"

namespace taizhang {
namespace {

Sha256Digest digest_of_hex(const std::string& text) {
  Sha256Digest digest{};
  for (size_t i = 0; i < digest.size(); ++i) {
    digest[i] = static_cast<uint8_t>(std::stoi(text.substr(2 * i, 2), nullptr, 16));
  }
  return digest;
}

Caller caller_of(const config::v1::Profile& profile) {
  Caller caller;
  caller.profile = profile.name();
  caller.subject = profile.subject();
  caller.worker_id = profile.worker_id();
  caller.org_id = profile.org_id();
  caller.roles.assign(profile.roles().begin(), profile.roles().end());
  caller.rights.assign(profile.rights().begin(), profile.rights().end());
  caller.regions.assign(profile.regions().begin(), profile.regions().end());
  if (profile.everywhere()) caller.regions = {""};
  return caller;
}

}  // namespace

size_t Callers::DigestHash::operator()(const Sha256Digest& digest) const {
  size_t hash;
  std::memcpy(&hash, digest.data(), sizeof hash);
  return hash;
}

absl::StatusOr<Callers> Callers::load(const std::string& path) {
  if (auto safe = check_private_file(path); !safe.ok()) return safe;
  std::ifstream file(path, std::ios::binary);
  if (!file) return absl::NotFoundError(path + ": cannot be read");
  return parse(path, std::string{std::istreambuf_iterator<char>(file), {}});
}

absl::StatusOr<Callers> Callers::parse(std::string_view name, std::string_view text) {
  config::v1::TokenFile file;
  if (auto read = parse_textproto(name, text, file); !read.ok()) return read;
  Callers callers;
  std::set<std::string> names;
  for (const auto& profile : file.profiles()) {
    const std::string place = std::string(name) + ": profile \"" + profile.name() + "\": ";
    if (!names.insert(profile.name()).second)
      return absl::InvalidArgumentError(place + "stands twice");
    if (profile.everywhere() == !profile.regions().empty()) {
      return absl::InvalidArgumentError(place + "expected either regions or everywhere: true");
    }
    for (const auto& token : profile.token_sha256()) {
      if (!callers.by_digest_.emplace(digest_of_hex(token), callers.list_.size()).second) {
        return absl::InvalidArgumentError(place + "one token stands twice in the file");
      }
    }
    callers.list_.push_back(caller_of(profile));
  }
  return callers;
}

const Caller* Callers::find(std::string_view token) const {
  const auto found = by_digest_.find(sha256(token));
  return found == by_digest_.end() ? nullptr : &list_[found->second];
}

}  // namespace taizhang
