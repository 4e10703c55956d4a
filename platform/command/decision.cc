// Copying a command's inputs into its events, by reflection, along a plan made once per pair of
// types.
#include "platform/command/decision.h"

#include <google/protobuf/descriptor.h>

#include <mutex>
#include <unordered_map>

#include "platform/base/log.h"
#include "taizhang/common/v1/errors.pb.h"
#include "taizhang/common/v1/values.pb.h"

namespace taizhang {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

struct CopyStep {
  const FieldDescriptor* from;
  const FieldDescriptor* to;
  bool seal;  // Personal… -> Sealed
};
using CopyPlan = std::vector<CopyStep>;

bool is_personal(const Descriptor& type) {
  return type.file()->package() == "taizhang.common.v1" && type.name().starts_with("Personal");
}

CopyPlan make_plan(const Descriptor& command, const Descriptor& event) {
  CopyPlan plan;
  for (int i = 0; i < command.field_count(); ++i) {
    const auto* from = command.field(i);
    if (from->name() == "context" || from->name() == "ledger") continue;
    const auto* to = event.FindFieldByName(from->name());
    if (!to) continue;
    const bool message = from->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE;
    if (from->is_repeated() != to->is_repeated() || from->cpp_type() != to->cpp_type()) {
      broken_invariant("input and event field differ in type: " + to->full_name());
    }
    if (!message || from->message_type() == to->message_type()) {
      plan.push_back({from, to, false});
    } else if (is_personal(*from->message_type()) &&
               to->message_type() == common::v1::Sealed::descriptor() && !from->is_repeated()) {
      plan.push_back({from, to, true});
    } else if (from->is_map()) {
      plan.push_back({from, to, false});
    }
    // Messages of other types under the same name are the context's own business: rows that are
    // re-shaped.
  }
  return plan;
}

const CopyPlan& plan_of(const Descriptor& command, const Descriptor& event) {
  struct PairHash {
    size_t operator()(const std::pair<const void*, const void*>& pair) const {
      return std::hash<const void*>()(pair.first) * 31 + std::hash<const void*>()(pair.second);
    }
  };
  static std::mutex mutex;
  static std::unordered_map<std::pair<const void*, const void*>, std::unique_ptr<CopyPlan>,
                            PairHash>
      plans;
  const std::lock_guard lock(mutex);
  auto& plan = plans[{&command, &event}];
  if (!plan) plan = std::make_unique<CopyPlan>(make_plan(command, event));
  return *plan;
}

void copy_scalar(const Message& in, const FieldDescriptor* from, Message& out,
                 const FieldDescriptor* to) {
  const Reflection& source = *in.GetReflection();
  const Reflection& target = *out.GetReflection();
  std::string scratch;
  switch (from->cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING:
      target.SetString(&out, to, source.GetStringReference(in, from, &scratch));
      break;
    case FieldDescriptor::CPPTYPE_INT32:
      target.SetInt32(&out, to, source.GetInt32(in, from));
      break;
    case FieldDescriptor::CPPTYPE_INT64:
      target.SetInt64(&out, to, source.GetInt64(in, from));
      break;
    case FieldDescriptor::CPPTYPE_UINT32:
      target.SetUInt32(&out, to, source.GetUInt32(in, from));
      break;
    case FieldDescriptor::CPPTYPE_UINT64:
      target.SetUInt64(&out, to, source.GetUInt64(in, from));
      break;
    case FieldDescriptor::CPPTYPE_BOOL: target.SetBool(&out, to, source.GetBool(in, from)); break;
    case FieldDescriptor::CPPTYPE_ENUM:
      target.SetEnumValue(&out, to, source.GetEnumValue(in, from));
      break;
    case FieldDescriptor::CPPTYPE_DOUBLE:
      target.SetDouble(&out, to, source.GetDouble(in, from));
      break;
    case FieldDescriptor::CPPTYPE_FLOAT:
      target.SetFloat(&out, to, source.GetFloat(in, from));
      break;
    case FieldDescriptor::CPPTYPE_MESSAGE:
      target.MutableMessage(&out, to)->CopyFrom(source.GetMessage(in, from));
      break;
  }
}

void copy_repeated(const Message& in, const FieldDescriptor* from, Message& out,
                   const FieldDescriptor* to) {
  const Reflection& source = *in.GetReflection();
  const Reflection& target = *out.GetReflection();
  const int size = source.FieldSize(in, from);
  for (int i = 0; i < size; ++i) {
    switch (from->cpp_type()) {
      case FieldDescriptor::CPPTYPE_STRING:
        target.AddString(&out, to, source.GetRepeatedString(in, from, i));
        break;
      case FieldDescriptor::CPPTYPE_INT32:
        target.AddInt32(&out, to, source.GetRepeatedInt32(in, from, i));
        break;
      case FieldDescriptor::CPPTYPE_INT64:
        target.AddInt64(&out, to, source.GetRepeatedInt64(in, from, i));
        break;
      case FieldDescriptor::CPPTYPE_UINT32:
        target.AddUInt32(&out, to, source.GetRepeatedUInt32(in, from, i));
        break;
      case FieldDescriptor::CPPTYPE_UINT64:
        target.AddUInt64(&out, to, source.GetRepeatedUInt64(in, from, i));
        break;
      case FieldDescriptor::CPPTYPE_BOOL:
        target.AddBool(&out, to, source.GetRepeatedBool(in, from, i));
        break;
      case FieldDescriptor::CPPTYPE_ENUM:
        target.AddEnumValue(&out, to, source.GetRepeatedEnumValue(in, from, i));
        break;
      case FieldDescriptor::CPPTYPE_DOUBLE:
        target.AddDouble(&out, to, source.GetRepeatedDouble(in, from, i));
        break;
      case FieldDescriptor::CPPTYPE_FLOAT:
        target.AddFloat(&out, to, source.GetRepeatedFloat(in, from, i));
        break;
      case FieldDescriptor::CPPTYPE_MESSAGE:
        // Through bytes: also carries the entries of maps whose entry types differ.
        target.AddMessage(&out, to)->ParseFromString(
            source.GetRepeatedMessage(in, from, i).SerializeAsString());
        break;
    }
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

void copy_field(const Message& in, const FieldDescriptor& from, Message& out,
                const FieldDescriptor& to) {
  if (from.is_repeated()) {
    copy_repeated(in, &from, out, &to);
  } else if (!from.has_presence() || in.GetReflection()->HasField(in, &from)) {
    copy_scalar(in, &from, out, &to);
  }
}

void copy_inputs(const Message& command, Message& event) {
  const Reflection& source = *command.GetReflection();
  for (const auto& [from, to, personal] :
       plan_of(*command.GetDescriptor(), *event.GetDescriptor())) {
    if (!personal) {
      copy_field(command, *from, event, *to);
    } else if (source.HasField(command, from)) {
      seal(source.GetMessage(command, from),
           static_cast<common::v1::Sealed&>(*event.GetReflection()->MutableMessage(&event, to)));
    }
  }
}

}  // namespace taizhang
