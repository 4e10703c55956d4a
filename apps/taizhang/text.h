// Values as people read them, and tables whose columns line up in Chinese too.
#pragma once

#include <google/protobuf/descriptor.h>
#include <google/protobuf/generated_enum_reflection.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace google::protobuf {
class Timestamp;
}

namespace taizhang::common::v1 {
class Date;
class DocumentRef;
class Figure;
class Freshness;
class MaskedText;
class Quantity;
class RowChange;
class SubjectRef;
}  // namespace taizhang::common::v1

namespace taizhang::cli {

// "150,000.00": yuan with two decimals.
std::string yuan(int64_t fen);
// "2017-07-31"; empty when the date is not set.
std::string text_of(const common::v1::Date& date);
// "2026-11-23 11:05:28" in +08:00.
std::string text_of(const google::protobuf::Timestamp& time);
// "HOUSEHOLD d3b1…", whole id.
std::string text_of(const common::v1::SubjectRef& subject);
std::string text_of(const common::v1::MaskedText& text);
// "300 MU"; thousandths where there are any.
std::string text_of(const common::v1::Quantity& quantity);
// "34,000.00", "≥ 34,000.00", "unknown" …
std::string text_of(const common::v1::Figure& figure);
// "RECEIPT 付款收据".
std::string text_of(const common::v1::DocumentRef& document);
// Who and why: actor, roles; empty while pending.
std::string actor_of(const common::v1::RowChange& change);
// Reason, source and document of a change.
std::string why_of(const common::v1::RowChange& change);
// "as of seq 397 of 397, recorded …, view fund_execution v1"; ", final" when nothing more can be
// recorded at that moment.
std::string text_of(const common::v1::Freshness& freshness);
// "SELF_RAISED" of SOURCE_KIND_SELF_RAISED: without the enum's prefix. Empty for the zero value.
std::string word_of(const google::protobuf::EnumValueDescriptor& value);
std::string word_of(const google::protobuf::EnumDescriptor& values, int number);
template <class Enum>
std::string word(Enum value) {
  return word_of(*google::protobuf::GetEnumDescriptor<Enum>(), value);
}

// "2017-12-31". False: no date.
bool parse_date(const std::string& text, common::v1::Date& out);

// Columns on a terminal: a character of Chinese takes two.
size_t width_of(std::string_view text);

class Table {
 public:
  // A heading that begins with '>' stands above numbers, which are set right.
  explicit Table(std::vector<std::string> headings);
  void row(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  bool empty() const { return rows_.empty(); }
  // "(none)" when there is no row.
  std::string text() const;

 private:
  std::vector<std::string> headings_;
  std::vector<bool> right_;
  std::vector<std::vector<std::string>> rows_;
};

// Prints to the standard output.
void say(const std::string& text);

// Lines "name  value" with the values in one column; lines with an empty value are left out.
std::string listing(const std::vector<std::pair<std::string, std::string>>& lines);

}  // namespace taizhang::cli
