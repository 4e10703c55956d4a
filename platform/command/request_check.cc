// Stateless validation of requests along their plan.
#include <google/protobuf/unknown_field_set.h>

#include <algorithm>
#include <chrono>
#include <set>

#include "platform/command/format.h"
#include "platform/command/request_field.h"
#include "taizhang/common/v1/errors.pb.h"
#include "taizhang/common/v1/values.pb.h"

namespace taizhang {

using common::v1::CommonRefusal;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

namespace {

using Field = RequestPlan::Field;
using Path = RequestPlan::Path;

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

void check_number(const Field& rule, int64_t value, Sign sign, bool amount, const Path& path,
                  Report& report) {
  if (sign == SIGN_POSITIVE && value <= 0) {
    report.add(common::v1::COMMON_REFUSAL_AMOUNT_NOT_POSITIVE, path, "must be greater than 0");
  } else if (sign == SIGN_NOT_NEGATIVE && value < 0) {
    report.add(common::v1::COMMON_REFUSAL_FIELD_INVALID, path, "must not be negative");
  } else if (amount && (value > kAmountMax || value < -kAmountMax)) {
    report.add(common::v1::COMMON_REFUSAL_FIELD_INVALID, path, "must be at most 10^15");
  } else if (rule.rules.bounded() && (value < rule.rules.min() || value > rule.rules.max())) {
    report.add(common::v1::COMMON_REFUSAL_FIELD_INVALID, path,
               "must be from " + std::to_string(rule.rules.min()) + " to " +
                   std::to_string(rule.rules.max()));
  }
}

void check_text(const Field& rule, std::string_view text, const Path& path, Report& report) {
  // No text has more characters than bytes.
  const bool long_text = text.size() > static_cast<size_t>(rule.chars_max);
  if (long_text && characters(text) > rule.chars_max) {
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
  if (!rule.enum_type->FindValueByNumber(value)) {
    report.add(common::v1::COMMON_REFUSAL_FIELD_INVALID, path, "has no value of this number");
  }
}

void check_date(const common::v1::Date& date, const Path& path, Report& report) {
  if (is_real_date(date.year(), date.month(), date.day())) return;
  report.add(common::v1::COMMON_REFUSAL_FIELD_INVALID, path,
             "must be a real date from 1900 to 2199");
}

void check_partial_date(const common::v1::PartialDate& date, const Path& path, Report& report) {
  const int month = date.month() == 0 ? 1 : date.month();
  const int day = date.day() == 0 ? 1 : date.day();
  if (!is_real_date(date.year(), month, day) || (date.month() == 0 && date.day() != 0)) {
    report.add(common::v1::COMMON_REFUSAL_FIELD_INVALID, path,
               "must be a date from 1900 to 2199 whose day, or month and day, may be 0");
  }
}

void check_quantity(const Field& rule, const common::v1::Quantity& quantity, const Path& path,
                    Report& report) {
  if (quantity.unit() == 0) {
    report.add(common::v1::COMMON_REFUSAL_FIELD_REQUIRED, Path{&path, "unit"}, "is required");
  }
  const Sign sign = rule.sign == SIGN_UNSPECIFIED ? SIGN_POSITIVE : rule.sign;
  check_number(rule, quantity.milli(), sign, true, Path{&path, "milli"}, report);
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
  if (rule.nested == &RequestPlan::of(*common::v1::DocumentRef::descriptor())) {
    report.add(common::v1::COMMON_REFUSAL_DOCUMENT_REQUIRED, path, "a document is required");
  } else {
    report.add(common::v1::COMMON_REFUSAL_FIELD_REQUIRED, path, "is required");
  }
}

}  // namespace

void RequestPlan::check(const Message& request, Violations& found) const {
  check_message(request, Path(), found);
}

// Checks what stands in one field, or in one row of a list (`index` from 0).
void RequestPlan::check_value(const Field& rule, const Message& message, int index, const Path& at,
                              Violations& found) const {
  using Shape = Field::Shape;
  Report report(found);
  const auto* field = rule.field;
  const bool repeated = index >= 0;
  const auto nested = [&]() -> const Message& {
    const Message& inside = repeated ? reflection_.GetRepeatedMessage(message, field, index)
                                     : reflection_.GetMessage(message, field);
    rule.nested->check_message(inside, at, found);
    return inside;
  };
  switch (rule.shape) {
    case Shape::kText: {
      std::string scratch;
      const std::string& text =
          repeated ? reflection_.GetRepeatedStringReference(message, field, index, &scratch)
                   : reflection_.GetStringReference(message, field, &scratch);
      if (repeated || !text.empty()) check_text(rule, text, at, report);
      break;
    }
    case Shape::kEnum: {
      const int value = repeated ? reflection_.GetRepeatedEnumValue(message, field, index)
                                 : reflection_.GetEnumValue(message, field);
      if (repeated && value == 0) {
        report.add(common::v1::COMMON_REFUSAL_FIELD_INVALID, at, "must not be unspecified");
      } else {
        check_enum(rule, value, at, report);
      }
      break;
    }
    case Shape::kInt64:
      check_number(rule,
                   repeated ? reflection_.GetRepeatedInt64(message, field, index)
                            : reflection_.GetInt64(message, field),
                   rule.sign, rule.amount, at, report);
      break;
    case Shape::kInt32:
      check_number(rule,
                   repeated ? reflection_.GetRepeatedInt32(message, field, index)
                            : reflection_.GetInt32(message, field),
                   rule.sign, rule.amount, at, report);
      break;
    case Shape::kDate:
      check_date(static_cast<const common::v1::Date&>(nested()), at, report);
      break;
    case Shape::kPartialDate:
      check_partial_date(static_cast<const common::v1::PartialDate&>(nested()), at, report);
      break;
    case Shape::kQuantity:
      check_quantity(rule, static_cast<const common::v1::Quantity&>(nested()), at, report);
      break;
    case Shape::kFigure:
      check_figure(static_cast<const common::v1::Figure&>(nested()), at, report);
      break;
    case Shape::kSubjectRef:
      check_subject_ref(rule, static_cast<const common::v1::SubjectRef&>(nested()), at, report);
      break;
    case Shape::kMessage: nested(); break;
    case Shape::kBytes:
    case Shape::kBool:
    case Shape::kOther: break;
  }
}

void RequestPlan::check_list(const Field& rule, const Message& message, const Path& path,
                             Violations& found) const {
  Report report(found);
  const auto* field = rule.field;
  const Path at{&path, rule.name};
  const int size = reflection_.FieldSize(message, field);
  if (size == 0 && rule.rules.required()) report_missing(rule, at, report);
  if (size > rule.items_max) {
    report.add(common::v1::COMMON_REFUSAL_TOO_MANY_ROWS, at,
               "must have at most " + std::to_string(rule.items_max) + " rows");
    return;
  }
  std::set<std::string> seen;
  for (int i = 0; i < size; ++i) {
    const Path row{&path, rule.name, i};
    check_value(rule, message, i, row, found);
    if (rule.rules.unique().empty()) continue;
    std::string value;
    if (rule.shape == Field::Shape::kText) {
      value = reflection_.GetRepeatedString(message, field, i);
    } else if (rule.shape == Field::Shape::kEnum) {
      value = std::to_string(reflection_.GetRepeatedEnumValue(message, field, i));
    } else {
      const Message& nested = reflection_.GetRepeatedMessage(message, field, i);
      const auto& inside = *nested.GetReflection();
      value = rule.unique_by->cpp_type() == FieldDescriptor::CPPTYPE_STRING
                  ? inside.GetString(nested, rule.unique_by)
                  : std::to_string(inside.GetEnumValue(nested, rule.unique_by));
    }
    if (!seen.insert(value).second) {
      report.add(common::v1::COMMON_REFUSAL_FIELD_INVALID, row, "stands twice in the list");
    }
  }
}

bool RequestPlan::is_present(const Field& rule, const Message& message) const {
  if (rule.presence) return reflection_.HasField(message, rule.field);
  switch (rule.shape) {
    case Field::Shape::kText:
    case Field::Shape::kBytes: {
      std::string scratch;
      return !reflection_.GetStringReference(message, rule.field, &scratch).empty();
    }
    case Field::Shape::kEnum: return reflection_.GetEnumValue(message, rule.field) != 0;
    case Field::Shape::kBool: return reflection_.GetBool(message, rule.field);
    // A number without presence: 0 stands for "not given" only where it is required and not an
    // amount, whose own refusal says more; an optional one that is 0 has nothing to check but its
    // bounds.
    default:
      return rule.sign == SIGN_POSITIVE || rule.rules.bounded() ||
             reflection_.HasField(message, rule.field);
  }
}

void RequestPlan::check_message(const Message& message, const Path& path, Violations& found) const {
  Report report(found);
  const auto& unknown = reflection_.GetUnknownFields(message);
  if (!unknown.empty()) {
    report.add(common::v1::COMMON_REFUSAL_FIELD_INVALID,
               path.name.empty() ? Path{nullptr, descriptor_.name()} : path,
               "has an unknown field, number " + std::to_string(unknown.field(0).number()));
  }
  for (const auto& entry : fields_) {
    const Field& rule = *entry;
    if (rule.repeated) {
      check_list(rule, message, path, found);
      continue;
    }
    const Path at{&path, rule.name};
    const bool present = is_present(rule, message);
    if (const auto* with = rule.exactly_with) {
      const bool wanted = rule.exactly_with_enum
                              ? reflection_.GetEnumValue(message, with) == rule.exactly_with_value
                              : reflection_.HasField(message, with);
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
    check_value(rule, message, -1, at, found);
    if (rule.not_before && reflection_.HasField(message, rule.not_before)) {
      const auto& date =
          static_cast<const common::v1::Date&>(reflection_.GetMessage(message, rule.field));
      const auto& earlier =
          static_cast<const common::v1::Date&>(reflection_.GetMessage(message, rule.not_before));
      if (day_number(date) < day_number(earlier)) {
        report.add(common::v1::COMMON_REFUSAL_DATE_ORDER_INVALID, at,
                   "must not be before " + rule.not_before->name());
      }
    }
  }
}

}  // namespace taizhang
