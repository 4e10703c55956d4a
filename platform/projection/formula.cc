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

// Null: the type has no such number.
const FieldDescriptor* day_field(const Descriptor& type, const std::string& name) {
  const auto* field = type.FindFieldByName(name);
  return field && !field->is_repeated() && field->cpp_type() == FieldDescriptor::CPPTYPE_INT32
             ? field
             : nullptr;
}

// Where messages of a type say of which days they are; see the header.
struct Dates {
  explicit Dates(const Descriptor& type)
      : from(day_field(type, "from_day")), to(day_field(type, "to_day")) {
    if (!from) from = day_field(type, "at");
    if (!from && !type.FindFieldByName("month")) from = day_field(type, "day");
    ends_with_next = from && !to && from->name() == "from_day";
  }
  const FieldDescriptor* from = nullptr;  // null: they do not say
  const FieldDescriptor* to = nullptr;
  bool ends_with_next = false;
};

bool is_month(int32_t at) { return at < 1'000'000; }

bool holds_on(const Message& message, const Dates& dates, int32_t day) {
  if (day == 0 || !dates.from) return true;
  const auto& reflection = *message.GetReflection();
  const int32_t from = reflection.GetInt32(message, dates.from);
  if (from > (is_month(from) ? day / 100 : day)) return false;
  const int32_t to = dates.to ? reflection.GetInt32(message, dates.to) : 0;
  return to == 0 || day <= to;
}

bool is_dated(const Descriptor& row, const Path& path) {
  if (path.empty()) return Dates(row).from;
  const auto& leaf = *path.back();
  return day_field(*leaf.containing_type(), leaf.name() + "_day") ||
         std::any_of(path.begin(), path.end(), [](const FieldDescriptor* field) {
           return field->message_type() && Dates(*field->message_type()).from;
         });
}

bool ends_month(int32_t day) {
  const std::chrono::year_month_day date{std::chrono::year(day / 10'000),
                                         std::chrono::month(static_cast<unsigned>(day / 100 % 100)),
                                         std::chrono::day(static_cast<unsigned>(day % 100))};
  return date.day() == (date.year() / date.month() / std::chrono::last).day();
}

// What the values of a path hold on a day; 0: whenever.
template <class Visit>
class Walk {
 public:
  // Calls visit(message, index, in_split_month) for each value of the path's last field until it
  // answers false; index -1: it is no list.
  Walk(const Path& path, int32_t day, const Visit& visit)
      : path_(path), day_(day), splits_(day != 0 && !ends_month(day)), visit_(visit) {}

  bool each(const Message& message, size_t at = 0, bool in_split_month = false) const {
    const auto& field = *path_[at];
    const auto& reflection = *message.GetReflection();
    const bool last = at + 1 == path_.size();
    if (last && !is_known(message, field)) return true;
    if (!field.message_type()) {
      if (!field.is_repeated()) return visit_(message, -1, in_split_month);
      for (int i = 0; i < reflection.FieldSize(message, &field); ++i) {
        if (!visit_(message, i, in_split_month)) return false;
      }
      return true;
    }
    const Dates dates(*field.message_type());
    const auto go_on = [&](const Message& inner, int index) {
      const bool split = in_split_month || is_split(inner, dates);
      return last ? visit_(message, index, split) : each(inner, at + 1, split);
    };
    if (!field.is_repeated()) {
      if (!reflection.HasField(message, &field))
        return !last || visit_(message, -1, in_split_month);
      const Message& inner = reflection.GetMessage(message, &field);
      return !holds_on(inner, dates, day_) || go_on(inner, -1);
    }
    const int newest = day_ != 0 && dates.ends_with_next ? last_begun(message, field, dates) : -1;
    for (int i = 0; i < reflection.FieldSize(message, &field); ++i) {
      const Message& element = reflection.GetRepeatedMessage(message, &field, i);
      if (!holds_on(element, dates, day_) || (newest >= 0 && i != newest)) continue;
      if (!go_on(element, i)) return false;
    }
    return true;
  }

 private:
  // By the day that a field has of its own.
  bool is_known(const Message& message, const FieldDescriptor& field) const {
    const auto* own = day_field(*message.GetDescriptor(), field.name() + "_day");
    if (day_ == 0 || !own) return true;
    const int32_t since = message.GetReflection()->GetInt32(message, own);
    return since != 0 && since <= day_;
  }
  bool is_split(const Message& element, const Dates& dates) const {
    return splits_ && dates.from &&
           element.GetReflection()->GetInt32(element, dates.from) == day_ / 100;
  }
  int last_begun(const Message& message, const FieldDescriptor& list, const Dates& dates) const {
    int i = message.GetReflection()->FieldSize(message, &list) - 1;
    while (i >= 0 &&
           !holds_on(message.GetReflection()->GetRepeatedMessage(message, &list, i), dates, day_))
      --i;
    return i;
  }

  const Path& path_;
  const int32_t day_;
  const bool splits_;
  const Visit& visit_;
};

template <class Visit>
bool each_value(const Message& row, const Path& path, int32_t day, const Visit& visit) {
  return Walk<Visit>(path, day, visit).each(row);
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
  formula.row_ = &row;
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

absl::Status Formula::on(int32_t day) {
  for (const auto& term : terms_) {
    if (is_dated(*row_, term.path)) continue;
    std::string path;
    for (const auto* field : term.path) path += (path.empty() ? "" : ".") + field->name();
    return absl::InvalidArgumentError((path.empty() ? std::string(kCount) : path) +
                                      ": these rows do not say of which days it is");
  }
  day_ = day;
  return absl::OkStatus();
}

bool Formula::may_split_month(const Message& row) const {
  if (day_ == 0 || ends_month(day_)) return false;
  return std::any_of(terms_.begin(), terms_.end(), [&](const Term& term) {
    Path path;
    for (const auto* field : term.path) {
      path.push_back(field);
      const auto* at = field->message_type() ? day_field(*field->message_type(), "at") : nullptr;
      if (!at) continue;
      path.push_back(at);
      const auto month = [at](const Message& element, int, bool) {
        return is_month(static_cast<int32_t>(number_at(element, *at, -1)));
      };
      if (each_value(row, path, 0, month)) return true;
      path.pop_back();
    }
    return false;
  });
}

bool Formula::splits_month(const Message& row) const {
  return std::any_of(terms_.begin(), terms_.end(), [&](const Term& term) {
    const auto whole = [](const Message&, int, bool in_split_month) { return !in_split_month; };
    return !term.path.empty() && !each_value(row, term.path, day_, whole);
  });
}

std::optional<int64_t> Formula::sum(const Message& row, bool only_split_month) const {
  int64_t sum = 0;
  for (const auto& term : terms_) {
    const auto each = [&](const Message& message, int index, bool in_split_month) {
      if (only_split_month && !in_split_month) return true;
      return add(number_at(message, *term.path.back(), index), term.sign, sum);
    };
    const int64_t here = !only_split_month && holds_on(row, Dates(*row_), day_) ? 1 : 0;
    if (!(term.path.empty() ? add(here, term.sign, sum) : each_value(row, term.path, day_, each)))
      return std::nullopt;
  }
  return sum;
}

std::optional<int64_t> Formula::number(const Message& row) const { return sum(row, false); }

std::optional<int64_t> Formula::of_split_month(const Message& row) const { return sum(row, true); }

std::string Formula::text(const Message& row) const {
  if (is_number_) {
    const auto value = number(row);
    return value ? std::to_string(*value) : "over 64 bits";
  }
  std::string text;
  each_value(row, terms_[0].path, day_, [&](const Message& message, int index, bool) {
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
