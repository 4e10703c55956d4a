// Reads a text file into a message. An error names file, line, column and what is expected.
//
// Unknown fields, repeated singular fields and malformed values are errors; so are violations of
// the (field) options `required`, `bounded`, `items_max` and `format`.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace google::protobuf {
class Message;
}

namespace taizhang {

// INVALID_ARGUMENT: "taizhangd.textproto:3:9: …", one line per finding. NOT_FOUND: no such file.
absl::Status load_textproto(const std::string& path, google::protobuf::Message& out);
// The same for text in hand; `name` stands in the errors.
absl::Status parse_textproto(std::string_view name, std::string_view text,
                             google::protobuf::Message& out);

}  // namespace taizhang
