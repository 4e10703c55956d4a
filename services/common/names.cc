// Names of enum values as codes.
#include "services/common/names.h"

#include <google/protobuf/descriptor.h>

#include <string_view>

namespace taizhang {

std::string short_enum_name(const google::protobuf::EnumDescriptor& type, int number) {
  constexpr std::string_view kZero = "UNSPECIFIED";
  const auto* value = type.FindValueByNumber(number);
  if (!value) return {};
  // The zero value is the prefix and UNSPECIFIED.
  return value->name().substr(type.value(0)->name().size() - kZero.size());
}

}  // namespace taizhang
