// protobuf's JSON, read strictly: what protobuf 3.21 would accept silently is an error here, with
// line and column.
//
// Refused beyond what protobuf refuses: a key that stands twice, both spellings of one field, two
// members of a oneof, null, fractions and exponents for integers, relaxed syntax, unknown enum
// names. Thread-safe: functions without state.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace google::protobuf {
class Message;
}

namespace taizhang::client {

// Where a text begins inside a larger one, both from 1; columns count characters.
struct Place {
  int line = 1;
  int column = 1;
};

// Reads `text` into `out`, which must be empty. INVALID_ARGUMENT: "line 3, column 17: …".
absl::Status read_json(std::string_view text, google::protobuf::Message& out, Place from = {});

// With the names of the proto files, int64 as strings, enums by name; one line, or indented.
std::string write_json(const google::protobuf::Message& message, bool indented);

}  // namespace taizhang::client
