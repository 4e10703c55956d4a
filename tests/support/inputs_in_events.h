// Every input of a command stands in one of its events under the same name and type: what was asked
// is never lost.
#pragma once

#include <google/protobuf/descriptor.h>

#include <string>
#include <vector>

#include "taizhang/options.pb.h"

namespace taizhang::test {

inline bool carries(const google::protobuf::Descriptor& event,
                    const google::protobuf::FieldDescriptor& input) {
  const auto* field = event.FindFieldByName(input.name());
  if (!field || field->is_repeated() != input.is_repeated() || field->type() != input.type())
    return false;
  if (input.cpp_type() == google::protobuf::FieldDescriptor::CPPTYPE_MESSAGE) {
    const bool personal = input.message_type()->name().starts_with("Personal");
    return personal ? field->message_type()->name() == "Sealed"
                    : field->message_type() == input.message_type();
  }
  return input.cpp_type() != google::protobuf::FieldDescriptor::CPPTYPE_ENUM ||
         field->enum_type() == input.enum_type();
}

// "SpendDirectly.purpose" for each input of a service's commands that no event of its rpc carries.
inline std::vector<std::string> inputs_missing_in_events(
    const google::protobuf::ServiceDescriptor& service) {
  std::vector<std::string> missing;
  for (int m = 0; m < service.method_count(); ++m) {
    const auto& method = *service.method(m);
    const auto& request = *method.input_type();
    for (int f = 0; f < request.field_count(); ++f) {
      const auto& input = *request.field(f);
      if (input.name() == "context" || input.name() == "ledger") continue;
      bool carried = false;
      for (const auto& event : method.options().GetExtension(command).emits()) {
        const auto* type =
            service.file()->pool()->FindMessageTypeByName(service.file()->package() + "." + event);
        carried = carried || (type && carries(*type, input));
      }
      if (!carried) missing.push_back(method.name() + "." + input.name());
    }
  }
  return missing;
}

}  // namespace taizhang::test
