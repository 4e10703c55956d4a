// Names of enum values as codes: PAIRING_KIND_CADRE_HOUSEHOLD is "CADRE_HOUSEHOLD" in scopes,
// classes and sets.
#pragma once

#include <google/protobuf/generated_enum_reflection.h>

#include <string>

namespace taizhang {

// Empty for a number the enum does not have.
std::string short_enum_name(const google::protobuf::EnumDescriptor& type, int number);

template <class Enum>
std::string short_name(Enum value) {
  return short_enum_name(*google::protobuf::GetEnumDescriptor<Enum>(), value);
}

}  // namespace taizhang
