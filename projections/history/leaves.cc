// Events into paths and texts.
#include "projections/history/leaves.h"

#include <google/protobuf/descriptor.h>

#include <algorithm>
#include <cstdio>
#include <string_view>

#include "domain/dates.h"
#include "platform/base/crc32c.h"
#include "platform/command/answer.h"
#include "platform/projection/subjects.h"
#include "projections/common/names.h"
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

// Messages that are one value. False: it is made of fields.
bool value_message_text(const Message& message, std::string& text) {
  const auto* type = message.GetDescriptor();
  if (type == common::v1::Date::descriptor()) {
    text = day_text(day_of(static_cast<const common::v1::Date&>(message)));
  } else if (type == common::v1::PartialDate::descriptor()) {
    text = partial_date_text(static_cast<const common::v1::PartialDate&>(message));
  } else if (type == common::v1::Quantity::descriptor()) {
    text = quantity_text(static_cast<const common::v1::Quantity&>(message));
  } else if (type == common::v1::Figure::descriptor()) {
    text = figure_text(static_cast<const common::v1::Figure&>(message));
  } else if (type == common::v1::MaskedText::descriptor()) {
    text = static_cast<const common::v1::MaskedText&>(message).text();
  } else if (type == common::v1::SubjectRef::descriptor()) {
    const auto& subject = static_cast<const common::v1::SubjectRef&>(message);
    text = subject_kind_name(subject.kind()) + " " + subject.id();
  } else {
    return false;
  }
  return true;
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

// A number, flag, code or string; of a list the row `i`.
std::string scalar_text(const Message& message, const FieldDescriptor& member, int i) {
  const auto& reflection = *message.GetReflection();
  const bool list = member.is_repeated();
  switch (member.cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING:
      return list ? reflection.GetRepeatedString(message, &member, i)
                  : reflection.GetString(message, &member);
    case FieldDescriptor::CPPTYPE_ENUM: {
      const int number = list ? reflection.GetRepeatedEnumValue(message, &member, i)
                              : reflection.GetEnumValue(message, &member);
      return number == 0 ? std::string() : code_of_enum(*member.enum_type(), number);
    }
    case FieldDescriptor::CPPTYPE_BOOL:
      return (list ? reflection.GetRepeatedBool(message, &member, i)
                   : reflection.GetBool(message, &member))
                 ? "true"
                 : "false";
    case FieldDescriptor::CPPTYPE_INT32:
      return std::to_string(list ? reflection.GetRepeatedInt32(message, &member, i)
                                 : reflection.GetInt32(message, &member));
    case FieldDescriptor::CPPTYPE_INT64:
      return std::to_string(list ? reflection.GetRepeatedInt64(message, &member, i)
                                 : reflection.GetInt64(message, &member));
    case FieldDescriptor::CPPTYPE_UINT32:
      return std::to_string(list ? reflection.GetRepeatedUInt32(message, &member, i)
                                 : reflection.GetUInt32(message, &member));
    case FieldDescriptor::CPPTYPE_UINT64:
      return std::to_string(list ? reflection.GetRepeatedUInt64(message, &member, i)
                                 : reflection.GetUInt64(message, &member));
    default: return {};  // tidy tests keep fractions out of events
  }
}

std::string cut(std::string text) {
  if (text.size() <= kTextBytesMax) return text;
  const uint32_t sum = crc32c(0, text);
  size_t end = kTextBytesMax;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80)
    --end;  // a whole character
  char tail[24];
  std::snprintf(tail, sizeof tail, "… #%08x", sum);
  return text.substr(0, end) + tail;
}

class Walk {
 public:
  explicit Walk(Leaves& leaves) : leaves_(leaves) {}

  void fields(const Message& message, const std::string& prefix, std::vector<Leaf>& out) {
    const auto& type = *message.GetDescriptor();
    for (int i = 0; i < type.field_count(); ++i) {
      if (!is_left_out(*type.field(i)))
        member(message, *type.field(i), prefix + type.field(i)->name(), out);
    }
  }

 private:
  void member(const Message& message, const FieldDescriptor& field, std::string path,
              std::vector<Leaf>& out) {
    const auto& reflection = *message.GetReflection();
    if (field.is_repeated()) {
      out.push_back({std::move(path), cut(list_text(message, field))});
    } else if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      if (reflection.HasField(message, &field)) {
        below(reflection.GetMessage(message, &field), std::move(path), out);
      } else {
        out.push_back({std::move(path), {}});
      }
    } else if (field.has_presence() && !reflection.HasField(message, &field)) {
      out.push_back({std::move(path), {}});
    } else {
      const bool is_default = !field.has_presence() && !reflection.HasField(message, &field);
      out.push_back({std::move(path), cut(scalar_text(message, field, 0)), is_default});
    }
  }

  void below(const Message& message, std::string path, std::vector<Leaf>& out) {
    std::string text;
    if (message.GetDescriptor() == common::v1::Sealed::descriptor()) {
      out.push_back({std::move(path), {}, false, true});
    } else if (message.GetDescriptor() == funds::v1::Balances::descriptor()) {
      fields(message, path + ".", leaves_.of_line);
    } else if (value_message_text(message, text)) {
      out.push_back({std::move(path), cut(std::move(text))});
    } else {
      fields(message, path + ".", out);
    }
  }

  // "{a, b}"; empty for an empty list.
  std::string list_text(const Message& message, const FieldDescriptor& field) {
    const auto& reflection = *message.GetReflection();
    std::vector<std::string> rows;
    for (int i = 0; i < reflection.FieldSize(message, &field); ++i) {
      rows.push_back(field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE
                         ? row_text(reflection.GetRepeatedMessage(message, &field, i))
                         : scalar_text(message, field, i));
    }
    if (rows.empty()) return {};
    if (field.is_map()) std::sort(rows.begin(), rows.end());  // their order is not the message's
    std::string text = "{";
    for (const auto& row : rows) text += (text.size() > 1 ? ", " : "") + row;
    return text + "}";
  }

  // "{role: RECEIVER, mark: SEAL}": what is not said is left out.
  std::string row_text(const Message& row) {
    std::string text;
    if (value_message_text(row, text)) return text;
    std::vector<Leaf> parts;
    fields(row, {}, parts);
    text = "{";
    for (const auto& part : parts) {
      if (part.text.empty() || part.is_default) continue;
      text += (text.size() > 1 ? ", " : "") + part.path + ": " + part.text;
    }
    return text + "}";
  }

  Leaves& leaves_;
};

}  // namespace

Leaves leaves_of(const Message& event) {
  Leaves leaves;
  Walk(leaves).fields(event, {}, leaves.own);
  return leaves;
}

}  // namespace taizhang::history
