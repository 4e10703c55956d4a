// What one reads off a row by words: a field's path, or numbers of it joined by + and -.
//
//   formula = path (("+" | "-") path)*
//   path    = field ("." field)*
//
// A path through a list of messages means all its elements: numbers are summed, other values stand
// one after the other. "count" is 1 of a row that is there.
//
// What a message says of its days (yyyymmdd) by its fields, the row itself included:
//
//   at: a fact of that month (yyyymm) or day. It counts from then on.
//
//   day: a fact of that day, unless a `month` stands beside it, which makes a date of both.
//
//   from_day and to_day: holds from the one to the other, 0: open.
//
//   from_day alone: holds from then on, in a list until the next that has begun.
//
//   x_day, beside a field x: that field is known from then on, 0: not yet.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace google::protobuf {
class Descriptor;
class FieldDescriptor;
class Message;
}  // namespace google::protobuf

namespace taizhang::projection {

class Formula {
 public:
  static constexpr std::string_view kCount = "count";

  // INVALID_ARGUMENT: names the path that the row does not have, or that is no number.
  static absl::StatusOr<Formula> parse(const google::protobuf::Descriptor& row,
                                       std::string_view text);

  // From now on only what counts or holds on that day (yyyymmdd) is meant. INVALID_ARGUMENT: names
  // the path that has no days.
  absl::Status on(int32_t day);
  // The day is inside a month, and a path leads through elements that may be whole months: those of
  // `row` are no days. A row without any does not tell.
  bool may_split_month(const google::protobuf::Message& row) const;
  // Something of it stands in the month of that day as a whole: which part is until the day the row
  // does not say.
  bool splits_month(const google::protobuf::Message& row) const;
  // Of number(): that which stands so. Nothing: over int64.
  std::optional<int64_t> of_split_month(const google::protobuf::Message& row) const;
  int32_t day() const { return day_; }

  bool is_number() const { return is_number_; }
  // Every path in it is an amount of money in fen.
  bool is_fen() const { return is_fen_; }
  // A path leads to, or into, personal data.
  bool is_personal() const { return is_personal_; }

  // Of a formula that is a number. Nothing: over int64.
  std::optional<int64_t> number(const google::protobuf::Message& row) const;
  // Of any: decimal digits, enum names, messages in one line.
  std::string text(const google::protobuf::Message& row) const;

 private:
  struct Term {
    int sign = 1;
    std::vector<const google::protobuf::FieldDescriptor*> path;  // empty: count
  };

  std::optional<int64_t> sum(const google::protobuf::Message& row, bool only_split_month) const;

  std::vector<Term> terms_;
  const google::protobuf::Descriptor* row_ = nullptr;
  int32_t day_ = 0;  // 0: every day is meant
  bool is_number_ = false;
  bool is_fen_ = false;
  bool is_personal_ = false;
};

// Paths that lead to a value in rows of this type, personal data left out, in field order.
struct FieldPath {
  std::string path;
  bool is_number = false;
};
std::vector<FieldPath> field_paths(const google::protobuf::Descriptor& row);

}  // namespace taizhang::projection
