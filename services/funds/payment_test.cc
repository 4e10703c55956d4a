// Spending directly: three events in one commit, and every floor under it.
#include <limits>

#include "domain/uuid.h"
#include "taizhang/common/v1/errors.pb.h"
#include "taizhang/funds/v1/errors.pb.h"
#include "taizhang/funds/v1/events.pb.h"
#include "tests/support/funds_commands.h"

namespace taizhang::test {
namespace {

using funds::state::v1::Allocation;
using funds::state::v1::BalanceByUnitVillage;
using funds::state::v1::Commitment;
using funds::state::v1::FundLine;
using funds::state::v1::Payment;
using namespace funds::v1;
using common::v1::COMMON_REFUSAL_DATE_ORDER_INVALID;
using common::v1::COMMON_REFUSAL_FIELD_INVALID;
using common::v1::COMMON_REFUSAL_FIELD_REQUIRED;
using common::v1::COMMON_REFUSAL_LEDGER_KIND_NOT_ALLOWED;
using common::v1::COMMON_REFUSAL_PARAMETER_MISSING;
using common::v1::COMMON_REFUSAL_SAME_ACTOR;
using common::v1::COMMON_REFUSAL_UNIT_MISMATCH;
using common::v1::COMMON_REFUSAL_VERSION_MISMATCH;
using common::v1::UNIT_HOUSEHOLD;
using common::v1::UNIT_MU;
using common::v1::UNIT_PERSON;

// Line J, self-raised, open from 2017-01-01, with this much on it.
Scenario funded(int64_t fen = 20'000'000) {
  auto book = money_book();
  book.given(open_line("J"), record_arrival("a", "J", fen));
  return book;
}

void expect_line(Scenario& book, std::string_view name, int64_t arrived, int64_t paid) {
  const auto& line = book.row<FundLine>(id(name));
  EXPECT_EQ(line.arrived_fen(), arrived);
  EXPECT_EQ(line.allocated_fen(), paid);
  EXPECT_EQ(line.committed_fen(), paid);
  EXPECT_EQ(line.paid_fen(), paid);
}

TEST(SpendDirectly, AllocatesCommitsAndPaysInOneCommitFreezingTheBalances) {
  auto book = funded(1'000);
  book.given(spend("earlier", "J", 100)).when(spend("p", "J", 300)).accepted();
  ASSERT_EQ(book.event_count(), 3);

  const auto& allocated = book.event<FundsAllocated>();
  EXPECT_EQ(allocated.allocation_id(), uuid_v5(id("p"), "allocation"));
  EXPECT_EQ(allocated.payment_id(), id("p"));
  EXPECT_EQ(allocated.village(), kVillageJ);
  EXPECT_EQ(allocated.balances().allocated_fen(), 400);
  EXPECT_EQ(allocated.balances().committed_fen(), 100);
  EXPECT_EQ(allocated.balances().cash_fen(), 900);

  const auto& committed = book.event<FundsCommitted>();
  EXPECT_EQ(committed.commitment_id(), uuid_v5(id("p"), "commitment"));
  ASSERT_EQ(committed.parts_size(), 1);
  EXPECT_EQ(committed.parts(0).allocation_id(), allocated.allocation_id());
  EXPECT_EQ(committed.parts(0).amount_fen(), 300);
  EXPECT_FALSE(committed.has_computed_fen());
  EXPECT_EQ(committed.parameters_used_size(), 0);
  EXPECT_EQ(committed.balances().committed_fen(), 400);
  EXPECT_EQ(committed.balances().paid_fen(), 100);

  const auto& disbursed = book.event<FundsDisbursed>();
  EXPECT_EQ(disbursed.fund_line_id(), id("J"));
  EXPECT_EQ(disbursed.amount_fen(), 300);
  EXPECT_EQ(disbursed.village(), kVillageJ);
  EXPECT_EQ(disbursed.parameters_used(0).key(), "funds.direct_spending");
  EXPECT_EQ(disbursed.balances().budgeted_fen(), 0);
  EXPECT_EQ(disbursed.balances().arrived_fen(), 1'000);
  EXPECT_EQ(disbursed.balances().paid_fen(), 400);
  EXPECT_EQ(disbursed.balances().cash_fen(), 600);
}

TEST(SpendDirectly, LeavesRowsOfEveryStepAndTheLinesVersion) {
  auto book = funded(1'000);
  book.given(spend("p", "J", 300));
  expect_line(book, "J", 1'000, 300);
  EXPECT_EQ(book.row<FundLine>(id("J")).version(), book.last_seq());
  const auto allocation_id = uuid_v5(id("p"), "allocation");
  const auto commitment_id = uuid_v5(id("p"), "commitment");
  EXPECT_EQ(book.row<Allocation>(allocation_id).committed_fen(), 300);
  EXPECT_EQ(book.row<Commitment>(commitment_id).paid_fen(), 300);
  EXPECT_EQ(book.row<Payment>(id("p")).commitment_id(), commitment_id);
  EXPECT_EQ(book.row<Payment>(id("p")).paid_day(), 20170731);
  EXPECT_EQ(book.row<BalanceByUnitVillage>(id("unit"), kVillageJ).paid_fen(), 300);
}

TEST(SpendDirectly, CountsAGroupForItsVillageAndATownForNone) {
  auto book = funded(1'000);
  book.given(
      with(spend("p", "J", 300), [](auto& c) { c.set_region(std::string(kVillageJ) + "001"); }),
      with(spend("q", "J", 200), [](auto& c) { c.set_region(std::string(kTown)); }));
  EXPECT_EQ(book.row<BalanceByUnitVillage>(id("unit"), kVillageJ).paid_fen(), 300);
  EXPECT_EQ(book.row<BalanceByUnitVillage>(id("unit"), "").paid_fen(), 200);
  EXPECT_EQ(book.row<Payment>(id("q")).village(), "");
}

TEST(SpendDirectly, NeedsATargetAndAPayee) {
  auto book = funded();
  book.when(with(spend("p", "J", 1), [](auto& c) { c.clear_region(); }))
      .refused(COMMON_REFUSAL_FIELD_REQUIRED, "region");
  book.when(with(spend("p", "J", 1), [](auto& c) { c.set_project_id(""); }))
      .refused(COMMON_REFUSAL_FIELD_REQUIRED, "project_id");
  book.when(with(spend("p", "J", 1), [](auto& c) { c.mutable_payee()->clear_payee(); }))
      .refused(COMMON_REFUSAL_FIELD_REQUIRED, "payee.subject");
  book.when(with(spend("p", "J", 1),
                 [](auto& c) {
                   *c.mutable_payee()->mutable_subject() =
                       subject(common::v1::SUBJECT_KIND_FUND_LINE, id("J"));
                 }))
      .refused(COMMON_REFUSAL_FIELD_INVALID, "payee.subject.kind");
}

TEST(SpendDirectly, PaysALabelAsPrinted) {
  auto book = funded();
  book.when(with(spend("p", "J", 1),
                 [](auto& c) {
                   c.mutable_payee()->mutable_label()->set_text("某苗圃");
                   c.mutable_payee()->mutable_label()->set_masked(true);
                 }))
      .accepted();
  EXPECT_TRUE(book.event<FundsDisbursed>().payee().label().masked());
}

TEST(SpendDirectly, IsForCountiesOnly) {
  auto book = funded();
  book.given(region_created("9901"))
      .in_ledger("990100", common::v1::LEDGER_KIND_PREFECTURE)
      .when(spend("p", "J", 1))
      .refused(COMMON_REFUSAL_LEDGER_KIND_NOT_ALLOWED, "ledger");
}

TEST(SpendDirectly, NeedsItsLineBeforeAnythingElse) {
  funded()
      .expecting_version(99)
      .when(spend("p", "nowhere", 1))
      .refused(FUNDS_REFUSAL_FUND_LINE_NOT_FOUND, "fund_line_id");
}

// A payment that breaks every rule there is; each test puts right what comes first.
SpendDirectlyRequest all_wrong() {
  auto command = spend("p", "J", 999'999'999, 20161231);
  command.clear_evidence();
  command.set_project_id(id("project"));
  command.set_purpose("OFFICE");
  command.mutable_price()->set_item("TERRACE");
  command.mutable_price()->set_unit_price_fen(49'999);
  *command.mutable_price()->mutable_quantity() = quantity(1, UNIT_PERSON);
  return command;
}

TEST(SpendDirectly, IsRefusedInTheOrderOfItsRow) {
  auto book = money_book();
  book.given(open_line("J", SOURCE_KIND_WON), record_arrival("a", "J", 1'000'000));
  book.as("approver", id("approver"));
  auto command = all_wrong();
  book.expecting_version(99).when(command).refused(COMMON_REFUSAL_VERSION_MISMATCH,
                                                   "context.expected_version");
  book.when(command).refused(COMMON_REFUSAL_SAME_ACTOR, "approved_by");
  book.as("clerk", id("checker"));
  book.when(command).refused(COMMON_REFUSAL_DATE_ORDER_INVALID, "paid_date");
  *command.mutable_paid_date() = date_of(20170101);
  book.when(command).refused(COMMON_REFUSAL_UNIT_MISMATCH, "price.quantity.unit");
  command.mutable_price()->mutable_quantity()->set_unit(UNIT_MU);
  book.when(command).refused(FUNDS_REFUSAL_DIRECT_SPENDING_NOT_ALLOWED, "fund_line_id");

  book.given(open_line("S"), record_arrival("b", "S", 1'000'000));
  command.set_fund_line_id(id("S"));
  book.when(command).refused(FUNDS_REFUSAL_PROJECT_NOT_FOUND, "project_id");
  command.set_region(std::string(kVillageJ));
  book.when(command).refused(FUNDS_REFUSAL_PURPOSE_NOT_ALLOWED, "purpose");
  command.set_purpose("TERRACE");
  book.when(command).refused(FUNDS_REFUSAL_PRICE_MISMATCH, "amount_fen");
  command.mutable_price()->mutable_quantity()->set_milli(40'000'000);
  command.set_amount_fen(49'999 * 40'000);
  book.when(command).refused(FUNDS_REFUSAL_RATE_MISMATCH, "price.unit_price_fen");
  command.mutable_price()->set_unit_price_fen(50'000);
  command.set_amount_fen(50'000 * 40'000);
  book.when(command).refused(FUNDS_REFUSAL_EVIDENCE_MISSING, "evidence");
  *command.add_evidence() = document("receipt");
  book.when(command).refused(FUNDS_REFUSAL_LINE_NOT_FUNDED, "amount_fen");
  book.given(record_arrival("c", "S", 2'000'000'000)).when(command).accepted();
}

TEST(SpendDirectly, CannotBeDecidedWhereNobodySaidWhetherTheSourceMayBeSpent) {
  auto book = money_book();
  book.given(open_line("D", SOURCE_KIND_DONATION), record_arrival("a", "D", 100));
  book.when(with(spend("p", "D", 1), [](auto& c) { c.set_project_id(id("project")); }))
      .refused(COMMON_REFUSAL_PARAMETER_MISSING, "fund_line_id");
}

TEST(SpendDirectly, CannotBeDecidedWhereARateIsNotDefined) {
  auto book = funded();
  book.given_row(unknown_parameter("rate.amount"));
  book.when(with(spend_at("p", "J", "TERRACE", 50'000, quantity(1, UNIT_MU)),
                 [](auto& c) { c.clear_evidence(); }))
      .refused(COMMON_REFUSAL_PARAMETER_MISSING, "price");
}

TEST(SpendDirectly, MayBeApprovedByOneselfWithTheRightAndShowsIt) {
  auto book = funded();
  book.as("approver", id("approver"))
      .when(spend("p", "J", 1))
      .refused(COMMON_REFUSAL_SAME_ACTOR, "approved_by");
  book.with_rights({"SELF_APPROVE"}).when(spend("p", "J", 1)).accepted().used_right("SELF_APPROVE");
}

// T-05: 300 mu at 50,000 fen.
TEST(SpendDirectly, MatchesPriceTimesQuantityToTheFen) {
  auto book = funded();
  const auto command = spend_at("p", "J", "TERRACE", 50'000, quantity(300, UNIT_MU));
  book.when(with(command, [](auto& c) { c.set_amount_fen(14'999'999); }))
      .refused(FUNDS_REFUSAL_PRICE_MISMATCH, "amount_fen");
  book.when(command).accepted();
  EXPECT_EQ(book.event<FundsDisbursed>().amount_fen(), 15'000'000);
  EXPECT_EQ(book.event<FundsCommitted>().computed_fen(), 15'000'000);
  EXPECT_EQ(book.event<FundsCommitted>().parameters_used(0).key(), "rate.amount");
  EXPECT_EQ(book.event<FundsCommitted>().parameters_used(0).value(), "EXACT 50000 per MU");
}

// T-06, the money of it: 3 persons and 9 households at 30,000.
TEST(SpendDirectly, GivesFestivalMoneyToPersonsAndHouseholds) {
  auto book = funded(360'000);
  auto persons = spend_at("p", "J", "FESTIVAL_GIFT_PERSON", 30'000, quantity(3, UNIT_PERSON));
  auto households =
      spend_at("q", "J", "FESTIVAL_GIFT_HOUSEHOLD", 30'000, quantity(9, UNIT_HOUSEHOLD));
  persons.set_purpose("FESTIVAL");
  households.set_purpose("FESTIVAL");
  book.given(persons, households);
  expect_line(book, "J", 360'000, 360'000);
  EXPECT_EQ(book.row<Payment>(id("p")).amount_fen(), 90'000);
  EXPECT_EQ(book.row<Payment>(id("q")).amount_fen(), 270'000);
}

// T-07: 10 households and 3 persons are two payments, never 13 of one unit.
TEST(SpendDirectly, NeverAddsHouseholdsToPersons) {
  auto book = funded(1'300'000);
  book.when(spend_at("x", "J", "STUDENT_AID_PERSON", 100'000, quantity(13, UNIT_HOUSEHOLD)))
      .refused(COMMON_REFUSAL_UNIT_MISMATCH, "price.quantity.unit");
  book.given(spend_at("p", "J", "STUDENT_AID_HOUSEHOLD", 100'000, quantity(10, UNIT_HOUSEHOLD)),
             spend_at("q", "J", "STUDENT_AID_PERSON", 100'000, quantity(3, UNIT_PERSON)));
  expect_line(book, "J", 1'300'000, 1'300'000);
}

// T-09: recorded in this order, paid in the other; the floor is on what is in the book.
TEST(SpendDirectly, RecordedLateCountsInRecordedOrder) {
  auto book = money_book();
  book.given(open_line("J"), record_budget("b", "J", 20'000'000, BUDGET_NATURE_PLAN),
             record_arrival("a", "J", 16'890'000),
             spend_at("p", "J", "TERRACE", 50'000, quantity(300, UNIT_MU)),
             spend("q", "J", 1'890'000, 20170320));
  expect_line(book, "J", 16'890'000, 16'890'000);
  EXPECT_EQ(book.row<Payment>(id("q")).paid_day(), 20170320);
  book.when(spend("r", "J", 1, 20171231)).refused(FUNDS_REFUSAL_LINE_NOT_FUNDED, "amount_fen");
}

TEST(SpendDirectly, MayPrecedeInDateTheMoneyThatIsInTheBook) {
  auto book = money_book();
  book.given(open_line("J"), record_arrival("a", "J", 100, 20170601));
  book.when(spend("p", "J", 100, 20170301)).accepted();
}

TEST(SpendDirectly, WithoutARateOfItsItemPassesAndSaysSo) {
  auto book = funded();
  book.when(spend_at("p", "J", "TOOL", 7, quantity(3, common::v1::UNIT_PIECE))).accepted();
  ASSERT_EQ(book.event<FundsCommitted>().parameters_used_size(), 1);
  EXPECT_EQ(book.event<FundsCommitted>().parameters_used(0).version(), 0);
  EXPECT_EQ(book.event<FundsCommitted>().computed_fen(), 21);
}

TEST(SpendDirectly, HoldsAMinimumAMaximumAndTheUnitOfARate) {
  const auto tool = [](std::string_view name, int64_t fen) {
    return spend_at(name, "J", "TOOL", fen, quantity(1, common::v1::UNIT_PIECE));
  };
  const auto with_rate = [](const rules::v1::ParameterValue& value) {
    auto book = funded();
    book.given(parameter_set("rate.amount", {{"item", "TOOL"}}, value, 6));
    return book;
  };
  auto least = with_rate(rate_value(100, common::v1::UNIT_PIECE, rules::v1::Rate::MODE_MIN));
  least.when(tool("p", 99)).refused(FUNDS_REFUSAL_RATE_MISMATCH, "price.unit_price_fen");
  least.given(tool("p", 100), tool("q", 101));
  auto most = with_rate(rate_value(100, common::v1::UNIT_PIECE, rules::v1::Rate::MODE_MAX));
  most.when(tool("p", 101)).refused(FUNDS_REFUSAL_RATE_MISMATCH, "price.unit_price_fen");
  most.given(tool("p", 100), tool("q", 99));
  with_rate(rate_value(100, common::v1::UNIT_COPY))
      .when(tool("p", 100))
      .refused(FUNDS_REFUSAL_RATE_MISMATCH, "price.unit_price_fen");
}

TEST(SpendDirectly, ComparesPricesBeyondTheCountingLimitExactly) {
  auto book = funded();
  auto command = spend_at("p", "J", "TOOL", 1, quantity(1, common::v1::UNIT_PIECE));
  command.mutable_price()->set_unit_price_fen(1'000'000'000'000'000);
  command.mutable_price()->mutable_quantity()->set_milli(1'000'000'000'000'000);
  book.when(command).refused(FUNDS_REFUSAL_PRICE_MISMATCH, "amount_fen");
}

TEST(SpendDirectly, OverTheCountingLimitOfAUnitAndVillageIsRefused) {
  auto book = funded();
  auto full = new_row<BalanceByUnitVillage>();
  full.set_org_id(id("unit"));
  full.set_village(std::string(kVillageJ));
  full.set_allocated_fen(std::numeric_limits<int64_t>::max());
  book.given_row(full).when(spend("p", "J", 1)).refused(COMMON_REFUSAL_FIELD_INVALID, "amount_fen");
}

}  // namespace
}  // namespace taizhang::test
