// Codes of enum values, as rules and texts write them: "SELF_RAISED" for SOURCE_KIND_SELF_RAISED.
#pragma once

#include <google/protobuf/generated_enum_reflection.h>

#include <string>

namespace taizhang {

// Empty for a number this program does not know.
std::string code_of_enum(const google::protobuf::EnumDescriptor& type, int number);

template <class Enum>
std::string code_of(Enum value) {
  return code_of_enum(*google::protobuf::GetEnumDescriptor<Enum>(), value);
}

}  // namespace taizhang
