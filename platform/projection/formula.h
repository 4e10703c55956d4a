// What one reads off a row by words: a field's path, or numbers of it joined by + and -.
//
//   formula = path (("+" | "-") path)*
//   path    = field ("." field)*
//
// A path through a list of messages means all its elements: numbers are summed, other values stand
// one after the other. "count" is 1 of a row that is there.
//
// An element of a list with a number `at` is of that month (yyyymm) or day (yyyymmdd).
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

  // From now on only elements of that day (yyyymmdd) and before are meant. INVALID_ARGUMENT: some
  // number of it stands in no list of months or days.
  absl::Status until(int32_t day);
  // The row has the month of that day, which does not end with it, as a whole: what was until then
  // cannot be told from it.
  bool splits_month(const google::protobuf::Message& row) const;

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

  std::vector<Term> terms_;
  int32_t until_ = 0;  // 0: elements of every day are meant
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
