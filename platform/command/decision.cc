// Copying a command's inputs into its events.
#include "platform/command/decision.h"

#include <google/protobuf/descriptor.h>

#include "platform/base/log.h"
#include "platform/command/field_copy.h"
#include "taizhang/common/v1/errors.pb.h"
#include "taizhang/common/v1/values.pb.h"

namespace taizhang {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

bool is_personal(const Descriptor& type) {
  return type.file()->package() == "taizhang.common.v1" && type.name().starts_with("Personal");
}

// Which fields of a command go into an event.
struct InputPlan {
  InputPlan(const Descriptor& command, const Descriptor& event);

  const Reflection& source;
  const Reflection& target;
  std::vector<FieldCopy> copies;
  // Personal… -> Sealed.
  std::vector<std::pair<const FieldDescriptor*, const FieldDescriptor*>> seals;
};

InputPlan::InputPlan(const Descriptor& command, const Descriptor& event)
    : source(reflection_of(command)), target(reflection_of(event)) {
  for (int i = 0; i < command.field_count(); ++i) {
    const auto* from = command.field(i);
    if (from->name() == "context" || from->name() == "ledger") continue;
    const auto* to = event.FindFieldByName(from->name());
    if (!to) continue;
    const bool message = from->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE;
    if (from->is_repeated() != to->is_repeated() || from->cpp_type() != to->cpp_type()) {
      broken_invariant("input and event field differ in type: " + to->full_name());
    }
    if (!message || from->message_type() == to->message_type() || from->is_map()) {
      copies.emplace_back(*from, *to);
    } else if (is_personal(*from->message_type()) &&
               to->message_type() == common::v1::Sealed::descriptor() && !from->is_repeated()) {
      seals.emplace_back(from, to);
    }
    // Messages of other types under the same name are the context's own business: rows that are
    // re-shaped.
  }
}

void seal(const Message& personal, common::v1::Sealed& sealed) {
  sealed.set_scheme(0);
  sealed.set_bytes(personal.SerializeAsString());
}

}  // namespace

std::optional<Refusal> version_mismatch(const Ledger& ledger, int64_t version) {
  if (ledger.expected_version() == 0 || ledger.expected_version() == version) return std::nullopt;
  return refuse(common::v1::COMMON_REFUSAL_VERSION_MISMATCH, "context.expected_version",
                {{"current_version", std::to_string(version)}});
}

void copy_inputs(const Message& command, Message& event) {
  const auto& plan = plan_of<InputPlan>(*command.GetDescriptor(), *event.GetDescriptor());
  for (const auto& field : plan.copies) field.copy(command, plan.source, event, plan.target);
  for (const auto& [from, to] : plan.seals) {
    if (plan.source.HasField(command, from)) {
      seal(plan.source.GetMessage(command, from),
           static_cast<common::v1::Sealed&>(*plan.target.MutableMessage(&event, to)));
    }
  }
}

}  // namespace taizhang
