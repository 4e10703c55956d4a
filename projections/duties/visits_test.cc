// Visits by period, kind of visited and channel.
#include <gtest/gtest.h>

#include "projections/duties/duties_book.h"

namespace taizhang::duties {
namespace {

using namespace events;  // NOLINT: a vocabulary for tests
using rules::v1::CALENDAR_PERIOD_MONTH;
using rules::v1::CALENDAR_PERIOD_QUARTER;
using v1::VisitsByPeriodRequest;
using v1::VisitsByPeriodResponse;
using v1::VisitsRequest;
using v1::VisitsResponse;

class Visits : public testing::Test, protected DutiesBook {
 protected:
  VisitsByPeriodResponse by_period(int32_t day, VisitsByPeriodRequest request = quarters()) {
    return book.ask<VisitsByPeriodResponse>(on(day, std::move(request)));
  }
  static VisitsByPeriodRequest quarters() {
    VisitsByPeriodRequest request;
    request.set_period(CALENDAR_PERIOD_QUARTER);
    return request;
  }
};

TEST_F(Visits, AreCountedByPeriodKindAndChannel) {
  quarterly_home_visits();
  lift(2);  // not paired
  visit(1, 20170420);
  visit(2, 20170421, 1, assistance::v1::VISIT_CHANNEL_PHONE);
  visit(3, 20170422, 2);
  visit(4, 20170110, 1);  // before the pairing
  book.commit(20170423,
              visit_recorded(5, 20170423, subject(common::v1::SUBJECT_KIND_VILLAGE, kVillage)));
  auto request = quarters();
  *request.mutable_from_date() = date_of(20170101);
  const auto answer = by_period(20170630, request);
  ASSERT_EQ(answer.rows_size(), 4);
  const auto expect = [&](int row, int32_t first, int kind, int channel, int visits, int counted) {
    EXPECT_EQ(day_of(answer.rows(row).period_first()), first);
    EXPECT_EQ(answer.rows(row).visited_kind(), kind);
    EXPECT_EQ(answer.rows(row).channel(), channel);
    EXPECT_EQ(answer.rows(row).visits(), visits);
    EXPECT_EQ(answer.rows(row).counted(), counted);
  };
  const int home = assistance::v1::VISIT_CHANNEL_HOME;
  expect(0, 20170101, common::v1::SUBJECT_KIND_HOUSEHOLD, home, 1, 0);
  expect(1, 20170401, common::v1::SUBJECT_KIND_HOUSEHOLD, home, 2, 1);
  expect(2, 20170401, common::v1::SUBJECT_KIND_HOUSEHOLD, assistance::v1::VISIT_CHANNEL_PHONE, 1,
         0);
  expect(3, 20170401, common::v1::SUBJECT_KIND_VILLAGE, home, 1, 0);
  EXPECT_EQ(day_of(answer.rows(1).period_last()), 20170630);
  EXPECT_EQ(by_period(20170420).rows(0).visits(), 1);  // up to the effective date
}

TEST_F(Visits, ByPeriodFilterByRegionHouseholdAndWorker) {
  quarterly_home_visits();
  lift(2, kOtherVillage);
  visit(1, 20170420, 1);
  visit(2, 20170421, 2, assistance::v1::VISIT_CHANNEL_HOME, 2);
  book.commit(
      20170422, visit_recorded(3, 20170422, worker(1), 2),
      visit_recorded(4, 20170422, subject(common::v1::SUBJECT_KIND_ORGANISATION, org_id(1)), 2));
  const auto count = [&](const std::string& region, int household_number, int worker_number) {
    auto request = quarters();
    request.set_region(region);
    if (household_number != 0) request.set_household_id(household_id(household_number));
    if (worker_number != 0) request.set_worker_id(worker_id(worker_number));
    int visits = 0;
    const auto answer = by_period(20170630, request);
    for (const auto& row : answer.rows()) visits += row.visits();
    return visits;
  };
  EXPECT_EQ(count("", 0, 0), 4);
  EXPECT_EQ(count("990101100", 0, 0), 4);
  EXPECT_EQ(count(kVillage, 0, 0), 2);  // household 1 and worker 1, who serves there
  EXPECT_EQ(count(kOtherVillage, 0, 0), 1);
  EXPECT_EQ(count("", 2, 0), 1);
  EXPECT_EQ(count(kVillage, 2, 0), 0);
  EXPECT_EQ(count("", 0, 2), 3);
  EXPECT_EQ(count(kOtherVillage, 0, 2), 1);
}

TEST_F(Visits, WithoutARuleOfChannelsAreUndecided) {
  visit(1, 20170420);
  const auto answer = by_period(20170630);
  ASSERT_EQ(answer.rows_size(), 1);
  EXPECT_EQ(answer.rows(0).counted(), 0);
  EXPECT_EQ(answer.rows(0).undecided(), 1);
}

TEST_F(Visits, ByPeriodNameAtMost400Periods) {
  auto request = on<VisitsByPeriodRequest>(20171231);
  request.set_period(CALENDAR_PERIOD_MONTH);
  *request.mutable_from_date() = date_of(19840901);
  EXPECT_EQ(book.ask<VisitsByPeriodResponse>(request).rows_size(), 0);
  *request.mutable_from_date() = date_of(19840831);
  EXPECT_EQ(book.ask_error(request).code, kInvalidArgument);
  *request.mutable_from_date() = date_of(20180101);
  EXPECT_EQ(book.ask_error(request).violations[0].field, "from_date");
}

// T-59: a visit voided a month later by another person, and a new one in its place.
TEST_F(Visits, OldCountAsOfThenNewOneToday) {
  quarterly_home_visits();
  visit(1, 20170420);
  const int64_t seq_before = book.last_seq();
  const int64_t time_before_us = book.last_recorded_time_us();
  book.as("checker-1").because("录错");
  book.commit(20170521, visit_voided(1, 2));
  const int64_t seq_void = book.last_seq();
  visit(2, 20170421, 1, assistance::v1::VISIT_CHANNEL_HOME, 2);
  visit(3, 20170422, 1, assistance::v1::VISIT_CHANNEL_HOME, 2);

  const auto now = by_period(20170630);
  ASSERT_EQ(now.rows_size(), 1);
  EXPECT_EQ(now.rows(0).visits(), 2);
  EXPECT_EQ(now.rows(0).event_ids(0), "990101/" + std::to_string(book.last_seq()));
  EXPECT_EQ(now.rows(0).event_ids_size(), 2);

  auto by_seq = quarters();
  by_seq.mutable_read()->set_seq(seq_before);
  auto by_time = quarters();
  by_time.mutable_read()->mutable_recorded_time()->set_seconds(time_before_us / 1'000'000);
  for (const auto& request : {by_seq, by_time}) {
    const auto then = by_period(20170630, request);
    ASSERT_EQ(then.rows_size(), 1);
    EXPECT_EQ(then.rows(0).visits(), 1);
    EXPECT_EQ(then.rows(0).counted(), 1);
    EXPECT_EQ(then.rows(0).event_ids(0), "990101/" + std::to_string(seq_before));
    EXPECT_EQ(then.freshness().seq(), seq_before);
  }
  auto by_void = quarters();
  by_void.mutable_read()->set_seq(seq_void);
  EXPECT_EQ(by_period(20170630, by_void).rows_size(), 0);
}

TEST_F(Visits, AreListedByVisitedAndDateWithoutVoidedOnes) {
  lift(2);
  visit(1, 20170420, 2);
  visit(2, 20170421, 1, assistance::v1::VISIT_CHANNEL_HOME, 2);
  visit(3, 20170419, 1);
  visit(4, 20170418, 1);
  book.commit(20170501, visit_voided(4));
  const auto listed = [&](VisitsRequest request) {
    std::string ids;
    const auto answer = book.ask<VisitsResponse>(on(20170630, std::move(request)));
    for (const auto& row : answer.rows()) ids += row.visit_id().back();
    return ids;
  };
  EXPECT_EQ(listed({}), "321");
  VisitsRequest of_household;
  *of_household.mutable_visited() = household(1);
  EXPECT_EQ(listed(of_household), "32");
  *of_household.mutable_to_date() = date_of(20170419);
  EXPECT_EQ(listed(of_household), "3");
  VisitsRequest of_worker;
  of_worker.set_worker_id(worker_id(2));
  EXPECT_EQ(listed(of_worker), "2");
  VisitsRequest from;
  *from.mutable_from_date() = date_of(20170420);
  EXPECT_EQ(listed(from), "21");
}

TEST_F(Visits, OfSeveralWorkersIsOneVisit) {
  quarterly_home_visits();
  auto event = visit_recorded(1, 20170420, household(1));
  event.add_visitors(worker_id(2));
  event.add_visitors(worker_id(3));
  book.commit(20170420, event);
  EXPECT_EQ(by_period(20170630).rows(0).visits(), 1);
  for (const int worker_number : {1, 2, 3}) {
    auto request = quarters();
    request.set_worker_id(worker_id(worker_number));
    EXPECT_EQ(by_period(20170630, request).rows(0).visits(), 1);
  }
  EXPECT_EQ(due(20170501).rows_size(), 0);
  auto request = on<VisitsRequest>(20170630);
  request.set_worker_id(worker_id(3));
  const auto listed = book.ask<VisitsResponse>(request);
  ASSERT_EQ(listed.rows_size(), 1);
  EXPECT_EQ(listed.rows(0).visitors_size(), 3);
  EXPECT_EQ(listed.rows(0).visitors(0), worker_id(1));
}

TEST_F(Visits, ListPages) {
  for (int n = 1; n <= 5; ++n) visit(n, 20170400 + n);
  VisitsRequest request = on<VisitsRequest>(20170630);
  request.mutable_page()->set_page_size(2);
  int pages = 0;
  int rows = 0;
  for (;;) {
    const auto answer = book.ask<VisitsResponse>(request);
    ++pages;
    rows += answer.rows_size();
    if (answer.next_page_token().empty()) break;
    request.mutable_page()->set_page_token(answer.next_page_token());
  }
  EXPECT_EQ(pages, 3);
  EXPECT_EQ(rows, 5);
}

}  // namespace
}  // namespace taizhang::duties
