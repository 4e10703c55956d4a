// A line of a command file.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "client/strict_json.h"

namespace taizhang::client {

// A line of a command file: {"as": "checker", "method": "funds.SpendDirectly", "request": {…}}.
struct CommandLine {
  std::string as;
  std::string method;
  std::string request;  // the JSON text of the request as it stands in the line
  Place request_at;
};

// Reads the frame, not the request. INVALID_ARGUMENT: "line 3, column 17: …".
absl::StatusOr<CommandLine> read_command_line(std::string_view text, int line);

}  // namespace taizhang::client
