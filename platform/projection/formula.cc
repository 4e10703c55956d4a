// Paths through rows, by reflection.
#include "platform/projection/formula.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>
#include <google/protobuf/text_format.h>

#include <algorithm>
#include <chrono>

#include "taizhang/common/v1/values.pb.h"

namespace taizhang::projection {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using Path = std::vector<const FieldDescriptor*>;

// Rows are flat; a type that contains itself must end somewhere.
constexpr size_t kPathFieldsMax = 5;

bool is_number(const FieldDescriptor& leaf) {
  switch (leaf.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
    case FieldDescriptor::CPPTYPE_INT64:
    case FieldDescriptor::CPPTYPE_UINT32: return true;
    default: return false;
  }
}

bool is_personal(const FieldDescriptor& field) {
  return field.message_type() == common::v1::Sealed::descriptor();
}

bool add(int64_t value, int sign, int64_t& sum) {
  return sign > 0 ? !__builtin_add_overflow(sum, value, &sum)
                  : !__builtin_sub_overflow(sum, value, &sum);
}

int64_t number_at(const Message& message, const FieldDescriptor& leaf, int index) {
  const auto& reflection = *message.GetReflection();
  const bool list = leaf.is_repeated();
  switch (leaf.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      return list ? reflection.GetRepeatedInt32(message, &leaf, index)
                  : reflection.GetInt32(message, &leaf);
    case FieldDescriptor::CPPTYPE_UINT32:
      return list ? reflection.GetRepeatedUInt32(message, &leaf, index)
                  : reflection.GetUInt32(message, &leaf);
    default:
      return list ? reflection.GetRepeatedInt64(message, &leaf, index)
                  : reflection.GetInt64(message, &leaf);
  }
}

std::string text_at(const Message& message, const FieldDescriptor& leaf, int index) {
  const auto& reflection = *message.GetReflection();
  if (leaf.cpp_type() == FieldDescriptor::CPPTYPE_STRING &&
      leaf.type() != FieldDescriptor::TYPE_BYTES) {
    return leaf.is_repeated() ? reflection.GetRepeatedString(message, &leaf, index)
                              : reflection.GetString(message, &leaf);
  }
  google::protobuf::TextFormat::Printer printer;
  printer.SetSingleLineMode(true);
  printer.SetUseUtf8StringEscaping(true);
  std::string text;
  printer.PrintFieldValueToString(message, &leaf, leaf.is_repeated() ? index : -1, &text);
  while (!text.empty() && text.back() == ' ') text.pop_back();
  return text;
}

// Of an element: its month or its day. Null: it has none.
const FieldDescriptor* date_field(const Descriptor& element) {
  const auto* field = element.FindFieldByName("at");
  return field && !field->is_repeated() && field->cpp_type() == FieldDescriptor::CPPTYPE_INT32
             ? field
             : nullptr;
}

bool is_month(int32_t at) { return at < 1'000'000; }

bool is_until(const Message& element, int32_t day) {
  const auto* field = date_field(*element.GetDescriptor());
  if (day == 0 || !field) return true;
  const int32_t at = element.GetReflection()->GetInt32(element, field);
  return at <= (is_month(at) ? day / 100 : day);
}

bool is_dated(const Path& path) {
  return std::any_of(path.begin(), path.end(), [](const FieldDescriptor* field) {
    return field->is_repeated() && field->message_type() && date_field(*field->message_type());
  });
}

bool ends_month(int32_t day) {
  const std::chrono::year_month_day date{std::chrono::year(day / 10'000),
                                         std::chrono::month(static_cast<unsigned>(day / 100 % 100)),
                                         std::chrono::day(static_cast<unsigned>(day % 100))};
  return date.day() == (date.year() / date.month() / std::chrono::last).day();
}

// Calls visit(message, index) for each value of the path's last field, of elements until that day;
// index -1: it is no list.
template <class Visit>
bool each_value(const Message& message, const Path& path, size_t at, int32_t until,
                const Visit& visit) {
  const auto& field = *path[at];
  const auto& reflection = *message.GetReflection();
  const bool last = at + 1 == path.size();
  if (field.is_repeated()) {
    for (int i = 0; i < reflection.FieldSize(message, &field); ++i) {
      const Message* element =
          field.message_type() ? &reflection.GetRepeatedMessage(message, &field, i) : nullptr;
      if (element && !is_until(*element, until)) continue;
      if (!(last ? visit(message, i) : each_value(*element, path, at + 1, until, visit)))
        return false;
    }
    return true;
  }
  if (last) return visit(message, -1);
  return !reflection.HasField(message, &field) ||
         each_value(reflection.GetMessage(message, &field), path, at + 1, until, visit);
}

absl::StatusOr<Path> path_of(const Descriptor& row, std::string_view text) {
  Path path;
  const Descriptor* type = &row;
  std::string_view rest = text;
  while (!rest.empty() || path.empty()) {
    const size_t dot = std::min(rest.find('.'), rest.size());
    const std::string name(rest.substr(0, dot));
    rest.remove_prefix(std::min(dot + 1, rest.size()));
    const auto* field = type ? type->FindFieldByName(name) : nullptr;
    if (!field || field->is_map()) {
      return absl::InvalidArgumentError("rows of this table have no field \"" + std::string(text) +
                                        "\"");
    }
    path.push_back(field);
    type = field->message_type();
  }
  return path;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

void collect(const Descriptor& type, const std::string& before, size_t depth,
             std::vector<FieldPath>& out) {
  for (int i = 0; i < type.field_count(); ++i) {
    const auto& field = *type.field(i);
    if (field.is_map() || is_personal(field)) continue;
    const std::string path = before + field.name();
    if (!field.message_type()) {
      out.push_back({path, is_number(field)});
    } else if (depth < kPathFieldsMax) {
      collect(*field.message_type(), path + ".", depth + 1, out);
    }
  }
}

}  // namespace

absl::StatusOr<Formula> Formula::parse(const Descriptor& row, std::string_view text) {
  Formula formula;
  formula.is_fen_ = true;
  bool all_numbers = true;
  std::string_view rest = text;
  int sign = 1;
  for (;;) {
    const size_t end = std::min(rest.find_first_of("+-"), rest.size());
    const auto word = trimmed(rest.substr(0, end));
    Term term{sign, {}};
    if (word != kCount) {
      auto path = path_of(row, word);
      if (!path.ok()) return path.status();
      term.path = std::move(*path);
      const auto& leaf = *term.path.back();
      all_numbers = all_numbers && taizhang::projection::is_number(leaf);
      formula.is_personal_ = formula.is_personal_ ||
                             std::any_of(term.path.begin(), term.path.end(), [](const auto* field) {
                               return taizhang::projection::is_personal(*field);
                             });
      formula.is_fen_ = formula.is_fen_ && leaf.name().ends_with("_fen");
    } else {
      formula.is_fen_ = false;
    }
    formula.terms_.push_back(std::move(term));
    if (end == rest.size()) break;
    sign = rest[end] == '+' ? 1 : -1;
    rest.remove_prefix(end + 1);
  }
  if (!all_numbers && formula.terms_.size() > 1)
    return absl::InvalidArgumentError("only numbers can be joined by + and -");
  formula.is_number_ = all_numbers && !formula.is_personal_;
  return formula;
}

absl::Status Formula::until(int32_t day) {
  const bool dated = std::all_of(terms_.begin(), terms_.end(),
                                 [](const Term& term) { return is_dated(term.path); });
  if (!dated)
    return absl::InvalidArgumentError("it stands in no list of months or days in these rows");
  until_ = day;
  return absl::OkStatus();
}

bool Formula::splits_month(const Message& row) const {
  if (until_ == 0 || ends_month(until_)) return false;
  const auto holds = [&](const Message& message, const Path& path) {
    const Message* at = &message;
    for (const auto* field : path) {
      const auto& reflection = *at->GetReflection();
      if (field->is_repeated() && field->message_type()) {
        const auto* date = date_field(*field->message_type());
        if (!date) return false;
        for (int i = 0; i < reflection.FieldSize(*at, field); ++i) {
          const Message& element = reflection.GetRepeatedMessage(*at, field, i);
          if (element.GetReflection()->GetInt32(element, date) == until_ / 100) return true;
        }
        return false;
      }
      if (!field->message_type()) return false;
      at = &reflection.GetMessage(*at, field);
    }
    return false;
  };
  return std::any_of(terms_.begin(), terms_.end(),
                     [&](const Term& term) { return holds(row, term.path); });
}

std::optional<int64_t> Formula::number(const Message& row) const {
  int64_t sum = 0;
  for (const auto& term : terms_) {
    const auto each = [&](const Message& message, int index) {
      return add(number_at(message, *term.path.back(), index), term.sign, sum);
    };
    if (!(term.path.empty() ? add(1, term.sign, sum) : each_value(row, term.path, 0, until_, each)))
      return std::nullopt;
  }
  return sum;
}

std::string Formula::text(const Message& row) const {
  if (is_number_) {
    const auto value = number(row);
    return value ? std::to_string(*value) : "over 64 bits";
  }
  std::string text;
  each_value(row, terms_[0].path, 0, until_, [&](const Message& message, int index) {
    const std::string value = text_at(message, *terms_[0].path.back(), index);
    if (!value.empty()) text += (text.empty() ? "" : "; ") + value;
    return true;
  });
  return text;
}

std::vector<FieldPath> field_paths(const Descriptor& row) {
  std::vector<FieldPath> paths;
  collect(row, "", 1, paths);
  return paths;
}

}  // namespace taizhang::projection
