// The settings of a process.
#pragma once

#include <string>

#include "absl/status/status.h"

namespace taizhang {

namespace config::v1 {
class Config;
}

// Reads and checks the file; relative paths in it become relative to its folder. INVALID_ARGUMENT:
// the text says file, line, column and what is expected. NOT_FOUND: no such file.
absl::Status load_config(const std::string& path, config::v1::Config& config);

}  // namespace taizhang
