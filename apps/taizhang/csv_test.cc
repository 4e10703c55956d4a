// Rows as CSV: columns, values, quotes, formulas.
#include "apps/taizhang/csv.h"

#include <gtest/gtest.h>

#include "taizhang/common/v1/values.pb.h"
#include "taizhang/fund_execution/v1/service.pb.h"
#include "taizhang/household_file/v1/values.pb.h"

namespace taizhang::cli {
namespace {

using fund_execution::v1::LineRow;
using fund_execution::v1::ProgressRow;

std::vector<std::string> cells(const std::string& line) {
  std::vector<std::string> found(1);
  for (size_t i = 0; i + 2 < line.size(); ++i) {
    if (line[i] == ',') {
      found.emplace_back();
    } else {
      found.back() += line[i];
    }
  }
  return found;
}

std::string cell(const google::protobuf::Message& row, const std::string& column,
                 bool raw = false) {
  const CsvTable table(*row.GetDescriptor(), raw);
  const auto names = cells(table.header());
  const auto values = cells(table.line(row));
  EXPECT_EQ(names.size(), values.size());
  for (size_t i = 0; i < names.size(); ++i) {
    if (names[i] == column) return values[i];
  }
  return "no column " + column;
}

TEST(CsvTable, HasAColumnForEachValue) {
  const CsvTable table(*LineRow::descriptor(), false);
  EXPECT_EQ(table.header(),
            "version,event_ids,fund_line_id,name.text,name.masked,source_kind,level,year,purposes,"
            "owner_org_id,raised_by_org_id,sector,origin_line,pooled,region,opened_date,"
            "figures.budgeted_fen,figures.planned_fen,figures.arrived_fen,figures.allocated_fen,"
            "figures.committed_fen,figures.paid_fen,figures.balance_fen\r\n");
}

TEST(CsvTable, WritesEachKindOfValue) {
  LineRow row;
  row.set_version(9'007'199'254'740'993);
  row.set_source_kind(funds::v1::SOURCE_KIND_SELF_RAISED);
  row.set_pooled(true);
  row.add_purposes("ROADS");
  row.mutable_opened_date()->set_year(2017);
  row.mutable_opened_date()->set_month(8);
  row.mutable_opened_date()->set_day(5);
  row.mutable_figures()->set_balance_fen(-100);
  EXPECT_EQ(cell(row, "version"), "9007199254740993");
  EXPECT_EQ(cell(row, "source_kind"), "SOURCE_KIND_SELF_RAISED");
  EXPECT_EQ(cell(row, "level"), "");
  EXPECT_EQ(cell(row, "pooled"), "true");
  EXPECT_EQ(cell(row, "purposes"), "\"[\"\"ROADS\"\"]\"");
  EXPECT_EQ(cell(row, "event_ids"), "");
  EXPECT_EQ(cell(row, "opened_date"), "2017-08-05");
  EXPECT_EQ(cell(row, "figures.balance_fen"), "-100");
  EXPECT_EQ(cell(row, "figures.paid_fen"), "0");
}

TEST(CsvTable, TellsAbsentFromZero) {
  ProgressRow row;
  EXPECT_EQ(cell(row, "plan_fen"), "");
  EXPECT_EQ(cell(row, "name.text"), "");
  row.set_plan_fen(0);
  EXPECT_EQ(cell(row, "plan_fen"), "0");
}

TEST(CsvTable, KnowsPartsOfTypesThatHoldManyKinds) {
  household_file::v1::TimelineRow row;
  row.mutable_detail()->mutable_visit_made()->set_visit_id("v1");
  EXPECT_EQ(cell(row, "detail.visit_made.visit_id"), "v1");
  EXPECT_EQ(cell(row, "detail.issue_raised.issue_id"), "");
}

TEST(CsvCell, QuotesWhatRfc4180Asks) {
  EXPECT_EQ(csv_cell("plain 文字"), "plain 文字");
  EXPECT_EQ(csv_cell("a,b"), "\"a,b\"");
  EXPECT_EQ(csv_cell("say \"x\""), "\"say \"\"x\"\"\"");
  EXPECT_EQ(csv_cell("two\nlines"), "\"two\nlines\"");
}

TEST(WithoutFormula, KeepsNumbersAndStopsTheRest) {
  for (const char* number : {"-5", "+5", "-5.25", "12"}) EXPECT_EQ(without_formula(number), number);
  for (const char* formula :
       {"=1+1", "+cmd", "-1+1", "@SUM(A1)", "\tx", "\rx", "＝1", "-", "-5.", "＠x", "－1", "＋1"}) {
    EXPECT_EQ(without_formula(formula), std::string("'") + formula);
  }
  EXPECT_EQ(without_formula("a=1"), "a=1");
  EXPECT_EQ(without_formula(""), "");
}

TEST(CsvTable, StopsFormulasUnlessTheyAreAskedFor) {
  LineRow row;
  row.mutable_name()->set_text("=1+1");
  EXPECT_EQ(cell(row, "name.text"), "'=1+1");
  EXPECT_EQ(cell(row, "name.text", true), "=1+1");
}

TEST(ValueAt, FollowsAPath) {
  LineRow row;
  row.mutable_figures()->set_paid_fen(7);
  EXPECT_EQ(value_at(row, "figures.paid_fen"), "7");
  EXPECT_EQ(value_at(row, "name.text"), "");
  EXPECT_EQ(value_at(row, "no.such"), "");
}

}  // namespace
}  // namespace taizhang::cli
