// Rows of any list as CSV (RFC 4180, UTF-8): one column for each value of the row's message.
//
// Columns are named by their path, "figures.paid_fen". A date is 2017-08-15, an instant RFC 3339 in
// UTC, an enum its name, a list or map JSON, what is absent or unspecified empty.
#pragma once

#include <google/protobuf/message.h>

#include <string>
#include <string_view>
#include <vector>

namespace taizhang::cli {

// A text that a spreadsheet would take for a formula gets an apostrophe in front: one that begins
// with = + - @ (also in full width), a tab or a carriage return and is no plain number.
std::string without_formula(std::string text);
// In quotes where RFC 4180 asks for them.
std::string csv_cell(std::string_view text);

// The value at a path of a row: what stands in its column. Empty: it is absent, or there is no such
// path.
std::string value_at(const google::protobuf::Message& row, std::string_view path);

class CsvTable {
 public:
  // `raw`: formulas stay as they are.
  CsvTable(const google::protobuf::Descriptor& row_type, bool raw);

  // Lines with their end.
  std::string header() const;
  std::string line(const google::protobuf::Message& row) const;

 private:
  using Path = std::vector<const google::protobuf::FieldDescriptor*>;
  void add_columns(const google::protobuf::Descriptor& type, Path& path);

  std::vector<Path> columns_;
  const bool raw_;
};

}  // namespace taizhang::cli
