// Why something stood in the household file on a day: each shape in which its rows say their days.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "platform/projection/view_fixture.h"
#include "projections/common/test_events.h"
#include "projections/common/test_explain.h"
#include "projections/household_file/household_file.h"

namespace taizhang::household_file {
namespace {

using namespace events;  // NOLINT: a vocabulary for tests
using views::v1::ExplainRequest;
using views::v1::ExplainResponse;

class ExplainOnADay : public ::testing::Test {
 protected:
  ExplainOnADay() {
    book.commit(20170501, household_registered(1), person_registered(10, "甲"),  // 1, 2
                member_added(1, 10, "0", true));                                 // 3
    book.commit(20170502, status_loaded(1, {{"POOR", 20140101, 20161230}}));     // 4
    book.commit(20170503, household_registered(2));                              // 5
  }

  ExplainRequest why(int32_t day, const std::string& table, const std::vector<std::string>& key,
                     const std::string& field) const {
    return testing::on(day, testing::why("household_file", table, key, field));
  }
  std::string told(int32_t day, const std::string& table, const std::vector<std::string>& key,
                   const std::string& field) {
    return testing::told(book.ask<ExplainResponse>(why(day, table, key, field)));
  }

  ViewFixture book{household_file_view()};
};

TEST_F(ExplainOnADay, AnEntryFromDayToDay) {
  book.commit(20170601, status_loaded(1, {{"LIFTED", 20161231}}));  // 6
  const auto status = [&](int32_t day) {
    return told(day, "household", {household_id(1)}, "statuses.status");
  };
  EXPECT_EQ(status(20131231), " by");
  EXPECT_EQ(status(20140101), "POOR by 4");
  EXPECT_EQ(status(20161230), "POOR by 4");
  EXPECT_EQ(status(20161231), "LIFTED by 6");
}

TEST_F(ExplainOnADay, AnEntryUntilTheNextHasBegun) {
  book.commit(20180101, member_added(2, 10, "1"));  // 6
  const auto of_household = [&](int32_t day) {
    return told(day, "person", {person_id(10)}, "memberships.household_id");
  };
  EXPECT_EQ(of_household(20170430), " by");
  EXPECT_EQ(of_household(20170501), household_id(1) + " by 3");
  EXPECT_EQ(of_household(20171231), household_id(1) + " by 3");
  EXPECT_EQ(of_household(20180101), household_id(2) + " by 3 6");
}

TEST_F(ExplainOnADay, FactsOfADay) {
  book.commit(20170601, issue_raised(1, household(1)));           // 6
  book.commit(20170701, issue_assigned(1, 20170801, worker(1)));  // 7
  book.commit(20170901, issue_resolved(1));                       // 8
  const auto states = [&](int32_t day) { return told(day, "issue", {issue_id(1)}, "steps.state"); };
  EXPECT_EQ(states(20170630), " by");
  EXPECT_EQ(states(20170701), "ISSUE_STATE_ASSIGNED by 7");
  EXPECT_EQ(states(20170831), "ISSUE_STATE_ASSIGNED by 7");
  EXPECT_EQ(states(20170901), "ISSUE_STATE_ASSIGNED; ISSUE_STATE_RESOLVED by 7 8");
  const auto timeline = [&](int32_t day) {
    return told(day, "timeline", {household_id(1)}, "count");
  };
  EXPECT_EQ(timeline(20170630), "4 by 1 3 4 6");
  EXPECT_EQ(timeline(20170901), "6 by 1 3 4 6 7 8");
}

TEST_F(ExplainOnADay, RowsThatHoldFromDayToDay) {
  book.commit(20170601, pairing_started(1, 20170601, worker(1), household(1)));  // 6
  book.commit(20170701, pairing_started(2, 20170701, worker(1), household(2)));  // 7
  book.commit(20180101,
              pairing_ended(1, 20171231, assistance::v1::PAIRING_END_CAUSE_TERM_ENDED));  // 8
  const auto open = [&](int32_t day) { return told(day, "pairing", {}, "count"); };
  EXPECT_EQ(open(20170531), "0 by");
  EXPECT_EQ(open(20170601), "1 by 6");
  EXPECT_EQ(open(20171231), "2 by 6 7");
  EXPECT_EQ(open(20180101), "1 by 6 7 8");
  EXPECT_EQ(told(20170502, "household", {}, "count"), "1 by 1");
  EXPECT_EQ(told(20170503, "household", {}, "count"), "2 by 1 5");
}

TEST_F(ExplainOnADay, WhatHasNoDaysIsRefusedByName) {
  const auto refusal = [&](const std::string& table, const std::vector<std::string>& key,
                           const std::string& field) {
    const auto error = book.ask_error(why(20170601, table, key, field));
    EXPECT_EQ(error.code, kInvalidArgument);
    EXPECT_EQ(error.violations.size(), 1U);
    return error.violations.empty() ? "" : error.violations[0].description;
  };
  // The head may have changed since; the row has only the newest.
  EXPECT_EQ(refusal("household", {household_id(1)}, "head_person_id"),
            "table household, head_person_id: these rows do not say of which days it is");
  EXPECT_EQ(refusal("by_place", {"990101100"}, "count"),
            "table by_place, count: these rows do not say of which days it is");
  EXPECT_EQ(
      refusal("timeline", {household_id(1), "2017-05-01", "1"}, "detail.pairing_ended.cause"),
      "table timeline, detail.pairing_ended.cause: these rows do not say of which days it is");
}

}  // namespace
}  // namespace taizhang::household_file
