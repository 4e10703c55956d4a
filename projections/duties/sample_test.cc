// The sample book of slice 1 §8, as far as duties go: 38 households of one village, helped from
// 2017-06-01 by a worker of each of three units, all loaded LIFTED; round 1 of visits in June,
// round 2 in August with two by telephone.
#include <gtest/gtest.h>

#include "projections/duties/duties_book.h"

namespace taizhang::duties {
namespace {

using namespace events;  // NOLINT: a vocabulary for tests
using v1::PairingsRequest;
using v1::PairingsResponse;
using v1::VisitsByPeriodRequest;
using v1::VisitsByPeriodResponse;

class SampleBook : public testing::Test {
 protected:
  SampleBook() : book(duties_view()) {
    book.commit(20120101, frequency_defined(), channels_defined());
    book.commit(20120101,
                frequency_set(1, 1, rules::v1::CALENDAR_PERIOD_QUARTER, {{"category", "LIFTED"}}));
    book.commit(20120101, channels_set(1, {"HOME"}));
    for (int n = 1; n <= 3; ++n)
      book.commit(20120101, worker_registered(n, "STAFF", kOtherVillage));
    book.commit(20120101, worker_registered(4, "UNIT_HEAD", kOtherVillage));
    for (int n = 1; n <= 38; ++n) {
      book.commit(20170501, household_registered(n, kOtherVillage));
      book.commit(20170501, status_loaded(n, {{"LIFTED", 20161231}}));
      const int helper = n <= 16 ? 1 : n <= 28 ? 2 : 3;
      book.commit(20170601, pairing_started(n, 20170601, worker(helper), household(n)));
      book.commit(20170610, visit_recorded(n, 20170610, household(n), helper));
      book.commit(20170815, visit_recorded(100 + n, 20170815, household(n), helper,
                                           n <= 36 ? assistance::v1::VISIT_CHANNEL_HOME
                                                   : assistance::v1::VISIT_CHANNEL_PHONE));
    }
    const auto village = subject(common::v1::SUBJECT_KIND_VILLAGE, kOtherVillage);
    book.commit(20170605, visit_recorded(200, 20170605, village, 4));
    for (int n : {51, 52}) {
      const auto branch = subject(common::v1::SUBJECT_KIND_ORGANISATION, org_id(n));
      book.commit(20170301, pairing_started(n, 20170301, branch, village,
                                            assistance::v1::PAIRING_KIND_BRANCH_VILLAGE));
    }
    book.commit(20171130,
                pairing_ended(52, 20171130, assistance::v1::PAIRING_END_CAUSE_TERM_ENDED));
  }
  ViewFixture book;
};

TEST_F(SampleBook, Has39PairingsOpenAtTheYearsEnd) {
  EXPECT_EQ(book.ask<PairingsResponse>(on<PairingsRequest>(20171231)).rows_size(), 39);
}

TEST_F(SampleBook, Owes38VisitsInTheThirdQuarterAndNoneInTheSecond) {
  EXPECT_EQ(book.ask<v1::DueResponse>(on<v1::DueRequest>(20170701)).rows_size(), 38);
  EXPECT_EQ(book.ask<v1::OverdueResponse>(on<v1::OverdueRequest>(20170701)).rows_size(), 0);
}

TEST_F(SampleBook, IsOverdueForTheTwoHouseholdsThatWereCalled) {
  const auto overdue = book.ask<v1::OverdueResponse>(on<v1::OverdueRequest>(20171001));
  ASSERT_EQ(overdue.rows_size(), 2);
  EXPECT_EQ(overdue.rows(0).household_id(), household_id(37));
  EXPECT_EQ(overdue.rows(1).household_id(), household_id(38));
  EXPECT_EQ(overdue.rows(0).rule().value(), "1 per QUARTER");
  EXPECT_EQ(overdue.rows(0).rule().scope().at("category"), "LIFTED");
}

TEST_F(SampleBook, Has38VisitsOfWhich36CountInTheThirdQuarter) {
  auto request = on<VisitsByPeriodRequest>(20171231);
  request.set_period(rules::v1::CALENDAR_PERIOD_QUARTER);
  *request.mutable_from_date() = date_of(20170701);
  *request.mutable_to_date() = date_of(20170930);
  int visits = 0;
  int counted = 0;
  const auto answer = book.ask<VisitsByPeriodResponse>(request);
  for (const auto& row : answer.rows()) {
    if (row.visited_kind() != common::v1::SUBJECT_KIND_HOUSEHOLD) continue;
    visits += row.visits();
    counted += row.counted();
  }
  EXPECT_EQ(visits, 38);
  EXPECT_EQ(counted, 36);
}

}  // namespace
}  // namespace taizhang::duties
