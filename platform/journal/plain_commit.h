// What the validity rule looks at of a commit, read from its bytes without making a message of
// them.
#pragma once

#include <optional>
#include <string_view>

#include "platform/journal/record.h"

namespace taizhang::journal {

// Nothing: the bytes are not in the plain form that our writers give them (fields and wire types
// of the schema, numbers and texts that are whole), and only parsing tells whether they are a
// commit. What is read here is read alike by protobuf's parser.
std::optional<Effect> effect_of_plain_commit(std::string_view body);

}  // namespace taizhang::journal
