// Rules of request types, compiled from their field options.
#include "platform/command/request_plan.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/unknown_field_set.h>

#include <chrono>
#include <mutex>
#include <set>
#include <unordered_map>

#include "platform/base/log.h"
#include "taizhang/common/v1/errors.pb.h"
#include "taizhang/common/v1/request.pb.h"
#include "taizhang/common/v1/values.pb.h"
#include "taizhang/options.pb.h"

namespace taizhang {

using common::v1::CommonRefusal;
using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

struct RequestPlan::Field {
  const FieldDescriptor* field = nullptr;
  FieldRules rules;
  int chars_max = 0;
  int items_max = 0;
  bool amount = false;  // int64 that is money or a Quantity's milli
  Sign sign = SIGN_UNSPECIFIED;
  const FieldDescriptor* not_before = nullptr;
  const FieldDescriptor* exactly_with = nullptr;
  const RequestPlan* nested = nullptr;
  bool names_something = false;  // it or something below it is a Reference
};

// Where a field stands, spelt out only when something is said of it: well-formed requests pay
// nothing.
struct RequestPlan::Path {
  const Path* parent = nullptr;
  std::string_view name;  // empty: the request itself
  int index = -1;         // of a list's row

  std::string text() const {
    std::string out = parent && !parent->name.empty() ? parent->text() + "." : "";
    out += name;
    if (index >= 0) out += "[" + std::to_string(index) + "]";
    return out;
  }
};

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

int64_t characters(std::string_view text) {
  int64_t count = 0;
  for (const char c : text) count += (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  return count;
}

bool has_control_character(std::string_view text) {
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte < 0x20 && c != '\n' && c != '\t') || byte == 0x7F) return true;
  }
  return false;
}

bool all_digits(std::string_view text) {
  for (const char c : text) {
    if (c < '0' || c > '9') return false;
  }
  return !text.empty();
}

bool is_upper_code(std::string_view text) {
  for (const char c : text) {
    if (!((c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_')) return false;
  }
  return !text.empty();
}

bool is_key(std::string_view text) {
  for (const char c : text) {
    if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.')) return false;
  }
  return !text.empty();
}

bool is_hex(std::string_view text) {
  for (const char c : text) {
    if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) return false;
  }
  return true;
}

bool is_org_id(std::string_view text) {
  return is_uuid(text) || (text.starts_with("uscc:") && text.size() == 5 + 18);
}

// Empty: well formed; else what is expected.
std::string_view format_error(Format format, std::string_view text) {
  switch (format) {
    case FORMAT_UUID: return is_uuid(text) ? "" : "must be a UUID of 36 lower-case characters";
    case FORMAT_ORG_ID:
      return is_org_id(text) ? ""
                             : "must be a UUID, or \"uscc:\" and 18 characters of a credit code";
    case FORMAT_REGION:
      return is_region_form(text) ? "" : "must be a region code of 2, 4, 6, 9, 12 or 15 digits";
    case FORMAT_LEDGER: return is_ledger_code(text) ? "" : "must be a ledger code of 6 digits";
    case FORMAT_KEY:
      return is_key(text) ? "" : "must be lower-case words joined by dots or underscores";
    case FORMAT_CODE:
      return is_upper_code(text) ? "" : "must be upper-case letters, digits and underscores";
    case FORMAT_SHA256:
      return text.size() == 64 && is_hex(text) ? "" : "must be 64 lower-case hexadecimal digits";
    default: return "";
  }
}

// What a SubjectRef of this kind holds as its id.
Format subject_format(int kind) {
  switch (kind) {
    case common::v1::SUBJECT_KIND_VILLAGE:
    case common::v1::SUBJECT_KIND_REGION: return FORMAT_REGION;
    case common::v1::SUBJECT_KIND_ORGANISATION: return FORMAT_ORG_ID;
    case common::v1::SUBJECT_KIND_PARAMETER:
    case common::v1::SUBJECT_KIND_CODE_LIST: return FORMAT_KEY;
    case common::v1::SUBJECT_KIND_LEDGER: return FORMAT_LEDGER;
    default: return FORMAT_UUID;
  }
}

bool is_real_date(int year, int month, int day) {
  if (year < 1900 || year > 2199 || month < 1 || month > 12 || day < 1) return false;
  return std::chrono::year_month_day(std::chrono::year(year),
                                     std::chrono::month(static_cast<unsigned>(month)),
                                     std::chrono::day(static_cast<unsigned>(day)))
      .ok();
}

int32_t day_number(const common::v1::Date& date) {
  return date.year() * 10'000 + date.month() * 100 + date.day();
}

// One walk's findings, capped so that a hostile request cannot make a huge answer.
class Report {
 public:
  explicit Report(Violations& found) : found_(found) {}
  void add(CommonRefusal reason, const Path& path, std::string_view description) {
    if (found_.findings().size() < kViolationsMax)
      found_.add(reason, path.text(), std::string(description));
  }

 private:
  Violations& found_;
};

void check_amount(const Field& rule, int64_t value, const Path& path, Report& report) {
  if (rule.sign == SIGN_POSITIVE && value <= 0) {
    report.add(common::v1::COMMON_REFUSAL_AMOUNT_NOT_POSITIVE, path, "must be greater than 0");
  } else if (rule.sign == SIGN_NOT_NEGATIVE && value < 0) {
    report.add(common::v1::COMMON_REFUSAL_FIELD_INVALID, path, "must not be negative");
  } else if (rule.amount && (value > kAmountMax || value < -kAmountMax)) {
    report.add(common::v1::COMMON_REFUSAL_FIELD_INVALID, path, "must be at most 10^15");
  } else if (rule.rules.bounded() && (value < rule.rules.min() || value > rule.rules.max())) {
    report.add(common::v1::COMMON_REFUSAL_FIELD_INVALID, path,
               "must be from " + std::to_string(rule.rules.min()) + " to " +
                   std::to_string(rule.rules.max()));
  }
}

void check_text(const Field& rule, std::string_view text, const Path& path, Report& report) {
  if (characters(text) > rule.chars_max) {
    report.add(common::v1::COMMON_REFUSAL_FIELD_INVALID, path,
               "must have at most " + std::to_string(rule.chars_max) + " characters");
  } else if (has_control_character(text)) {
    report.add(common::v1::COMMON_REFUSAL_FIELD_INVALID, path,
               "must not contain control characters");
  } else if (const auto expected = format_error(rule.rules.format(), text); !expected.empty()) {
    report.add(common::v1::COMMON_REFUSAL_FIELD_INVALID, path, expected);
  }
}

void check_enum(const Field& rule, int value, const Path& path, Report& report) {
  if (!rule.field->enum_type()->FindValueByNumber(value)) {
    report.add(common::v1::COMMON_REFUSAL_FIELD_INVALID, path, "has no value of this number");
  }
}

bool check_date(const Message& message, const Path& path, Report& report) {
  const auto& date = static_cast<const common::v1::Date&>(message);
  if (is_real_date(date.year(), date.month(), date.day())) return true;
  report.add(common::v1::COMMON_REFUSAL_FIELD_INVALID, path,
             "must be a real date from 1900 to 2199");
  return false;
}

void check_partial_date(const Message& message, const Path& path, Report& report) {
  const auto& date = static_cast<const common::v1::PartialDate&>(message);
  const int month = date.month() == 0 ? 1 : date.month();
  const int day = date.day() == 0 ? 1 : date.day();
  if (!is_real_date(date.year(), month, day) || (date.month() == 0 && date.day() != 0)) {
    report.add(common::v1::COMMON_REFUSAL_FIELD_INVALID, path,
               "must be a date from 1900 to 2199 whose day, or month and day, may be 0");
  }
}

void check_figure(const common::v1::Figure& figure, const Path& path, Report& report) {
  using Figure = common::v1::Figure;
  const bool blank = figure.qualifier() == Figure::QUALIFIER_MASKED ||
                     figure.qualifier() == Figure::QUALIFIER_UNKNOWN;
  if (blank && (figure.value_case() != Figure::VALUE_NOT_SET || figure.high() != 0)) {
    report.add(common::v1::COMMON_REFUSAL_FIELD_INVALID, path,
               "must have no value: it is masked or unknown");
  } else if (!blank && figure.qualifier() != 0 && figure.value_case() == Figure::VALUE_NOT_SET) {
    report.add(common::v1::COMMON_REFUSAL_FIELD_REQUIRED, Path{&path, "value"},
               "one of fen, quantity, count is required");
  }
  if (figure.qualifier() == Figure::QUALIFIER_RANGE) {
    const int64_t low = figure.has_quantity() ? figure.quantity().milli()
                        : figure.has_fen()    ? figure.fen()
                                              : figure.count();
    if (figure.high() <= low) {
      report.add(common::v1::COMMON_REFUSAL_FIELD_INVALID, Path{&path, "high"},
                 "must be above the lower end of the range");
    }
  } else if (figure.high() != 0) {
    report.add(common::v1::COMMON_REFUSAL_FIELD_INVALID, Path{&path, "high"},
               "stands only in a range");
  }
}

void check_subject_ref(const Field& rule, const common::v1::SubjectRef& ref, const Path& path,
                       Report& report) {
  if (ref.kind() == 0 || ref.id().empty()) return;  // FIELD_REQUIRED is said by the nested plan
  const auto& kinds = rule.rules.subject_kinds();
  if (!kinds.empty() && std::find(kinds.begin(), kinds.end(), ref.kind()) == kinds.end()) {
    report.add(common::v1::COMMON_REFUSAL_FIELD_INVALID, Path{&path, "kind"},
               "is not a kind that may stand here");
  } else if (const auto expected = format_error(subject_format(ref.kind()), ref.id());
             !expected.empty()) {
    report.add(common::v1::COMMON_REFUSAL_FIELD_INVALID, Path{&path, "id"}, expected);
  }
}

void report_missing(const Field& rule, const Path& path, Report& report) {
  if (is_type(*rule.field, common::v1::DocumentRef::descriptor())) {
    report.add(common::v1::COMMON_REFUSAL_DOCUMENT_REQUIRED, path, "a document is required");
  } else {
    report.add(common::v1::COMMON_REFUSAL_FIELD_REQUIRED, path, "is required");
  }
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

}  // namespace

bool is_uuid(std::string_view text) {
  if (text.size() != 36) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? text[i] != '-' : !is_hex(text.substr(i, 1))) return false;
  }
  return true;
}

bool is_region_form(std::string_view text) {
  const size_t size = text.size();
  return (size == 2 || size == 4 || size == 6 || size == 9 || size == 12 || size == 15) &&
         all_digits(text);
}

bool is_ledger_code(std::string_view text) { return text.size() == 6 && all_digits(text); }

int32_t day_at(const Message& request, std::string_view path) {
  const Message* message = &request;
  while (true) {
    const size_t dot = std::min(path.find('.'), path.size());
    const auto* part = message->GetDescriptor()->FindFieldByName(std::string(path.substr(0, dot)));
    if (!part || part->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE || part->is_repeated()) {
      broken_invariant("no such date field: " + std::string(path));
    }
    if (!message->GetReflection()->HasField(*message, part)) return 0;
    message = &message->GetReflection()->GetMessage(*message, part);
    if (dot == path.size()) return day_number(static_cast<const common::v1::Date&>(*message));
    path.remove_prefix(dot + 1);
  }
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
  for (int i = 0; i < request.field_count(); ++i) {
    // What every command carries is checked once, by check_stateless.
    if (is_command && request.field(i)->number() == 2) continue;
    auto rule = std::make_unique<Field>();
    rule->field = request.field(i);
    rule->rules = request.field(i)->options().GetExtension(taizhang::field);
    set_defaults(*rule);
    const auto sibling = [&](const std::string& name) -> const FieldDescriptor* {
      if (name.empty()) return nullptr;
      const auto* other = request.FindFieldByName(name);
      if (!other)
        broken_invariant("(field) of " + rule->field->full_name() + " names no field " + name);
      return other;
    };
    rule->not_before = sibling(rule->rules.not_before());
    rule->exactly_with = sibling(rule->rules.exactly_with());
    const bool message = rule->field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE;
    if (message) rule->nested = &of(*rule->field->message_type());
    const bool is_ref = is_type(*rule->field, common::v1::SubjectRef::descriptor());
    rule->names_something =
        !rule->rules.code_list().empty() || rule->rules.region() || rule->rules.must_exist() ||
        rule->rules.subject() == common::v1::SUBJECT_KIND_REGION ||
        rule->rules.subject() == common::v1::SUBJECT_KIND_VILLAGE || is_ref || message;
    plan->fields_.push_back(std::move(rule));
  }
  return *plan;
}

RequestPlan::RequestPlan(const Descriptor& request) : descriptor_(request) {}

void RequestPlan::check(const Message& request, Violations& found) const {
  check_message(request, Path(), found);
}

void RequestPlan::check_message(const Message& message, const Path& path, Violations& found) const {
  Report report(found);
  const Reflection& reflection = *message.GetReflection();
  const auto& unknown = reflection.GetUnknownFields(message);
  if (!unknown.empty()) {
    report.add(common::v1::COMMON_REFUSAL_FIELD_INVALID,
               path.name.empty() ? Path{nullptr, descriptor_.name()} : path,
               "has an unknown field, number " + std::to_string(unknown.field(0).number()));
  }
  std::string scratch;
  const auto one = [&](const Field& rule, int index, const Path& at) {
    const auto* field = rule.field;
    const bool repeated = index >= 0;
    switch (field->cpp_type()) {
      case FieldDescriptor::CPPTYPE_STRING: {
        const std::string& text =
            repeated ? reflection.GetRepeatedStringReference(message, field, index, &scratch)
                     : reflection.GetStringReference(message, field, &scratch);
        if (field->type() != FieldDescriptor::TYPE_BYTES && !(text.empty() && !repeated)) {
          check_text(rule, text, at, report);
        }
        break;
      }
      case FieldDescriptor::CPPTYPE_ENUM: {
        const int value = repeated ? reflection.GetRepeatedEnumValue(message, field, index)
                                   : reflection.GetEnumValue(message, field);
        if (repeated && value == 0) {
          report.add(common::v1::COMMON_REFUSAL_FIELD_INVALID, at, "must not be unspecified");
        } else {
          check_enum(rule, value, at, report);
        }
        break;
      }
      case FieldDescriptor::CPPTYPE_INT64:
        check_amount(rule,
                     repeated ? reflection.GetRepeatedInt64(message, field, index)
                              : reflection.GetInt64(message, field),
                     at, report);
        break;
      case FieldDescriptor::CPPTYPE_INT32:
        check_amount(rule,
                     repeated ? reflection.GetRepeatedInt32(message, field, index)
                              : reflection.GetInt32(message, field),
                     at, report);
        break;
      case FieldDescriptor::CPPTYPE_MESSAGE: {
        const Message& nested = repeated ? reflection.GetRepeatedMessage(message, field, index)
                                         : reflection.GetMessage(message, field);
        const auto* type = field->message_type();
        rule.nested->check_message(nested, at, found);
        if (type == common::v1::Date::descriptor()) {
          check_date(nested, at, report);
        } else if (type == common::v1::PartialDate::descriptor()) {
          check_partial_date(nested, at, report);
        } else if (type == common::v1::Quantity::descriptor()) {
          const auto& quantity = static_cast<const common::v1::Quantity&>(nested);
          if (quantity.unit() == 0) {
            report.add(common::v1::COMMON_REFUSAL_FIELD_REQUIRED, Path{&at, "unit"}, "is required");
          }
          Field amount = rule;
          amount.amount = true;
          if (amount.sign == SIGN_UNSPECIFIED) amount.sign = SIGN_POSITIVE;
          check_amount(amount, quantity.milli(), Path{&at, "milli"}, report);
        } else if (type == common::v1::Figure::descriptor()) {
          check_figure(static_cast<const common::v1::Figure&>(nested), at, report);
        } else if (type == common::v1::SubjectRef::descriptor()) {
          check_subject_ref(rule, static_cast<const common::v1::SubjectRef&>(nested), at, report);
        }
        break;
      }
      default: break;
    }
  };

  for (const auto& entry : fields_) {
    const Field& rule = *entry;
    const auto* field = rule.field;
    const Path at{&path, field->name()};
    if (field->is_repeated()) {
      const int size = reflection.FieldSize(message, field);
      if (size == 0 && rule.rules.required()) report_missing(rule, at, report);
      if (size > rule.items_max) {
        report.add(common::v1::COMMON_REFUSAL_TOO_MANY_ROWS, at,
                   "must have at most " + std::to_string(rule.items_max) + " rows");
        continue;
      }
      std::set<std::string> seen;
      for (int i = 0; i < size; ++i) {
        const Path row{&path, field->name(), i};
        one(rule, i, row);
        if (rule.rules.unique().empty()) continue;
        std::string value;
        if (field->cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
          value = reflection.GetRepeatedString(message, field, i);
        } else if (field->cpp_type() == FieldDescriptor::CPPTYPE_ENUM) {
          value = std::to_string(reflection.GetRepeatedEnumValue(message, field, i));
        } else {
          const Message& nested = reflection.GetRepeatedMessage(message, field, i);
          const auto* id = nested.GetDescriptor()->FindFieldByName(rule.rules.unique());
          if (!id) broken_invariant("(field).unique of " + field->full_name() + " names no field");
          value = id->cpp_type() == FieldDescriptor::CPPTYPE_STRING
                      ? nested.GetReflection()->GetString(nested, id)
                      : std::to_string(nested.GetReflection()->GetEnumValue(nested, id));
        }
        if (!seen.insert(value).second) {
          report.add(common::v1::COMMON_REFUSAL_FIELD_INVALID, row, "stands twice in the list");
        }
      }
      continue;
    }

    bool present = false;
    if (field->has_presence()) {
      present = reflection.HasField(message, field);
    } else if (field->cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
      present = !reflection.GetStringReference(message, field, &scratch).empty();
    } else if (field->cpp_type() == FieldDescriptor::CPPTYPE_ENUM) {
      present = reflection.GetEnumValue(message, field) != 0;
    } else if (field->cpp_type() == FieldDescriptor::CPPTYPE_BOOL) {
      present = reflection.GetBool(message, field);
    } else {
      // A number without presence: 0 stands for "not given" only where it is required and not an
      // amount, whose own refusal says more; an optional one that is 0 has nothing to check but its
      // bounds.
      present =
          reflection.HasField(message, field) || rule.sign == SIGN_POSITIVE || rule.rules.bounded();
    }
    if (rule.exactly_with) {
      const auto* with = rule.exactly_with;
      bool wanted;
      if (with->cpp_type() == FieldDescriptor::CPPTYPE_ENUM) {
        const auto* value = with->enum_type()->FindValueByName(rule.rules.exactly_with_value());
        if (!value)
          broken_invariant("(field).exactly_with_value of " + field->full_name() + " is no value");
        wanted = reflection.GetEnumValue(message, with) == value->number();
      } else {
        wanted = reflection.HasField(message, with);
      }
      if (wanted && !present) {
        report.add(common::v1::COMMON_REFUSAL_FIELD_REQUIRED, at,
                   "is required with this " + with->name());
        continue;
      }
      if (!wanted && present) {
        report.add(common::v1::COMMON_REFUSAL_FIELD_INVALID, at,
                   "must not stand with this " + with->name());
        continue;
      }
    }
    if (!present) {
      if (rule.rules.required()) report_missing(rule, at, report);
      continue;
    }
    one(rule, -1, at);
    if (rule.not_before && reflection.HasField(message, rule.not_before) &&
        is_type(*field, common::v1::Date::descriptor())) {
      const auto& date =
          static_cast<const common::v1::Date&>(reflection.GetMessage(message, field));
      const auto& earlier =
          static_cast<const common::v1::Date&>(reflection.GetMessage(message, rule.not_before));
      if (day_number(date) < day_number(earlier)) {
        report.add(common::v1::COMMON_REFUSAL_DATE_ORDER_INVALID, at,
                   "must not be before " + rule.not_before->name());
      }
    }
  }
}

std::vector<Reference> RequestPlan::references(const Message& request) const {
  std::vector<Reference> out;
  collect(request, Path(), out);
  return out;
}

void RequestPlan::collect(const Message& message, const Path& path,
                          std::vector<Reference>& out) const {
  const Reflection& reflection = *message.GetReflection();
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
    if (rule.field->message_type() == common::v1::SubjectRef::descriptor()) {
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
    if (field->is_map()) continue;
    if (field->is_repeated()) {
      const int size = reflection.FieldSize(message, field);
      for (int i = 0; i < size; ++i) {
        const Path at{&path, field->name(), i};
        if (field->cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
          add_text(rule, reflection.GetRepeatedStringReference(message, field, i, &scratch), at);
        } else if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
          add_message(rule, reflection.GetRepeatedMessage(message, field, i), at);
        }
      }
    } else if (field->cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
      if (field->containing_oneof() && !reflection.HasField(message, field)) continue;
      add_text(rule, reflection.GetStringReference(message, field, &scratch),
               Path{&path, field->name()});
    } else if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE &&
               reflection.HasField(message, field)) {
      add_message(rule, reflection.GetMessage(message, field), Path{&path, field->name()});
    }
  }
}

}  // namespace taizhang
