// Opening a line, its budgets and what arrives on it.
#include <cstdint>
#include <limits>

#include "taizhang/common/v1/errors.pb.h"
#include "taizhang/funds/v1/errors.pb.h"
#include "taizhang/funds/v1/events.pb.h"
#include "tests/support/funds_commands.h"

namespace taizhang::test {
namespace {

using funds::state::v1::BankReference;
using funds::state::v1::FundLine;
using funds::state::v1::LineOpenByOwner;
using namespace funds::v1;
using common::v1::COMMON_REFUSAL_AMOUNT_NOT_POSITIVE;
using common::v1::COMMON_REFUSAL_DATE_ORDER_INVALID;
using common::v1::COMMON_REFUSAL_DOCUMENT_REQUIRED;
using common::v1::COMMON_REFUSAL_FIELD_INVALID;
using common::v1::COMMON_REFUSAL_ID_TAKEN;
using common::v1::COMMON_REFUSAL_PARAMETER_MISSING;
using common::v1::COMMON_REFUSAL_SUBJECT_NOT_FOUND;
using common::v1::COMMON_REFUSAL_VERSION_MISMATCH;

constexpr int64_t kFull = std::numeric_limits<int64_t>::max() - 10;

FundLine line_row(std::string_view name, int64_t budgeted, int64_t planned, int64_t arrived) {
  auto row = new_row<FundLine>();
  row.set_fund_line_id(id(name));
  row.set_from_day(kReferenceDay);
  row.set_budgeted_fen(budgeted);
  row.set_issued_budgets(budgeted > 0 ? 1 : 0);
  row.set_planned_fen(planned);
  row.set_arrived_fen(arrived);
  return row;
}

TEST(OpenFundLine, KeepsWhatItIsAndSaysWhichRuleAllowedIt) {
  auto book = money_book();
  const auto command = with(open_line("J"), [](auto& c) { c.set_sector("HOUSING"); });
  book.when(command).accepted();
  const auto& opened = book.event<FundLineOpened>();
  EXPECT_EQ(opened.name().text(), "J");
  EXPECT_EQ(opened.purposes_size(), 3);
  ASSERT_EQ(opened.parameters_used_size(), 1);
  EXPECT_EQ(opened.parameters_used(0).key(), "funds.purposes_allowed");
  EXPECT_EQ(opened.parameters_used(0).version(), 1);
  const auto& line = book.row<FundLine>(id("J"));
  EXPECT_EQ(line.version(), book.last_seq());
  EXPECT_EQ(line.from_day(), kEffectiveDay);
  EXPECT_EQ(line.sector(), "HOUSING");
  EXPECT_EQ(line.arrived_fen(), 0);
}

TEST(OpenFundLine, CountsTheOpenLinesOfItsOwner) {
  auto book = money_book();
  book.given(open_line("one"), open_line("two"));
  EXPECT_EQ(book.row<LineOpenByOwner>(id("unit")).lines(), 2);
}

TEST(OpenFundLine, CannotBeDecidedForASourceNoRuleSpeaksOf) {
  money_book()
      .when(with(open_line("c", SOURCE_KIND_CENTRAL), [](auto& c) { c.add_purposes("INDUSTRY"); }))
      .refused(COMMON_REFUSAL_PARAMETER_MISSING, "purposes");
}

TEST(OpenFundLine, IsRefusedAPurposeOfAnotherSourceBeforeItsOriginIsLookedAt) {
  money_book()
      .when(with(open_line("J"),
                 [](auto& c) {
                   c.add_purposes("INDUSTRY");
                   c.set_origin_line(id("nowhere"));
                 }))
      .refused(FUNDS_REFUSAL_PURPOSE_NOT_ALLOWED, "purposes[3]");
}

TEST(OpenFundLine, IsRefusedAnUnknownOrigin) {
  money_book()
      .when(with(open_line("J"), [](auto& c) { c.set_origin_line(id("nowhere")); }))
      .refused(FUNDS_REFUSAL_ORIGIN_LINE_NOT_FOUND, "origin_line");
}

TEST(OpenFundLine, IsRefusedAnOriginThatWasNotOpenThatDay) {
  auto book = money_book();
  book.on(20170301).given(open_line("origin"));
  const auto command = with(open_line("J"), [](auto& c) { c.set_origin_line(id("origin")); });
  book.on(20170228).when(command).refused(FUNDS_REFUSAL_ORIGIN_LINE_NOT_FOUND, "origin_line");
  book.on(20170301).when(command).accepted();
}

TEST(OpenFundLine, NeedsAKnownOwnerAndAFreshId) {
  auto book = money_book();
  book.when(with(open_line("J"), [](auto& c) { c.set_owner_org_id(id("nobody")); }))
      .refused(COMMON_REFUSAL_SUBJECT_NOT_FOUND, "owner_org_id");
  book.given(open_line("J")).when(open_line("J")).unchanged();
  book.when(with(open_line("J"), [](auto& c) { c.set_year(2018); }))
      .refused(COMMON_REFUSAL_ID_TAKEN, "fund_line_id");
}

TEST(OpenFundLine, RunsInPrefectureLedgers) {
  auto book = money_book();
  book.given(region_created("9901"))
      .in_ledger("990100", common::v1::LEDGER_KIND_PREFECTURE)
      .when(with(open_line("J"), [](auto& c) { c.set_region("9901"); }))
      .accepted();
}

// T-44: four sectors won from above.
TEST(OpenFundLine, HoldsFourSectorsOfMoneyWonFromAbove) {
  auto book = money_book();
  const std::pair<const char*, int64_t> sectors[] = {{"HOUSING", 15'600'000'000},
                                                     {"AGRICULTURE", 10'100'000'000},
                                                     {"SOCIAL", 10'000'000'000},
                                                     {"SETTLEMENT", 8'400'000'000}};
  int64_t total = 0;
  for (const auto& [sector, fen] : sectors) {
    book.given(with(open_line(sector, SOURCE_KIND_WON), [&](auto& c) { c.set_sector(sector); }),
               record_arrival(std::string("arrival ") + sector, sector, fen));
    total += book.row<FundLine>(id(sector)).arrived_fen();
  }
  EXPECT_EQ(total, 44'100'000'000);
}

TEST(RecordBudget, RaisesBudgetedAndFreezesTheBalances) {
  auto book = money_book();
  book.given(open_line("J")).when(record_budget("b", "J", 500)).accepted();
  EXPECT_EQ(book.event<BudgetRecorded>().balances().budgeted_fen(), 500);
  EXPECT_EQ(book.row<FundLine>(id("J")).budgeted_fen(), 500);
  EXPECT_EQ(book.row<FundLine>(id("J")).version(), book.last_seq());
  EXPECT_EQ(book.row<FundLine>(id("J")).issued_budgets(), 1);
}

TEST(RecordBudget, OfAPlanNeverRaisesBudgeted) {
  auto book = money_book();
  book.given(open_line("J")).when(record_budget("b", "J", 500, BUDGET_NATURE_PLAN)).accepted();
  EXPECT_EQ(book.event<BudgetRecorded>().balances().budgeted_fen(), 0);
  EXPECT_EQ(book.row<FundLine>(id("J")).budgeted_fen(), 0);
  EXPECT_EQ(book.row<FundLine>(id("J")).planned_fen(), 500);
  EXPECT_EQ(book.row<FundLine>(id("J")).issued_budgets(), 0);
}

TEST(RecordBudget, NeedsADocumentAndAnAmount) {
  auto book = money_book();
  book.given(open_line("J"));
  book.when(with(record_budget("b", "J", 1), [](auto& c) { c.clear_document(); }))
      .refused(COMMON_REFUSAL_DOCUMENT_REQUIRED, "document");
  book.when(record_budget("b", "J", 0)).refused(COMMON_REFUSAL_AMOUNT_NOT_POSITIVE, "amount_fen");
  book.when(record_budget("b", "J", 1'000'000'000'000'001))
      .refused(COMMON_REFUSAL_FIELD_INVALID, "amount_fen");
}

TEST(RecordBudget, NeedsItsLineBeforeAnythingElse) {
  money_book()
      .expecting_version(7)
      .when(record_budget("b", "nowhere", 500))
      .refused(FUNDS_REFUSAL_FUND_LINE_NOT_FOUND, "fund_line_id");
}

TEST(RecordBudget, IsRefusedAStaleVersionBeforeAWrongDate) {
  auto book = money_book();
  book.on(20170301).given(open_line("J")).on(20170228);
  book.expecting_version(99)
      .when(record_budget("b", "J", 500))
      .refused(COMMON_REFUSAL_VERSION_MISMATCH, "context.expected_version");
  book.expecting_version(book.row<FundLine>(id("J")).version())
      .when(record_budget("b", "J", 500))
      .refused(COMMON_REFUSAL_DATE_ORDER_INVALID, "context.effective_date");
}

RecordBudgetRequest heads(int64_t fen, const char* role, int count) {
  return with(record_budget("b", "J", fen), [&](auto& c) {
    c.mutable_per_head()->set_role(role);
    c.mutable_per_head()->set_heads(count);
  });
}

// 1,250,000 + 500,000 + 40,000 fen for each first secretary of the county.
TEST(RecordBudget, OfHeadsIsHeadsTimesTheRate) {
  auto book = money_book();
  book.given(open_line("J"));
  book.when(heads(3'579'999, "FIRST_SECRETARY", 2))
      .refused(FUNDS_REFUSAL_RATE_MISMATCH, "amount_fen");
  book.when(heads(3'580'000, "FIRST_SECRETARY", 2)).accepted();
  EXPECT_EQ(book.event<BudgetRecorded>().parameters_used(0).version(), 1);
}

TEST(RecordBudget, OfHeadsWithoutARatePassesAndSaysSo) {
  auto book = money_book();
  book.given(open_line("J")).when(heads(1, "TEAM_LEADER", 2)).accepted();
  ASSERT_EQ(book.event<BudgetRecorded>().parameters_used_size(), 1);
  EXPECT_EQ(book.event<BudgetRecorded>().parameters_used(0).version(), 0);
}

TEST(RecordBudget, OfHeadsCannotBeDecidedWhereTheRateIsNotDefined) {
  auto book = money_book();
  book.given(open_line("J")).given_row(unknown_parameter("budget.per_head"));
  book.when(heads(1, "TEAM_LEADER", 2)).refused(COMMON_REFUSAL_PARAMETER_MISSING, "per_head");
}

TEST(RecordBudget, OfHeadsOverTheCountingLimitIsAMismatch) {
  auto book = money_book();
  const int64_t most = 1'000'000'000'000'000;
  book.given(open_line("J"),
             parameter_set(
                 "budget.per_head", {{"role", "TEAM_LEADER"}},
                 items_value({most, most, most, most, most}, rules::v1::CALENDAR_PERIOD_YEAR), 2));
  book.when(heads(1, "TEAM_LEADER", 2'000'000'000))
      .refused(FUNDS_REFUSAL_RATE_MISMATCH, "amount_fen");
}

TEST(RecordBudget, BelowWhatHasArrivedIsRefusedAfterTheRate) {
  auto book = money_book();
  book.given(open_line("J"), record_arrival("a", "J", 3'580'001));
  book.when(heads(7, "FIRST_SECRETARY", 2)).refused(FUNDS_REFUSAL_RATE_MISMATCH, "amount_fen");
  book.when(heads(3'580'000, "FIRST_SECRETARY", 2))
      .refused(FUNDS_REFUSAL_ARRIVAL_EXCEEDS_BUDGET, "amount_fen");
  book.when(record_budget("b", "J", 3'580'001)).accepted();
}

TEST(RecordBudget, OverTheCountingLimitIsRefused) {
  auto book = money_book();
  book.given_row(line_row("full", kFull, kFull, 0));
  book.when(record_budget("b", "full", 11)).refused(COMMON_REFUSAL_FIELD_INVALID, "amount_fen");
  book.when(record_budget("p", "full", 11, BUDGET_NATURE_PLAN))
      .refused(COMMON_REFUSAL_FIELD_INVALID, "amount_fen");
  book.when(record_budget("b", "full", 10)).accepted();
  EXPECT_EQ(book.row<FundLine>(id("full")).budgeted_fen(), std::numeric_limits<int64_t>::max());
}

TEST(RecordFundsArrival, RaisesArrivedAndFreezesTheBalances) {
  auto book = money_book();
  book.given(open_line("J")).when(record_arrival("a", "J", 700)).accepted();
  EXPECT_EQ(book.event<FundsArrived>().balances().arrived_fen(), 700);
  EXPECT_EQ(book.event<FundsArrived>().balances().cash_fen(), 700);
  EXPECT_EQ(book.row<FundLine>(id("J")).arrived_fen(), 700);
  EXPECT_EQ(book.row<FundLine>(id("J")).version(), book.last_seq());
  EXPECT_EQ(book.row<BankReference>("a").arrival_id(), id("a"));
}

TEST(RecordFundsArrival, NeedsItsLineBeforeAnythingElse) {
  money_book()
      .expecting_version(7)
      .when(record_arrival("a", "nowhere", 700))
      .refused(FUNDS_REFUSAL_FUND_LINE_NOT_FOUND, "fund_line_id");
}

TEST(RecordFundsArrival, IsRefusedAStaleVersionThenAWrongDateThenARepeatedReceipt) {
  auto book = money_book();
  book.on(20170301).given(open_line("J"), record_arrival("a", "J", 700, 20170301));
  auto again = record_arrival("b", "J", 700, 20170228);
  again.set_bank_reference("a");
  book.expecting_version(1).when(again).refused(COMMON_REFUSAL_VERSION_MISMATCH,
                                                "context.expected_version");
  book.when(again).refused(COMMON_REFUSAL_DATE_ORDER_INVALID, "date");
  *again.mutable_date() = date_of(20170301);
  book.when(again).refused(FUNDS_REFUSAL_RECEIPT_REPEATED, "bank_reference");
}

TEST(RecordFundsArrival, OfOneReceiptCountsOnceInTheWholeLedger) {
  auto book = money_book();
  book.given(open_line("J"), open_line("K"), record_arrival("a", "J", 700));
  book.when(with(record_arrival("b", "K", 1), [](auto& c) { c.set_bank_reference("a"); }))
      .refused(FUNDS_REFUSAL_RECEIPT_REPEATED, "bank_reference");
}

TEST(RecordFundsArrival, OfARepeatedReceiptIsToldThatBeforeTheBudget) {
  auto book = money_book();
  book.given(open_line("J"), record_budget("b", "J", 700), record_arrival("a", "J", 700));
  book.when(with(record_arrival("c", "J", 1), [](auto& c) { c.set_bank_reference("a"); }))
      .refused(FUNDS_REFUSAL_RECEIPT_REPEATED, "bank_reference");
}

TEST(RecordFundsArrival, AboveTheIssuedBudgetIsRefused) {
  auto book = money_book();
  book.given(open_line("J"), record_budget("b", "J", 700), record_arrival("a", "J", 500));
  book.when(record_arrival("c", "J", 201))
      .refused(FUNDS_REFUSAL_ARRIVAL_EXCEEDS_BUDGET, "amount_fen");
  book.when(record_arrival("d", "J", 200)).accepted();
}

TEST(RecordFundsArrival, AboveAPlanIsFine) {
  auto book = money_book();
  book.given(open_line("J"), record_budget("b", "J", 700, BUDGET_NATURE_PLAN));
  book.when(record_arrival("a", "J", 701)).accepted();
}

TEST(RecordFundsArrival, OverTheCountingLimitIsRefused) {
  auto book = money_book();
  book.given_row(line_row("full", 0, 0, kFull));
  book.when(record_arrival("a", "full", 11)).refused(COMMON_REFUSAL_FIELD_INVALID, "amount_fen");
  book.given_row(line_row("issued", kFull, 0, kFull));
  book.when(record_arrival("a", "issued", 11))
      .refused(FUNDS_REFUSAL_ARRIVAL_EXCEEDS_BUDGET, "amount_fen");
}

TEST(RecordFundsArrival, OfAnAssetsIncomeIsNotYetKnown) {
  auto book = money_book();
  book.given(open_line("J"));
  book.when(with(record_arrival("a", "J", 1), [](auto& c) { c.set_asset_income_id(id("income")); }))
      .refused(COMMON_REFUSAL_SUBJECT_NOT_FOUND, "asset_income_id");
}

TEST(RecordFundsArrival, NamesItsDonor) {
  auto book = money_book();
  book.given(open_line("J"));
  book.when(with(record_arrival("a", "J", 1),
                 [](auto& c) {
                   *c.mutable_donor() = subject(common::v1::SUBJECT_KIND_ORGANISATION, id("firm"));
                   c.set_donor_class("ENTERPRISE");
                 }))
      .accepted();
  EXPECT_EQ(book.event<FundsArrived>().donor().id(), id("firm"));
}

// T-15: two unit funds keep two balances.
TEST(RecordFundsArrival, KeepsTheBalancesOfTwoFundsApart) {
  auto book = money_book();
  book.given(open_line("F1", SOURCE_KIND_SPECIAL_HELP_FUND),
             open_line("F2", SOURCE_KIND_SPECIAL_HELP_FUND), record_arrival("a1", "F1", 50'000'000),
             record_arrival("a2", "F2", 50'000'000));
  EXPECT_EQ(book.row<FundLine>(id("F1")).arrived_fen(), 50'000'000);
  EXPECT_EQ(book.row<FundLine>(id("F2")).arrived_fen(), 50'000'000);
}

}  // namespace
}  // namespace taizhang::test
