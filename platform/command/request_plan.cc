// Rules of request types, compiled from their field options.
#include "platform/command/request_plan.h"

#include <google/protobuf/descriptor.h>

#include <mutex>
#include <unordered_map>

#include "platform/base/log.h"
#include "platform/command/request_field.h"
#include "taizhang/common/v1/request.pb.h"
#include "taizhang/common/v1/values.pb.h"

namespace taizhang {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

namespace {

using Field = RequestPlan::Field;
using Path = RequestPlan::Path;

bool ends_with_any(std::string_view text, std::initializer_list<std::string_view> endings) {
  for (const auto ending : endings) {
    if (text.ends_with(ending)) return true;
  }
  return false;
}

// Recursion guard and cache of all plans, by message type.
std::recursive_mutex& plans_mutex() {
  static std::recursive_mutex mutex;
  return mutex;
}
std::unordered_map<const Descriptor*, std::unique_ptr<RequestPlan>>& plans() {
  static std::unordered_map<const Descriptor*, std::unique_ptr<RequestPlan>> map;
  return map;
}

bool is_type(const FieldDescriptor& field, const Descriptor* type) {
  return field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE && field.message_type() == type;
}

Field::Shape shape_of(const FieldDescriptor& field) {
  using Shape = Field::Shape;
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING:
      return field.type() == FieldDescriptor::TYPE_BYTES ? Shape::kBytes : Shape::kText;
    case FieldDescriptor::CPPTYPE_ENUM: return Shape::kEnum;
    case FieldDescriptor::CPPTYPE_INT64: return Shape::kInt64;
    case FieldDescriptor::CPPTYPE_INT32: return Shape::kInt32;
    case FieldDescriptor::CPPTYPE_BOOL: return Shape::kBool;
    case FieldDescriptor::CPPTYPE_MESSAGE:
      if (is_type(field, common::v1::Date::descriptor())) return Shape::kDate;
      if (is_type(field, common::v1::PartialDate::descriptor())) return Shape::kPartialDate;
      if (is_type(field, common::v1::Quantity::descriptor())) return Shape::kQuantity;
      if (is_type(field, common::v1::Figure::descriptor())) return Shape::kFigure;
      if (is_type(field, common::v1::SubjectRef::descriptor())) return Shape::kSubjectRef;
      return Shape::kMessage;
    default: return Shape::kOther;
  }
}

const FieldDescriptor* field_named(const Descriptor& type, const std::string& name,
                                   const FieldDescriptor& by) {
  const auto* named = type.FindFieldByName(name);
  if (!named) broken_invariant("(field) of " + by.full_name() + " names no field " + name);
  return named;
}

// Sets what the options leave to the kind of field.
void set_defaults(Field& rule) {
  const auto& name = rule.field->name();
  rule.items_max = rule.rules.items_max() > 0 ? rule.rules.items_max() : kItemsMax;
  rule.chars_max = rule.rules.chars_max();
  if (rule.chars_max == 0) {
    const bool coded = !rule.rules.code_list().empty() ||
                       rule.rules.format() != FORMAT_UNSPECIFIED ||
                       ends_with_any(name, {"_id", "_reference", "code", "key"});
    rule.chars_max = coded ? kCodeCharsMax : kTextCharsMax;
  }
  rule.amount = name.ends_with("_fen") || name == "fen" || name == "milli";
  rule.sign = rule.rules.sign();
  if (rule.sign == SIGN_UNSPECIFIED && name.ends_with("_fen")) rule.sign = SIGN_POSITIVE;
}

// Reads one field and its options. `nested` is set by the caller.
std::unique_ptr<Field> read_field(const FieldDescriptor& field) {
  auto rule = std::make_unique<Field>();
  rule->field = &field;
  rule->name = field.name();
  rule->shape = shape_of(field);
  rule->repeated = field.is_repeated();
  rule->map = field.is_map();
  rule->presence = field.has_presence();
  rule->in_oneof = field.containing_oneof() != nullptr;
  rule->rules = field.options().GetExtension(taizhang::field);
  if (rule->shape == Field::Shape::kEnum) rule->enum_type = field.enum_type();
  set_defaults(*rule);
  const auto& siblings = *field.containing_type();
  const auto& rules = rule->rules;
  if (!rules.not_before().empty() && rule->shape == Field::Shape::kDate)
    rule->not_before = field_named(siblings, rules.not_before(), field);
  if (!rules.exactly_with().empty()) {
    const auto& with = *field_named(siblings, rules.exactly_with(), field);
    rule->exactly_with = &with;
    rule->exactly_with_enum = with.cpp_type() == FieldDescriptor::CPPTYPE_ENUM;
    if (rule->exactly_with_enum) {
      const auto* value = with.enum_type()->FindValueByName(rules.exactly_with_value());
      if (!value)
        broken_invariant("(field).exactly_with_value of " + field.full_name() + " is no value");
      rule->exactly_with_value = value->number();
    }
  }
  if (!rules.unique().empty() && field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE)
    rule->unique_by = field_named(*field.message_type(), rules.unique(), field);
  return rule;
}

bool is_region_kind(int subject_kind) {
  return subject_kind == common::v1::SUBJECT_KIND_REGION ||
         subject_kind == common::v1::SUBJECT_KIND_VILLAGE;
}

// Numbers, switches and bytes without a rule of their own need no look at all.
bool says_something(const Field& rule) {
  switch (rule.shape) {
    case Field::Shape::kInt64:
    case Field::Shape::kInt32:
    case Field::Shape::kBool:
    case Field::Shape::kBytes:
    case Field::Shape::kOther: break;
    default: return true;
  }
  return rule.repeated || rule.rules.required() || rule.rules.bounded() || rule.amount ||
         rule.sign != SIGN_UNSPECIFIED || rule.exactly_with;
}

}  // namespace

DatePath::DatePath(const Descriptor& request, std::string_view path) {
  const Descriptor* type = &request;
  while (true) {
    const size_t dot = std::min(path.find('.'), path.size());
    const auto* part = type->FindFieldByName(std::string(path.substr(0, dot)));
    if (!part || part->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE || part->is_repeated()) {
      broken_invariant("no such date field: " + std::string(path));
    }
    parts_.push_back(part);
    type = part->message_type();
    if (dot == path.size()) break;
    path.remove_prefix(dot + 1);
  }
  if (type != common::v1::Date::descriptor())
    broken_invariant("not a date: " + parts_.back()->full_name());
}

int32_t DatePath::day(const Message& request) const {
  const Message* message = &request;
  for (const auto* part : parts_) {
    const auto& reflection = *message->GetReflection();
    if (!reflection.HasField(*message, part)) return 0;
    message = &reflection.GetMessage(*message, part);
  }
  const auto& date = static_cast<const common::v1::Date&>(*message);
  return date.year() * 10'000 + date.month() * 100 + date.day();
}

RequestPlan::~RequestPlan() = default;

const RequestPlan& RequestPlan::of(const Descriptor& request) {
  const std::lock_guard lock(plans_mutex());
  auto& map = plans();
  const auto found = map.find(&request);
  if (found != map.end()) return *found->second;
  // In the map before its fields are read, so that a message may contain itself.
  auto* plan = new RequestPlan(request);
  map.emplace(&request, plan);
  const auto* first = request.FindFieldByNumber(1);
  const bool is_command = first && is_type(*first, common::v1::RequestContext::descriptor());
  bool names_something = false;
  for (int i = 0; i < request.field_count(); ++i) {
    // What every command carries is checked once, by check_stateless.
    if (is_command && request.field(i)->number() == 2) continue;
    auto rule = read_field(*request.field(i));
    if (rule->field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE)
      rule->nested = &of(*rule->field->message_type());
    const auto& rules = rule->rules;
    rule->names_something = !rules.code_list().empty() || rules.region() || rules.must_exist() ||
                            is_region_kind(rules.subject()) ||
                            rule->shape == Field::Shape::kSubjectRef ||
                            (rule->nested && rule->nested->names_something_);
    names_something = names_something || rule->names_something;
    if (says_something(*rule) || rule->names_something) plan->fields_.push_back(std::move(rule));
  }
  plan->names_something_ = names_something;
  return *plan;
}

RequestPlan::RequestPlan(const Descriptor& request)
    : descriptor_(request),
      reflection_(*google::protobuf::MessageFactory::generated_factory()
                       ->GetPrototype(&request)
                       ->GetReflection()) {}

std::vector<Reference> RequestPlan::references(const Message& request) const {
  std::vector<Reference> out;
  collect(request, Path(), out);
  return out;
}

void RequestPlan::collect(const Message& message, const Path& path,
                          std::vector<Reference>& out) const {
  const auto add_text = [&](const Field& rule, std::string_view value, const Path& at) {
    if (value.empty()) return;
    const auto& rules = rule.rules;
    if (!rules.code_list().empty()) {
      out.push_back({Reference::Kind::kCode, rules.code_list(), 0, value, at.text(), true});
    }
    const bool region_kind = rules.subject() == common::v1::SUBJECT_KIND_REGION ||
                             rules.subject() == common::v1::SUBJECT_KIND_VILLAGE;
    if (rules.region()) {
      out.push_back({Reference::Kind::kRegion, {}, rules.subject(), value, at.text(), true});
    } else if (rules.must_exist() && !region_kind) {
      out.push_back({Reference::Kind::kSubject, {}, rules.subject(), value, at.text(), true});
    } else if (region_kind) {
      out.push_back(
          {Reference::Kind::kRegion, {}, rules.subject(), value, at.text(), rules.must_exist()});
    }
  };
  const auto add_message = [&](const Field& rule, const Message& nested, const Path& at) {
    if (rule.shape == Field::Shape::kSubjectRef) {
      const auto& ref = static_cast<const common::v1::SubjectRef&>(nested);
      if (ref.id().empty()) return;
      const bool region_kind = ref.kind() == common::v1::SUBJECT_KIND_REGION ||
                               ref.kind() == common::v1::SUBJECT_KIND_VILLAGE;
      if (region_kind) {
        out.push_back(
            {Reference::Kind::kRegion, {}, ref.kind(), ref.id(), Path{&at, "id"}.text(), true});
      }
      // Of a village also that it is one: as a region it might be a county.
      if (rule.rules.must_exist()) {
        out.push_back(
            {Reference::Kind::kSubject, {}, ref.kind(), ref.id(), Path{&at, "id"}.text(), true});
      }
      return;
    }
    rule.nested->collect(nested, at, out);
  };
  std::string scratch;
  for (const auto& entry : fields_) {
    const Field& rule = *entry;
    if (!rule.names_something) continue;
    const auto* field = rule.field;
    if (rule.map) continue;
    if (rule.repeated) {
      const int size = reflection_.FieldSize(message, field);
      for (int i = 0; i < size; ++i) {
        const Path at{&path, rule.name, i};
        if (rule.shape == Field::Shape::kText) {
          add_text(rule, reflection_.GetRepeatedStringReference(message, field, i, &scratch), at);
        } else if (rule.nested) {
          add_message(rule, reflection_.GetRepeatedMessage(message, field, i), at);
        }
      }
    } else if (rule.shape == Field::Shape::kText) {
      if (rule.in_oneof && !reflection_.HasField(message, field)) continue;
      add_text(rule, reflection_.GetStringReference(message, field, &scratch),
               Path{&path, rule.name});
    } else if (rule.nested && reflection_.HasField(message, field)) {
      add_message(rule, reflection_.GetMessage(message, field), Path{&path, rule.name});
    }
  }
}

}  // namespace taizhang
