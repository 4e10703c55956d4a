// Codes of enum values.
#include "projections/common/names.h"

#include <google/protobuf/descriptor.h>

#include <string_view>

namespace taizhang {

std::string code_of_enum(const google::protobuf::EnumDescriptor& type, int number) {
  constexpr std::string_view kZero = "UNSPECIFIED";
  const auto* value = type.FindValueByNumber(number);
  if (!value) return {};
  const std::string& zero = type.value(0)->name();
  return value->name().substr(zero.size() - kZero.size());
}

}  // namespace taizhang
