// Text files of settings: parsed strictly, checked by the options of their fields.
#include "platform/config/textproto.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/text_format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <vector>

#include "taizhang/options.pb.h"

namespace taizhang {

using google::protobuf::Descriptor;
using google::protobuf::DescriptorPool;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::TextFormat;

namespace {

// Of a list whose options say nothing else.
constexpr int kItemsMax = 1'000;

std::string place(std::string_view name, int line, int column) {
  return std::string(name) + ":" + std::to_string(line + 1) + ":" + std::to_string(column + 1) +
         ": ";
}

std::string names_of_fields(const Descriptor& type) {
  std::string names;
  for (int i = 0; i < type.field_count(); ++i) {
    if (i > 0) names += ", ";
    names += type.field(i)->name();
  }
  return names.empty() ? "nothing: it has no settings" : names;
}

std::string names_of_values(const google::protobuf::EnumDescriptor& type) {
  std::string names;
  for (int i = 0; i < type.value_count(); ++i) {
    if (type.value(i)->number() == 0) continue;
    if (!names.empty()) names += ", ";
    names += type.value(i)->name();
  }
  return names;
}

// Text between `before` and `after` in `text`; empty: not there.
std::string_view between(std::string_view text, std::string_view before, std::string_view after) {
  const size_t from = text.find(before);
  if (from == std::string_view::npos) return {};
  const size_t start = from + before.size();
  const size_t to = text.find(after, start);
  return to == std::string_view::npos ? std::string_view{} : text.substr(start, to - start);
}

// The library says what is wrong; this adds what would be right, where the library does not.
std::string expectation(std::string_view message) {
  const auto* pool = DescriptorPool::generated_pool();
  if (message.find("has no field named") != std::string_view::npos) {
    const auto* type =
        pool->FindMessageTypeByName(std::string(between(message, "Message type \"", "\"")));
    if (type) return "; expected one of: " + names_of_fields(*type);
  }
  if (message.find("Unknown enumeration value") != std::string_view::npos) {
    const std::string_view field = between(message, "for field \"", "\"");
    // The message names the field, not its message: look for it among the messages that may stand
    // in such files.
    const auto* config = pool->FindFileByName("taizhang/config/v1/config.proto");
    const auto* tokens = pool->FindFileByName("taizhang/config/v1/tokens.proto");
    for (const auto* file : {config, tokens}) {
      for (int i = 0; file && i < file->message_type_count(); ++i) {
        const auto* found = file->message_type(i)->FindFieldByName(std::string(field));
        if (found && found->enum_type())
          return "; expected one of: " + names_of_values(*found->enum_type());
      }
    }
  }
  return "";
}

// The word in quotes that the library complains of: an unknown field's name or an unknown enum
// value.
std::string_view complained_word(std::string_view message) {
  const std::string_view name = between(message, "has no field named \"", "\"");
  return name.empty() ? between(message, "Unknown enumeration value of \"", "\"") : name;
}

class Collector : public google::protobuf::io::ErrorCollector {
 public:
  Collector(std::string_view name, std::string_view text) : name_(name), source_(text) {}
  void AddError(int line, google::protobuf::io::ColumnNumber column,
                const std::string& message) override {
    go_back_to(complained_word(message), line, column);
    std::string_view said = message;
    if (said.ends_with('.')) said.remove_suffix(1);
    add(line, column, std::string(said) + expectation(message));
  }
  void AddWarning(int line, google::protobuf::io::ColumnNumber column,
                  const std::string& message) override {
    add(line, column, message);
  }
  void add(int line, int column, std::string_view message) {
    if (!text_.empty()) text_ += '\n';
    // Findings without a place concern the whole file.
    text_ += line < 0 ? std::string(name_) + ": " : place(name_, line, column);
    text_ += message;
  }
  const std::string& text() const { return text_; }

 private:
  // The library names the place where it noticed, one word too late; this finds the word itself.
  void go_back_to(std::string_view word, int& line, int& column) const {
    if (word.empty() || line < 0) return;
    size_t at = 0;
    for (int i = 0; i < line; ++i) at = source_.find('\n', at) + 1;
    at = source_.rfind(word, at + static_cast<size_t>(column));
    if (at == std::string_view::npos) return;
    line = static_cast<int>(
        std::count(source_.begin(), source_.begin() + static_cast<ptrdiff_t>(at), '\n'));
    const size_t line_start = source_.rfind('\n', at);
    column = static_cast<int>(line_start == std::string_view::npos ? at : at - line_start - 1);
  }

  std::string_view name_;
  std::string_view source_;
  std::string text_;
};

bool is_lower_hex(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool is_uuid(std::string_view text) {
  if (text.size() != 36) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? text[i] != '-' : !is_lower_hex(text.substr(i, 1))) return false;
  }
  return true;
}

bool is_region(std::string_view text) {
  constexpr size_t kLengths[] = {2, 4, 6, 9, 12, 15};
  return std::find(std::begin(kLengths), std::end(kLengths), text.size()) != std::end(kLengths) &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// What is expected; empty: the value is good.
std::string check_format(Format format, std::string_view text) {
  switch (format) {
    case FORMAT_UUID: return is_uuid(text) ? "" : "a UUID of 36 lower-case characters";
    case FORMAT_ORG_ID:
      return is_uuid(text) || text.starts_with("uscc:") ? "" : "a UUID, or uscc: and a code";
    case FORMAT_SHA256:
      return text.size() == 64 && is_lower_hex(text) ? "" : "64 lower-case hexadecimal digits";
    case FORMAT_REGION:
      return is_region(text) ? "" : "a region code of 2, 4, 6, 9, 12 or 15 digits";
    default: return "";
  }
}

class Checker {
 public:
  explicit Checker(Collector& collector) : collector_(collector) {}

  void check(const Message& message, const TextFormat::ParseInfoTree* tree) {
    const auto& type = *message.GetDescriptor();
    const auto& reflection = *message.GetReflection();
    for (int i = 0; i < type.field_count(); ++i) {
      const auto& field = *type.field(i);
      const auto& rules = field.options().GetExtension(taizhang::field);
      const int count = field.is_repeated()
                            ? reflection.FieldSize(message, &field)
                            : static_cast<int>(reflection.HasField(message, &field));
      if (count == 0 && rules.required()) {
        collector_.add(line_, column_, field.name() + ": required in " + type.name());
      }
      const int items_max = rules.items_max() > 0 ? rules.items_max() : kItemsMax;
      if (count > items_max) {
        const auto at = tree ? tree->GetLocation(&field, items_max) : TextFormat::ParseLocation();
        collector_.add(at.line, at.column,
                       field.name() + ": expected at most " + std::to_string(items_max) + ", got " +
                           std::to_string(count));
        continue;
      }
      for (int row = 0; row < count; ++row) {
        const int index = field.is_repeated() ? row : -1;
        const auto at = tree ? tree->GetLocation(&field, index) : TextFormat::ParseLocation();
        check_value(message, field, index, rules, at);
        if (field.cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) continue;
        const int outer_line = line_;
        const int outer_column = column_;
        line_ = at.line;
        column_ = at.column;
        check(field.is_repeated() ? reflection.GetRepeatedMessage(message, &field, row)
                                  : reflection.GetMessage(message, &field),
              tree ? tree->GetTreeForNested(&field, index) : nullptr);
        line_ = outer_line;
        column_ = outer_column;
      }
    }
  }

 private:
  void check_value(const Message& message, const FieldDescriptor& field, int index,
                   const FieldRules& rules, const TextFormat::ParseLocation& at) {
    const auto& reflection = *message.GetReflection();
    int64_t number = 0;
    switch (field.cpp_type()) {
      case FieldDescriptor::CPPTYPE_INT32: number = reflection.GetInt32(message, &field); break;
      case FieldDescriptor::CPPTYPE_INT64: number = reflection.GetInt64(message, &field); break;
      case FieldDescriptor::CPPTYPE_ENUM: {
        const int value = index < 0 ? reflection.GetEnumValue(message, &field)
                                    : reflection.GetRepeatedEnumValue(message, &field, index);
        if (value == 0) {
          collector_.add(
              at.line, at.column,
              field.name() + ": expected one of: " + names_of_values(*field.enum_type()));
        }
        return;
      }
      case FieldDescriptor::CPPTYPE_STRING: {
        const std::string text = index < 0 ? reflection.GetString(message, &field)
                                           : reflection.GetRepeatedString(message, &field, index);
        const std::string expected =
            text.empty() ? "a text that is not empty" : check_format(rules.format(), text);
        if (!expected.empty())
          collector_.add(at.line, at.column, field.name() + ": expected " + expected);
        return;
      }
      default: return;
    }
    if (rules.bounded() && (number < rules.min() || number > rules.max())) {
      collector_.add(at.line, at.column,
                     field.name() + ": expected " + std::to_string(rules.min()) + " to " +
                         std::to_string(rules.max()) + ", got " + std::to_string(number));
    }
  }

  Collector& collector_;
  // Place of the message being checked, for what is missing in it; -1: the file itself.
  int line_ = -1;
  int column_ = -1;
};

}  // namespace

absl::Status parse_textproto(std::string_view name, std::string_view text, Message& out) {
  Collector collector(name, text);
  TextFormat::Parser parser;
  TextFormat::ParseInfoTree places;
  parser.RecordErrorsTo(&collector);
  parser.WriteLocationsTo(&places);
  if (parser.ParseFromString(std::string(text), &out)) Checker(collector).check(out, &places);
  if (collector.text().empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(collector.text());
}

absl::Status load_textproto(const std::string& path, Message& out) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return absl::NotFoundError(path + ": cannot be read: " + std::strerror(errno));
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  if (file.bad()) return absl::NotFoundError(path + ": cannot be read");
  return parse_textproto(path, text, out);
}

}  // namespace taizhang
