// Messages as lines of cells.
#include "apps/taizhang/csv.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <array>
#include <cstdio>

#include "apps/taizhang/text.h"
#include "client/strict_json.h"
#include "taizhang/common/v1/values.pb.h"

namespace taizhang::cli {
namespace {

using common::v1::Date;
using common::v1::PartialDate;
using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Timestamp;

constexpr std::string_view kLineEnd = "\r\n";
constexpr std::array<std::string_view, 10> kFormulaStarts = {
    "=", "+", "-", "@", "\t", "\r", "\uff1d", "\uff0b", "\uff0d", "\uff20"};

bool is_number(std::string_view text) {
  if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  const size_t point = text.find('.');
  const auto digits = [](std::string_view part) {
    return !part.empty() && part.find_first_not_of("0123456789") == std::string_view::npos;
  };
  if (point == std::string_view::npos) return digits(text);
  return digits(text.substr(0, point)) && digits(text.substr(point + 1));
}

// A message that is one value.
bool is_value(const Descriptor& type) {
  return &type == Date::descriptor() || &type == PartialDate::descriptor() ||
         &type == Timestamp::descriptor();
}

std::string text_of_value(const Message& value) {
  const auto& type = *value.GetDescriptor();
  if (&type == Date::descriptor()) return text_of(static_cast<const Date&>(value));
  if (&type == PartialDate::descriptor()) {
    const auto& date = static_cast<const PartialDate&>(value);
    if (date.year() == 0) return "";
    char text[40];
    snprintf(text, sizeof text,
             date.day()     ? "%04d-%02d-%02d"
             : date.month() ? "%04d-%02d"
                            : "%04d",
             date.year(), date.month(), date.day());
    return text;
  }
  return google::protobuf::util::TimeUtil::ToString(static_cast<const Timestamp&>(value));
}

// One field as protobuf's JSON writes its value.
std::string json_of_field(const Message& message, const FieldDescriptor& field) {
  const std::unique_ptr<Message> alone(message.New());
  alone->CopyFrom(message);
  std::vector<const FieldDescriptor*> set;
  alone->GetReflection()->ListFields(*alone, &set);
  for (const auto* other : set) {
    if (other != &field) alone->GetReflection()->ClearField(alone.get(), other);
  }
  const std::string text = client::write_json(*alone, false);  // {"name":…}
  const size_t value = text.find(':');
  return value == std::string::npos ? "" : text.substr(value + 1, text.size() - value - 2);
}

std::string cell_of(const Message& message, const FieldDescriptor& field) {
  const auto& reflection = *message.GetReflection();
  if (field.is_repeated()) {
    return reflection.FieldSize(message, &field) == 0 ? "" : json_of_field(message, field);
  }
  if (field.has_presence() && !reflection.HasField(message, &field)) return "";
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      return std::to_string(reflection.GetInt32(message, &field));
    case FieldDescriptor::CPPTYPE_INT64:
      return std::to_string(reflection.GetInt64(message, &field));
    case FieldDescriptor::CPPTYPE_UINT32:
      return std::to_string(reflection.GetUInt32(message, &field));
    case FieldDescriptor::CPPTYPE_UINT64:
      return std::to_string(reflection.GetUInt64(message, &field));
    case FieldDescriptor::CPPTYPE_BOOL:
      return reflection.GetBool(message, &field) ? "true" : "false";
    case FieldDescriptor::CPPTYPE_ENUM: {
      const int number = reflection.GetEnumValue(message, &field);
      if (number == 0) return "";
      const auto* value = field.enum_type()->FindValueByNumber(number);
      return value ? value->name() : std::to_string(number);
    }
    case FieldDescriptor::CPPTYPE_STRING:
      if (field.type() == FieldDescriptor::TYPE_STRING)
        return reflection.GetString(message, &field);
      break;
    case FieldDescriptor::CPPTYPE_MESSAGE:
      if (is_value(*field.message_type()))
        return text_of_value(reflection.GetMessage(message, &field));
      break;
    default: break;
  }
  return json_of_field(message, field);
}

}  // namespace

std::string without_formula(std::string text) {
  const bool starts = std::any_of(kFormulaStarts.begin(), kFormulaStarts.end(),
                                  [&](std::string_view start) { return text.starts_with(start); });
  if (starts && !is_number(text)) text.insert(0, "'");
  return text;
}

std::string csv_cell(std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(text);
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + "\"";
}

std::string value_at(const Message& row, std::string_view path) {
  const size_t point = path.find('.');
  const auto* field = row.GetDescriptor()->FindFieldByName(std::string(path.substr(0, point)));
  if (!field) return "";
  if (point == std::string_view::npos) return cell_of(row, *field);
  if (field->is_repeated() || field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE ||
      !row.GetReflection()->HasField(row, field)) {
    return "";
  }
  return value_at(row.GetReflection()->GetMessage(row, field), path.substr(point + 1));
}

CsvTable::CsvTable(const Descriptor& row_type, bool raw) : raw_(raw) {
  Path path;
  add_columns(row_type, path);
}

void CsvTable::add_columns(const Descriptor& type, Path& path) {
  for (int i = 0; i < type.field_count(); ++i) {
    const auto* field = type.field(i);
    path.push_back(field);
    const bool is_message =
        !field->is_repeated() && field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE;
    // A type inside itself has no end: it is one column.
    const bool is_inside_itself =
        is_message && std::any_of(path.begin(), path.end(), [&](const auto* outer) {
          return outer->containing_type() == field->message_type();
        });
    if (is_message && !is_inside_itself && !is_value(*field->message_type())) {
      add_columns(*field->message_type(), path);
    } else {
      columns_.push_back(path);
    }
    path.pop_back();
  }
}

std::string CsvTable::header() const {
  std::string line;
  for (const auto& column : columns_) {
    if (&column != &columns_.front()) line += ',';
    for (const auto* field : column) {
      if (field != column.front()) line += '.';
      line += field->name();
    }
  }
  return line.append(kLineEnd);
}

std::string CsvTable::line(const Message& row) const {
  std::string line;
  for (const auto& column : columns_) {
    if (&column != &columns_.front()) line += ',';
    const Message* holder = &row;
    for (size_t i = 0; holder && i + 1 < column.size(); ++i) {
      const auto& reflection = *holder->GetReflection();
      holder = reflection.HasField(*holder, column[i]) ? &reflection.GetMessage(*holder, column[i])
                                                       : nullptr;
    }
    if (!holder) continue;
    std::string cell = cell_of(*holder, *column.back());
    line += csv_cell(raw_ ? std::move(cell) : without_formula(std::move(cell)));
  }
  return line.append(kLineEnd);
}

}  // namespace taizhang::cli
