// Addresses to listen on.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace taizhang {

// "127.0.0.1:7610", "localhost:7610" or "[::1]:7610" as it is. INVALID_ARGUMENT: malformed, or not
// loopback: until transport security exists, tokens must not leave the machine.
absl::StatusOr<std::string> loopback_address(std::string_view text);

}  // namespace taizhang
