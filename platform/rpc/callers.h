// The caller profiles of a token file: from a token to who calls.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "absl/status/statusor.h"
#include "platform/base/sha256.h"
#include "platform/command/caller.h"

namespace taizhang {

// Immutable; callers live as long as this object.
class Callers {
 public:
  // FAILED_PRECONDITION: others than the owner may read the file. INVALID_ARGUMENT: file, line,
  // what is expected.
  static absl::StatusOr<Callers> load(const std::string& path);
  static absl::StatusOr<Callers> parse(std::string_view name, std::string_view text);

  // Null: no such token. Tokens are kept and compared as SHA-256 only.
  const Caller* find(std::string_view token) const;
  const std::vector<Caller>& list() const { return list_; }

 private:
  struct DigestHash {
    size_t operator()(const Sha256Digest& digest) const;
  };

  std::vector<Caller> list_;
  std::unordered_map<Sha256Digest, size_t, DigestHash> by_digest_;
};

}  // namespace taizhang
