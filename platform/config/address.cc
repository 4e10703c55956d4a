// Addresses to listen on: host and port, loopback only.
#include "platform/config/address.h"

#include <arpa/inet.h>

#include <charconv>

namespace taizhang {
namespace {

bool is_port(std::string_view text) {
  int port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc() && end == text.data() + text.size() && port >= 0 && port <= 65535;
}

bool is_loopback(const std::string& host) {
  if (host == "localhost" || host == "[::1]") return true;
  in_addr v4{};
  return inet_pton(AF_INET, host.c_str(), &v4) == 1 && (ntohl(v4.s_addr) >> 24) == 127;
}

}  // namespace

absl::StatusOr<std::string> loopback_address(std::string_view text) {
  const std::string said(text);
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || !is_port(text.substr(colon + 1))) {
    return absl::InvalidArgumentError("expected host:port, for example 127.0.0.1:7610, got \"" +
                                      said + "\"");
  }
  if (!is_loopback(said.substr(0, colon))) {
    return absl::InvalidArgumentError(
        "expected a loopback address (127.0.0.1, [::1], localhost) as long as there is "
        "no transport security, got \"" +
        said + "\"");
  }
  return said;
}

}  // namespace taizhang
