// The client's settings: where the server is, and the tokens that make one this or that caller.
#pragma once

#include <string>

#include "absl/status/status.h"

namespace taizhang::config::v1 {
class ClientConfig;
}

namespace taizhang::client {

// Reads the file. NOT_FOUND: no such file. FAILED_PRECONDITION: others than the owner may read it.
// INVALID_ARGUMENT: the text says file, line, column.
absl::Status load_settings(const std::string& path, config::v1::ClientConfig& out);

// Where operators call: `admin_address`, or the port two above that of `address`, as the server's
// own defaults are. `address` without a port is taken as it is: the call says what is wrong.
std::string admin_address_of(const config::v1::ClientConfig& settings);

// Token of a profile. NOT_FOUND: the message lists the profiles there are.
absl::Status find_token(const config::v1::ClientConfig& settings, const std::string& profile,
                        std::string& token);

}  // namespace taizhang::client
