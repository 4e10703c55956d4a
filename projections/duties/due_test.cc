// Visits that are due in the period of a day.
#include <gtest/gtest.h>

#include "projections/duties/duties_book.h"

namespace taizhang::duties {
namespace {

using namespace events;  // NOLINT: a vocabulary for tests
using rules::v1::CALENDAR_PERIOD_MONTH;
using rules::v1::CALENDAR_PERIOD_QUARTER;
using v1::DueRequest;

class Due : public testing::Test, protected DutiesBook {};

TEST_F(Due, IsOwedInAPeriodThatPairingAndStatusCover) {
  quarterly_home_visits();
  EXPECT_EQ(due(20170331).rows_size(), 0);  // the pairing began inside the quarter
  const auto answer = due(20170401);
  ASSERT_EQ(answer.rows_size(), 1);
  const auto& row = answer.rows(0);
  EXPECT_EQ(row.pairing_id(), pairing_id(1));
  EXPECT_EQ(row.state(), v1::OBLIGATION_STATE_OWED);
  EXPECT_EQ(row.helper().id(), worker_id(1));
  EXPECT_EQ(row.rank(), "STAFF");
  EXPECT_EQ(row.household_id(), household_id(1));
  EXPECT_EQ(row.region(), kVillage);
  EXPECT_EQ(row.status(), "LIFTED");
  EXPECT_EQ(row.period(), CALENDAR_PERIOD_QUARTER);
  EXPECT_EQ(day_of(row.period_first()), 20170401);
  EXPECT_EQ(day_of(row.period_last()), 20170630);
  EXPECT_EQ(row.required(), 1);
  ASSERT_TRUE(row.has_done());
  EXPECT_EQ(row.done(), 0);
  EXPECT_EQ(row.rule().value(), "1 per QUARTER");
  EXPECT_EQ(row.why(), "only rule");
}

TEST_F(Due, IsMetByAVisitOfAnybodyOnACountedChannelUpToTheDay) {
  quarterly_home_visits();
  visit(1, 20170420, 1, assistance::v1::VISIT_CHANNEL_PHONE);
  EXPECT_EQ(due(20170501).rows_size(), 1);
  visit(2, 20170510, 1, assistance::v1::VISIT_CHANNEL_HOME, 2);
  EXPECT_EQ(due(20170509).rows_size(), 1);
  EXPECT_EQ(due(20170510).rows_size(), 0);
  DueRequest all;
  all.set_include_met(true);
  const auto answer = due(20170510, all);
  ASSERT_EQ(answer.rows_size(), 1);
  EXPECT_EQ(answer.rows(0).state(), v1::OBLIGATION_STATE_MET);
  EXPECT_EQ(answer.rows(0).done(), 1);
  EXPECT_EQ(answer.rows(0).version(), book.last_seq());
  EXPECT_EQ(answer.rows(0).event_ids(answer.rows(0).event_ids_size() - 1),
            "990101/" + std::to_string(book.last_seq()));
  EXPECT_EQ(due(20170701).rows_size(), 1);  // the next quarter
}

TEST_F(Due, IsNotOwedByAPairingThatEndsInsideThePeriod) {
  quarterly_home_visits();
  book.commit(20170629, pairing_ended(1, 20170629, assistance::v1::PAIRING_END_CAUSE_LIFTED));
  EXPECT_EQ(due(20170501).rows_size(), 0);
}

TEST_F(Due, NeedsOneStatusForTheWholePeriod) {
  quarterly_home_visits();
  lift(2);
  book.commit(20170101, household_registered(3));
  book.commit(20170101, status_loaded(3, {{"LIFTED", 20161231, 20170515}, {"POOR", 20170516}}));
  pair(2, 20170101);
  pair(3, 20170101);
  book.commit(20170101, household_registered(4));  // no status is known
  pair(4, 20170101);
  DueRequest request;
  request.set_region(kVillage);
  EXPECT_EQ(due(20170501, request).rows_size(), 2);  // 1 and 2
}

// T-34.
TEST_F(Due, StricterRuleGovernsAndBothAreListed) {
  quarterly_home_visits();
  book.commit(20120101,
              frequency_set(2, 1, CALENDAR_PERIOD_MONTH, {{"helper_kind", "CADRE_HOUSEHOLD"}}));
  const auto answer = due(20170405);
  ASSERT_EQ(answer.rows_size(), 1);
  const auto& row = answer.rows(0);
  EXPECT_EQ(row.period(), CALENDAR_PERIOD_MONTH);
  EXPECT_EQ(day_of(row.period_last()), 20170430);
  EXPECT_EQ(row.rule().version(), 2);
  ASSERT_EQ(row.rules_matched_size(), 2);
  EXPECT_EQ(row.rules_matched(0).version(), 2);
  EXPECT_EQ(row.rules_matched(1).version(), 1);
  EXPECT_EQ(row.why(), "stricter: 12 > 4 a year");
}

TEST_F(Due, AsStrictIsGovernedByTheMoreSpecific) {
  quarterly_home_visits();
  book.commit(20120101, frequency_set(2, 1, CALENDAR_PERIOD_QUARTER, {{"rank", "STAFF"}}));
  const auto answer = due(20170405);
  EXPECT_EQ(answer.rows(0).rule().version(), 2);
  EXPECT_EQ(answer.rows(0).why(), "more specific");
}

TEST_F(Due, RuleOfRankAndRegionIsForThemOnly) {
  book.commit(
      20120101, channels_set(1, {"HOME"}),
      frequency_set(1, 2, CALENDAR_PERIOD_QUARTER, {{"rank", "SECTION"}, {"region", "990101100"}}));
  lift(2);
  pair(2, 20170101, 2);
  lift(3, "990101101201");
  pair(3, 20170101, 2);
  const auto answer = due(20170501);
  ASSERT_EQ(answer.rows_size(), 3);
  EXPECT_EQ(answer.rows(0).state(), v1::OBLIGATION_STATE_RULE_MISSING);  // rank STAFF
  EXPECT_EQ(answer.rows(1).required(), 2);
  EXPECT_EQ(answer.rows(2).state(), v1::OBLIGATION_STATE_RULE_MISSING);  // another township
}

TEST_F(Due, WithoutARuleSaysSoAndStatesNoFigure) {
  book.commit(20120101, channels_set(1, {"HOME"}));
  const auto answer = due(20170501);
  ASSERT_EQ(answer.rows_size(), 1);
  EXPECT_EQ(answer.rows(0).state(), v1::OBLIGATION_STATE_RULE_MISSING);
  EXPECT_EQ(answer.rows(0).missing_key(), "visit.frequency");
  EXPECT_FALSE(answer.rows(0).has_required());
  EXPECT_FALSE(answer.rows(0).has_done());
}

TEST_F(Due, WithoutARuleOfChannelsCannotCountAVisit) {
  book.commit(20120101, frequency_set(1, 1, CALENDAR_PERIOD_QUARTER));
  EXPECT_EQ(due(20170501).rows(0).state(),
            v1::OBLIGATION_STATE_OWED);  // there is no visit to judge
  visit(1, 20170502);
  const auto answer = due(20170502);
  ASSERT_EQ(answer.rows_size(), 1);
  EXPECT_EQ(answer.rows(0).state(), v1::OBLIGATION_STATE_RULE_MISSING);
  EXPECT_EQ(answer.rows(0).missing_key(), "visit.channels_counted");
  EXPECT_EQ(answer.rows(0).undecided(), 1);
}

TEST_F(Due, JudgesAChannelByTheRuleOfTheVisitsDay) {
  book.commit(20120101, frequency_set(1, 1, CALENDAR_PERIOD_QUARTER));
  book.commit(20120101, channels_set(1, {"HOME", "PHONE"}));
  auto later = channels_set(2, {"HOME"}, 20170501);
  later.set_supersedes_version(1);
  book.commit(20170501, later);
  visit(1, 20170430, 1, assistance::v1::VISIT_CHANNEL_PHONE);
  EXPECT_EQ(due(20170601).rows_size(), 0);
  visit(2, 20170801, 1, assistance::v1::VISIT_CHANNEL_PHONE);
  EXPECT_EQ(due(20170801).rows_size(), 1);
}

TEST_F(Due, JudgesByTheRuleOfTheEffectiveDate) {
  quarterly_home_visits();
  auto later = frequency_set(2, 1, CALENDAR_PERIOD_MONTH, {{"category", "LIFTED"}}, 20170701);
  later.set_supersedes_version(1);
  book.commit(20170701, later);
  EXPECT_EQ(due(20170630).rows(0).period(), CALENDAR_PERIOD_QUARTER);
  EXPECT_EQ(due(20170701).rows(0).period(), CALENDAR_PERIOD_MONTH);
}

TEST_F(Due, FiltersByRegionAndHelper) {
  quarterly_home_visits();
  lift(2, kOtherVillage);
  pair(2, 20170101, 2);
  const auto count = [&](const std::string& region, int worker_number) {
    DueRequest request;
    request.set_region(region);
    if (worker_number != 0) *request.mutable_helper() = worker(worker_number);
    return due(20170501, request).rows_size();
  };
  EXPECT_EQ(count("", 0), 2);
  EXPECT_EQ(count("990101", 0), 2);
  EXPECT_EQ(count("990101100", 0), 2);
  EXPECT_EQ(count(kOtherVillage, 0), 1);
  EXPECT_EQ(count("990102", 0), 0);
  EXPECT_EQ(count("", 2), 1);
  EXPECT_EQ(count(kOtherVillage, 2), 1);
  EXPECT_EQ(count(kVillage, 2), 0);
  EXPECT_EQ(count("", 3), 0);
}

TEST_F(Due, VoidedVisitIsAbsentOnceTheVoidIsInsideAsOf) {
  quarterly_home_visits();
  visit(1, 20170420);
  const int64_t before = book.last_seq();
  const int64_t before_time_us = book.last_recorded_time_us();
  book.commit(20170525, visit_voided(1));
  ASSERT_EQ(due(20170501).rows_size(), 1);
  EXPECT_EQ(due(20170501).rows(0).version(), book.last_seq());
  DueRequest request;
  request.mutable_read()->set_seq(before);
  EXPECT_EQ(due(20170501, request).rows_size(), 0);
  request.mutable_read()->mutable_recorded_time()->set_seconds(before_time_us / 1'000'000);
  EXPECT_EQ(due(20170501, request).rows_size(), 0);
}

// T-33: here with the pages a caller needs for it.
TEST_F(Due, Of567HouseholdsPagesWithoutGapOrRepeat) {
  quarterly_home_visits();
  for (int n = 2; n <= 567; ++n) {
    lift(n);
    pair(n, 20170315);
  }
  DueRequest request;
  request.mutable_page()->set_page_size(100);
  int rows = 0;
  int64_t required = 0;
  std::string last;
  for (;;) {
    const auto answer = due(20170401, request);
    for (const auto& row : answer.rows()) {
      EXPECT_LT(last, row.household_id());
      last = row.household_id();
      ++rows;
      required += row.required();
    }
    if (answer.next_page_token().empty()) break;
    request.mutable_page()->set_page_token(answer.next_page_token());
  }
  EXPECT_EQ(rows, 567);
  EXPECT_EQ(required, 567);
  for (int n = 1; n <= 567; ++n) {
    if (n % 100 != 0) visit(n, 20170515, n);
  }
  const auto overdue = this->overdue(20170701);
  ASSERT_EQ(overdue.rows_size(), 5);
  EXPECT_EQ(overdue.rows(0).household_id(), household_id(100));
  EXPECT_EQ(overdue.rows(4).household_id(), household_id(500));
}

}  // namespace
}  // namespace taizhang::duties
