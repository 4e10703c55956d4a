// Visits that ended periods still owe.
#include <gtest/gtest.h>

#include <vector>

#include "projections/duties/duties_book.h"

namespace taizhang::duties {
namespace {

using namespace events;  // NOLINT: a vocabulary for tests
using rules::v1::CALENDAR_PERIOD_MONTH;
using rules::v1::CALENDAR_PERIOD_QUARTER;
using v1::OverdueRequest;
using v1::OverdueResponse;

class Overdue : public testing::Test, protected DutiesBook {
 protected:
  static std::vector<int32_t> period_ends(const OverdueResponse& response) {
    std::vector<int32_t> ends;
    for (const auto& row : response.rows()) ends.push_back(day_of(row.period_last()));
    return ends;
  }
};

TEST_F(Overdue, IsTheLastPeriodThatEndedUnvisited) {
  quarterly_home_visits();
  EXPECT_EQ(overdue(20170401).rows_size(),
            0);  // not owed: the pairing began inside the first quarter
  EXPECT_EQ(overdue(20170630).rows_size(), 0);  // the second has not ended
  const auto answer = overdue(20170701);
  ASSERT_EQ(answer.rows_size(), 1);
  EXPECT_EQ(day_of(answer.rows(0).period_first()), 20170401);
  EXPECT_EQ(day_of(answer.rows(0).judged_date()), 20170630);
  EXPECT_EQ(period_ends(overdue(20170930)), (std::vector<int32_t>{20170630}));
  EXPECT_EQ(period_ends(overdue(20171001)), (std::vector<int32_t>{20170930}));
}

TEST_F(Overdue, IsNotAPeriodThatWasVisited) {
  quarterly_home_visits();
  visit(1, 20170630);
  EXPECT_EQ(overdue(20170701).rows_size(), 0);
  EXPECT_EQ(overdue(20171001).rows_size(), 1);
}

TEST_F(Overdue, SinceListsEveryEndedPeriodLatestFirst) {
  quarterly_home_visits();
  visit(1, 20170815);
  EXPECT_EQ(period_ends(overdue(20180401, 20170101)),
            (std::vector<int32_t>{20180331, 20171231, 20170630}));
  EXPECT_EQ(period_ends(overdue(20180401, 20171231)), (std::vector<int32_t>{20180331, 20171231}));
  EXPECT_EQ(period_ends(overdue(20180331, 20180101)), (std::vector<int32_t>{}));
}

TEST_F(Overdue, JudgesEachPeriodByTheRuleOfItsLastDay) {
  quarterly_home_visits();
  auto monthly = frequency_set(2, 1, CALENDAR_PERIOD_MONTH, {{"category", "LIFTED"}}, 20170701);
  monthly.set_supersedes_version(1);
  book.commit(20170701, monthly);
  const auto answer = overdue(20170915, 20170101);
  EXPECT_EQ(period_ends(answer), (std::vector<int32_t>{20170831, 20170731, 20170630}));
  EXPECT_EQ(answer.rows(0).period(), CALENDAR_PERIOD_MONTH);
  EXPECT_EQ(answer.rows(2).period(), CALENDAR_PERIOD_QUARTER);
  // The last one: of a month while the quarter before July still counted as one.
  EXPECT_EQ(period_ends(overdue(20170715)), (std::vector<int32_t>{20170630}));
  EXPECT_EQ(period_ends(overdue(20170801)), (std::vector<int32_t>{20170731}));
}

TEST_F(Overdue, WithoutARuleIsSaidOnce) {
  book.commit(20120101, channels_set(1, {"HOME"}));
  const auto last = overdue(20171001);
  ASSERT_EQ(last.rows_size(), 1);
  EXPECT_EQ(last.rows(0).state(), v1::OBLIGATION_STATE_RULE_MISSING);
  EXPECT_EQ(day_of(last.rows(0).judged_date()), 20170930);
  EXPECT_FALSE(last.rows(0).has_required());
  EXPECT_EQ(overdue(20171001, 20170401).rows_size(), 1);
  book.commit(20170701, frequency_set(1, 1, CALENDAR_PERIOD_QUARTER, {}, 20170701));
  const auto since = overdue(20171001, 20170401);
  ASSERT_EQ(since.rows_size(), 2);
  EXPECT_EQ(since.rows(0).state(), v1::OBLIGATION_STATE_OWED);
  EXPECT_EQ(since.rows(1).state(), v1::OBLIGATION_STATE_RULE_MISSING);
  EXPECT_EQ(day_of(since.rows(1).judged_date()), 20170630);
}

TEST_F(Overdue, IsStillAskedOfAPairingThatHasEnded) {
  quarterly_home_visits();
  book.commit(20170930, pairing_ended(1, 20170930, assistance::v1::PAIRING_END_CAUSE_LIFTED));
  EXPECT_EQ(period_ends(overdue(20171115)), (std::vector<int32_t>{20170930}));
  EXPECT_EQ(period_ends(overdue(20180401, 20170101)), (std::vector<int32_t>{20170930, 20170630}));
}

TEST_F(Overdue, OfAPairingInErrorIsNothing) {
  quarterly_home_visits();
  book.commit(20170314, pairing_ended(1, 20170314, assistance::v1::PAIRING_END_CAUSE_IN_ERROR));
  EXPECT_EQ(overdue(20180401, 20170101).rows_size(), 0);
}

TEST_F(Overdue, PagesThroughThePeriodsOfOnePairing) {
  quarterly_home_visits();
  lift(2);
  pair(2, 20170315);
  OverdueRequest request;
  request.mutable_page()->set_page_size(2);
  std::vector<std::string> seen;
  for (;;) {
    const auto answer = overdue(20180401, 20170101, request);
    EXPECT_LE(answer.rows_size(), 2);
    for (const auto& row : answer.rows()) {
      seen.push_back(row.household_id() + " " + std::to_string(day_of(row.period_last())));
    }
    if (answer.next_page_token().empty()) break;
    request.mutable_page()->set_page_token(answer.next_page_token());
  }
  std::vector<std::string> expected;
  for (int household : {1, 2}) {
    for (const char* end : {"20180331", "20171231", "20170930", "20170630"}) {
      expected.push_back(household_id(household) + " " + end);
    }
  }
  EXPECT_EQ(seen, expected);
}

TEST_F(Overdue, SinceIsAtMostTenYearsBack) {
  auto request = on<OverdueRequest>(20180401);
  *request.mutable_since() = date_of(20080331);
  const auto error = book.ask_error(request);
  EXPECT_EQ(error.code, kInvalidArgument);
  ASSERT_EQ(error.violations.size(), 1U);
  EXPECT_EQ(error.violations[0].field, "since");
  *request.mutable_since() = date_of(20080401);
  EXPECT_EQ(book.ask<OverdueResponse>(request).rows_size(), 1);  // no rule has been set
}

}  // namespace
}  // namespace taizhang::duties
