// Events into paths and texts.
#include "projections/history/leaves.h"

#include <google/protobuf/descriptor.h>

#include <algorithm>
#include <cstdio>
#include <string_view>
#include <utility>

#include "domain/dates.h"
#include "platform/base/crc32c.h"
#include "platform/base/log.h"
#include "platform/command/answer.h"
#include "platform/projection/subjects.h"
#include "projections/common/names.h"
#include "projections/common/per_type.h"
#include "taizhang/common/v1/values.pb.h"
#include "taizhang/funds/v1/values.pb.h"

namespace taizhang::history {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

// Bytes of a text that are kept.
constexpr size_t kTextBytesMax = 200;

std::string quantity_text(const common::v1::Quantity& quantity) {
  constexpr int64_t kMilli = 1'000;
  std::string text = std::to_string(quantity.milli() / kMilli);
  if (const int64_t rest = quantity.milli() % kMilli; rest != 0) {
    char digits[8];
    std::snprintf(digits, sizeof digits, ".%03d", static_cast<int>(rest < 0 ? -rest : rest));
    if (quantity.milli() < 0 && text == "0") text = "-0";
    text += digits;
  }
  return text + " " + code_of(quantity.unit());
}

std::string figure_text(const common::v1::Figure& figure) {
  std::string text = code_of(figure.qualifier()) + " " + code_of(figure.nature());
  switch (figure.value_case()) {
    case common::v1::Figure::kFen: text += " " + std::to_string(figure.fen()) + " fen"; break;
    case common::v1::Figure::kQuantity: text += " " + quantity_text(figure.quantity()); break;
    case common::v1::Figure::kCount: text += " " + std::to_string(figure.count()); break;
    case common::v1::Figure::VALUE_NOT_SET: break;
  }
  if (figure.high() != 0) text += " to " + std::to_string(figure.high());
  return text;
}

std::string partial_date_text(const common::v1::PartialDate& date) {
  char text[40];
  std::snprintf(text, sizeof text, "%04d-%02d-%02d", date.year(), date.month(), date.day());
  return text;
}

// Messages that are one value.
using ValueText = std::string (*)(const Message&);

template <class Value, std::string (*text)(const Value&)>
std::string text_of(const Message& message) {
  return text(static_cast<const Value&>(message));
}

std::string date_text(const common::v1::Date& date) { return day_text(day_of(date)); }
std::string masked_text(const common::v1::MaskedText& masked) { return masked.text(); }
std::string subject_text(const common::v1::SubjectRef& subject) {
  return subject_kind_name(subject.kind()) + " " + subject.id();
}

// Null: it is made of fields.
ValueText value_text_of(const Descriptor* type) {
  using common::v1::Date;
  using common::v1::Figure;
  using common::v1::MaskedText;
  using common::v1::PartialDate;
  using common::v1::Quantity;
  using common::v1::SubjectRef;
  if (type == Date::descriptor()) return text_of<Date, date_text>;
  if (type == PartialDate::descriptor()) return text_of<PartialDate, partial_date_text>;
  if (type == Quantity::descriptor()) return text_of<Quantity, quantity_text>;
  if (type == Figure::descriptor()) return text_of<Figure, figure_text>;
  if (type == MaskedText::descriptor()) return text_of<MaskedText, masked_text>;
  if (type == SubjectRef::descriptor()) return text_of<SubjectRef, subject_text>;
  return nullptr;
}

bool is_left_out(const FieldDescriptor& member) {
  constexpr std::string_view kBlindIndex = "_index";
  if (member.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
    return member.message_type() == common::v1::DocumentRef::descriptor() ||
           member.message_type() == common::v1::ParameterUse::descriptor();
  }
  return member.type() == FieldDescriptor::TYPE_BYTES ||
         std::string_view(member.name()).ends_with(kBlindIndex);
}

struct Step;

// How a message is taken apart: found once, so that no event asks descriptors.
struct Plan {
  std::vector<Step> steps;
};

// What is done with one field of a message.
struct Step {
  enum class How { kScalar, kFields, kBalances, kSealed, kValue, kList };
  const FieldDescriptor* field = nullptr;
  How how = How::kScalar;
  int cpp_type = 0;
  bool has_presence = false;
  std::string path;
  ValueText value_text = nullptr;  // of a message that is one value, also of the rows of a list
  Plan below;                      // kFields, kBalances; of a list that of its rows
};

// A type that held itself would have no end of paths.
constexpr int kDepthMax = 32;

Step step_of(const FieldDescriptor& field, const std::string& prefix, int depth);

Plan plan_of(const Descriptor* type, const std::string& prefix, int depth) {
  if (depth > kDepthMax) broken_invariant("an event holds itself: " + type->full_name());
  Plan plan;
  for (int i = 0; i < type->field_count(); ++i) {
    if (!is_left_out(*type->field(i)))
      plan.steps.push_back(step_of(*type->field(i), prefix, depth));
  }
  return plan;
}

Step step_of(const FieldDescriptor& field, const std::string& prefix, int depth) {
  Step step;
  step.field = &field;
  step.cpp_type = field.cpp_type();
  step.has_presence = field.has_presence();
  step.path = prefix + field.name();
  const bool is_message = step.cpp_type == FieldDescriptor::CPPTYPE_MESSAGE;
  const auto* type = is_message ? field.message_type() : nullptr;
  if (type) step.value_text = value_text_of(type);
  if (field.is_repeated()) {
    step.how = Step::How::kList;
    if (type && !step.value_text) step.below = plan_of(type, {}, depth + 1);
  } else if (!type) {
    step.how = Step::How::kScalar;
  } else if (type == common::v1::Sealed::descriptor()) {
    step.how = Step::How::kSealed;
  } else if (step.value_text) {
    step.how = Step::How::kValue;
  } else {
    step.how =
        type == funds::v1::Balances::descriptor() ? Step::How::kBalances : Step::How::kFields;
    step.below = plan_of(type, step.path + ".", depth + 1);
  }
  return step;
}

class Walk {
 public:
  explicit Walk(Leaves& leaves) : leaves_(leaves) {}

  void fields(const Message& message, const Plan& plan, std::vector<Leaf>& out) {
    const auto& reflection = *message.GetReflection();
    for (const Step& step : plan.steps) {
      if (step.how == Step::How::kList) {
        out.push_back({step.path, cut(kept(list_text(message, step)))});
      } else if (step.how == Step::How::kScalar && !step.has_presence) {
        bool is_default = false;
        const std::string_view text = scalar(message, step, is_default);
        out.push_back({step.path, cut(text), is_default});
      } else if (!reflection.HasField(message, step.field)) {
        out.push_back({step.path, {}});
      } else {
        present(message, step, out);
      }
    }
  }

 private:
  void present(const Message& message, const Step& step, std::vector<Leaf>& out) {
    const auto& reflection = *message.GetReflection();
    bool is_default = false;
    switch (step.how) {
      case Step::How::kScalar:
        out.push_back({step.path, cut(scalar(message, step, is_default))});
        return;
      case Step::How::kSealed: out.push_back({step.path, {}, false, true}); return;
      case Step::How::kValue:
        out.push_back(
            {step.path, cut(kept(step.value_text(reflection.GetMessage(message, step.field))))});
        return;
      case Step::How::kBalances:
        fields(reflection.GetMessage(message, step.field), step.below, leaves_.of_line);
        return;
      case Step::How::kFields:
        fields(reflection.GetMessage(message, step.field), step.below, out);
        return;
      case Step::How::kList: return;  // has no presence
    }
  }

  std::string_view kept(std::string text) { return leaves_.made.emplace_back(std::move(text)); }

  template <class Number>
  std::string_view number(Number value, bool& is_default) {
    is_default = value == 0;
    if (is_default) return "0";
    return kept(std::to_string(value));
  }

  std::string_view enum_code(const FieldDescriptor& field, int value) {
    return value == 0 ? std::string_view() : kept(code_of_enum(*field.enum_type(), value));
  }

  // A number, flag, code or string. `is_default`: it is 0, false or empty.
  std::string_view scalar(const Message& message, const Step& step, bool& is_default) {
    const auto& reflection = *message.GetReflection();
    const auto* field = step.field;
    switch (step.cpp_type) {
      case FieldDescriptor::CPPTYPE_STRING: {
        std::string scratch;
        const std::string& text = reflection.GetStringReference(message, field, &scratch);
        is_default = text.empty();
        return &text == &scratch ? kept(scratch) : std::string_view(text);
      }
      case FieldDescriptor::CPPTYPE_ENUM: {
        const int value = reflection.GetEnumValue(message, field);
        is_default = value == 0;
        return enum_code(*field, value);
      }
      case FieldDescriptor::CPPTYPE_BOOL:
        is_default = !reflection.GetBool(message, field);
        return is_default ? "false" : "true";
      case FieldDescriptor::CPPTYPE_INT32:
        return number(reflection.GetInt32(message, field), is_default);
      case FieldDescriptor::CPPTYPE_INT64:
        return number(reflection.GetInt64(message, field), is_default);
      case FieldDescriptor::CPPTYPE_UINT32:
        return number(reflection.GetUInt32(message, field), is_default);
      case FieldDescriptor::CPPTYPE_UINT64:
        return number(reflection.GetUInt64(message, field), is_default);
      default: return {};  // tidy tests keep fractions out of events
    }
  }

  // Row `i` of a list.
  std::string row_of(const Message& message, const Step& step, int i) {
    const auto& reflection = *message.GetReflection();
    const auto* field = step.field;
    switch (step.cpp_type) {
      case FieldDescriptor::CPPTYPE_MESSAGE:
        return row_text(reflection.GetRepeatedMessage(message, field, i), step);
      case FieldDescriptor::CPPTYPE_STRING: return reflection.GetRepeatedString(message, field, i);
      case FieldDescriptor::CPPTYPE_ENUM:
        return std::string(enum_code(*field, reflection.GetRepeatedEnumValue(message, field, i)));
      case FieldDescriptor::CPPTYPE_BOOL:
        return reflection.GetRepeatedBool(message, field, i) ? "true" : "false";
      case FieldDescriptor::CPPTYPE_INT32:
        return std::to_string(reflection.GetRepeatedInt32(message, field, i));
      case FieldDescriptor::CPPTYPE_INT64:
        return std::to_string(reflection.GetRepeatedInt64(message, field, i));
      case FieldDescriptor::CPPTYPE_UINT32:
        return std::to_string(reflection.GetRepeatedUInt32(message, field, i));
      case FieldDescriptor::CPPTYPE_UINT64:
        return std::to_string(reflection.GetRepeatedUInt64(message, field, i));
      default: return {};
    }
  }

  // "{a, b}"; empty for an empty list.
  std::string list_text(const Message& message, const Step& step) {
    const int size = message.GetReflection()->FieldSize(message, step.field);
    if (size == 0) return {};
    std::vector<std::string> rows;
    for (int i = 0; i < size; ++i) rows.push_back(row_of(message, step, i));
    if (step.field->is_map())
      std::sort(rows.begin(), rows.end());  // their order is not the message's
    std::string text = "{";
    for (const auto& row : rows) text += (text.size() > 1 ? ", " : "") + row;
    return text + "}";
  }

  // "{role: RECEIVER, mark: SEAL}": what is not said is left out.
  std::string row_text(const Message& row, const Step& step) {
    if (step.value_text) return step.value_text(row);
    std::vector<Leaf> parts;
    fields(row, step.below, parts);
    std::string text = "{";
    for (const auto& part : parts) {
      if (part.text.empty() || part.is_default) continue;
      if (text.size() > 1) text += ", ";
      text += part.path;
      text += ": ";
      text += part.text;
    }
    return text + "}";
  }

  std::string_view cut(std::string_view text) {
    if (text.size() <= kTextBytesMax) return text;
    const uint32_t sum = crc32c(0, text);
    size_t end = kTextBytesMax;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80)
      --end;  // a whole character
    char tail[24];
    std::snprintf(tail, sizeof tail, "… #%08x", sum);
    return kept(std::string(text.substr(0, end)) + tail);
  }

  Leaves& leaves_;
};

}  // namespace

void take_apart(const Message& event, Leaves& leaves) {
  static auto& plans = *new PerType<Plan>;
  const Plan& plan =
      plans.of(event.GetDescriptor(), [](const Descriptor* type) { return plan_of(type, {}, 0); });
  Walk(leaves).fields(event, plan, leaves.own);
}

}  // namespace taizhang::history
