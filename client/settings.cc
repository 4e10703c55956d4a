// The client's settings file.
#include "client/settings.h"

#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/text_format.h>
#include <sys/stat.h>

#include <charconv>
#include <fstream>
#include <iterator>

#include "absl/status/status.h"
#include "taizhang/config/v1/client.pb.h"

namespace taizhang::client {
namespace {

class FirstError final : public google::protobuf::io::ErrorCollector {
 public:
  void AddError(int line, google::protobuf::io::ColumnNumber column,
                const std::string& message) override {
    if (text.empty())
      text = std::to_string(line + 1) + ":" + std::to_string(column + 1) + ": " + message;
  }
  std::string text;
};

}  // namespace

absl::Status load_settings(const std::string& path, config::v1::ClientConfig& out) {
  struct stat facts {};
  if (stat(path.c_str(), &facts) != 0 || !S_ISREG(facts.st_mode))
    return absl::NotFoundError(path + ": no such file");
  if ((facts.st_mode & 077) != 0) {
    return absl::FailedPreconditionError(
        path + ": it holds tokens and others may read it; expected mode 0600: chmod 600 " + path);
  }
  std::ifstream file(path);
  const std::string text((std::istreambuf_iterator<char>(file)), {});
  if (file.bad()) return absl::InternalError(path + ": cannot be read");
  google::protobuf::io::ArrayInputStream input(text.data(), static_cast<int>(text.size()));
  google::protobuf::TextFormat::Parser parser;
  FirstError errors;
  parser.RecordErrorsTo(&errors);
  if (!parser.Parse(&input, &out)) return absl::InvalidArgumentError(path + ":" + errors.text);
  if (out.address().empty())
    return absl::InvalidArgumentError(path + ": expected address: \"host:port\"");
  for (const auto& profile : out.profiles()) {
    if (profile.name().empty() || profile.token().empty()) {
      return absl::InvalidArgumentError(path + ": expected name and token in each of profiles");
    }
  }
  return absl::OkStatus();
}

std::string admin_address_of(const config::v1::ClientConfig& settings) {
  constexpr int kAbove = 2;
  if (!settings.admin_address().empty()) return settings.admin_address();
  const std::string& address = settings.address();
  const size_t colon = address.rfind(':');
  int port = 0;
  const char* end = address.data() + address.size();
  if (colon == std::string::npos ||
      std::from_chars(address.data() + colon + 1, end, port).ptr != end) {
    return address;
  }
  return address.substr(0, colon + 1) + std::to_string(port + kAbove);
}

absl::Status find_token(const config::v1::ClientConfig& settings, const std::string& profile,
                        std::string& token) {
  std::string known;
  for (const auto& candidate : settings.profiles()) {
    if (candidate.name() == profile) {
      token = candidate.token();
      return absl::OkStatus();
    }
    known += (known.empty() ? "" : ", ") + candidate.name();
  }
  return absl::NotFoundError(
      "no profile \"" + profile +
      "\" in the client's settings; there are: " + (known.empty() ? "none" : known));
}

}  // namespace taizhang::client
