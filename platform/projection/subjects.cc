// Walks a message for what it names.
#include "platform/projection/subjects.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <algorithm>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <unordered_map>

#include "taizhang/common/v1/enums.pb.h"
#include "taizhang/common/v1/values.pb.h"
#include "taizhang/options.pb.h"

namespace taizhang {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

enum class Find { kSubjects, kDocuments, kSealed };

// Which fields of a message type can hold what is looked for: the walk visits no others.
struct Plan {
  struct Step {
    const FieldDescriptor* field = nullptr;
    int kind = 0;                 // a string with this (field).subject
    const Plan* below = nullptr;  // a message to go into
  };
  bool is_reference = false;  // a SubjectRef, a DocumentRef or a Sealed itself
  // Of an event that has a primary subject.
  const FieldDescriptor* primary = nullptr;
  SubjectField primary_place;
  std::vector<Step> steps;
  bool useful = false;
};

void find_primary(const Descriptor& event, Plan& plan) {
  const auto& options = event.options().GetExtension(taizhang::event);
  const FieldDescriptor* member = event.FindFieldByName(options.subject());
  if (!member || member->is_repeated()) return;
  SubjectField place{member->number(), false, 0};
  if (member->cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
    place.kind = member->options().GetExtension(taizhang::field).subject();
    if (place.kind == 0) return;
  } else {
    place.is_reference = member->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE &&
                         member->message_type() == common::v1::SubjectRef::descriptor();
    if (!place.is_reference) return;
  }
  plan.primary = member;
  plan.primary_place = place;
}

class Plans {
 public:
  explicit Plans(Find find) : find_(find) {}

  const Plan& of(const Descriptor* type) {
    {
      const std::shared_lock lock(mutex_);
      const auto found = plans_.find(type);
      if (found != plans_.end() && found->second.second) return *found->second.first;
    }
    const std::unique_lock lock(mutex_);
    const Plan& plan = make(type);
    return plan;
  }

 private:
  // Under the lock; recursive types end because a type in the making is found.
  const Plan& make(const Descriptor* type) {
    auto& [plan, whole] = plans_[type];
    if (plan) return *plan;
    plan = std::make_unique<Plan>();
    Plan& made = *plan;
    const auto* reference = find_ == Find::kSubjects    ? common::v1::SubjectRef::descriptor()
                            : find_ == Find::kDocuments ? common::v1::DocumentRef::descriptor()
                                                        : common::v1::Sealed::descriptor();
    made.is_reference = made.useful = type == reference;
    for (int i = 0; i < type->field_count(); ++i) {
      const FieldDescriptor* member = type->field(i);
      if (member->is_map()) continue;
      if (member->cpp_type() == FieldDescriptor::CPPTYPE_STRING && find_ == Find::kSubjects) {
        const int kind = member->options().GetExtension(taizhang::field).subject();
        if (kind != 0) made.steps.push_back({member, kind, nullptr});
      } else if (member->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
        const Plan& below = make(member->message_type());
        if (below.useful) made.steps.push_back({member, 0, &below});
      }
    }
    if (find_ == Find::kSubjects) find_primary(*type, made);
    made.useful = made.useful || !made.steps.empty();
    whole = true;
    return made;
  }

  const Find find_;
  std::shared_mutex mutex_;
  std::unordered_map<const Descriptor*, std::pair<std::unique_ptr<Plan>, bool>> plans_;
};

Plans& subject_plans() {
  static auto& plans = *new Plans(Find::kSubjects);
  return plans;
}

Plans& document_plans() {
  static auto& plans = *new Plans(Find::kDocuments);
  return plans;
}

Plans& sealed_plans() {
  static auto& plans = *new Plans(Find::kSealed);
  return plans;
}

template <class OnString, class OnReference>
void walk(const Message& message, const Plan& plan, const OnString& on_string,
          const OnReference& on_reference) {
  if (plan.is_reference) on_reference(message);
  const auto& reflection = *message.GetReflection();
  std::string scratch;
  for (const auto& step : plan.steps) {
    const bool repeated = step.field->is_repeated();
    const int count = repeated ? reflection.FieldSize(message, step.field) : 1;
    for (int i = 0; i < count; ++i) {
      if (!step.below) {
        on_string(step.kind,
                  repeated ? reflection.GetRepeatedStringReference(message, step.field, i, &scratch)
                           : reflection.GetStringReference(message, step.field, &scratch));
      } else if (repeated) {
        walk(reflection.GetRepeatedMessage(message, step.field, i), *step.below, on_string,
             on_reference);
      } else if (reflection.HasField(message, step.field)) {
        walk(reflection.GetMessage(message, step.field), *step.below, on_string, on_reference);
      }
    }
  }
}

void collect(const Message& message, std::vector<Subject>& found) {
  const auto add = [&](int kind, const std::string& id) {
    if (kind == 0 || id.empty()) return;
    for (const Subject& known : found) {
      if (known.kind == kind && known.id == id) return;
    }
    found.push_back({kind, id});
  };
  walk(message, subject_plans().of(message.GetDescriptor()), add, [&](const Message& reference) {
    const auto& subject = static_cast<const common::v1::SubjectRef&>(reference);
    add(subject.kind(), subject.id());
  });
}

}  // namespace

std::optional<SubjectField> primary_subject_field(const Descriptor& event) {
  const Plan& plan = subject_plans().of(&event);
  return plan.primary ? std::optional(plan.primary_place) : std::nullopt;
}

Subject primary_subject(const Message& event) {
  const Plan& plan = subject_plans().of(event.GetDescriptor());
  if (!plan.primary) return {};
  const auto& reflection = *event.GetReflection();
  if (!plan.primary_place.is_reference)
    return {plan.primary_place.kind, reflection.GetString(event, plan.primary)};
  const auto& subject =
      static_cast<const common::v1::SubjectRef&>(reflection.GetMessage(event, plan.primary));
  return {subject.kind(), subject.id()};
}

std::vector<Subject> subjects_of(const Message& event) {
  std::vector<Subject> found;
  Subject primary = primary_subject(event);
  if (primary.kind != 0 && !primary.id.empty()) found.push_back(std::move(primary));
  collect(event, found);
  return found;
}

std::vector<std::string> document_ids(const Message& message) {
  std::vector<std::string> found;
  walk(
      message, document_plans().of(message.GetDescriptor()), [](int, const std::string&) {},
      [&](const Message& reference) {
        const auto& id = static_cast<const common::v1::DocumentRef&>(reference).document_id();
        if (!id.empty() && std::find(found.begin(), found.end(), id) == found.end())
          found.push_back(id);
      });
  return found;
}

bool holds_personal_data(const Message& message) {
  bool held = false;
  walk(
      message, sealed_plans().of(message.GetDescriptor()), [](int, const std::string&) {},
      [&](const Message& sealed) {
        held = held || !static_cast<const common::v1::Sealed&>(sealed).bytes().empty();
      });
  return held;
}

bool can_hold_personal_data(const Descriptor& type) { return sealed_plans().of(&type).useful; }

std::string subject_kind_name(int kind) {
  constexpr std::string_view kPrefix = "SUBJECT_KIND_";
  std::string name = common::v1::SubjectKind_Name(kind);
  return name.starts_with(kPrefix) ? name.substr(kPrefix.size()) : name;
}

}  // namespace taizhang
