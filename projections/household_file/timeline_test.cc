// What happened to a household, in the order in which it was true.
#include <gtest/gtest.h>

#include <vector>

#include "platform/projection/view_fixture.h"
#include "projections/common/test_events.h"
#include "projections/household_file/household_file.h"
#include "taizhang/household_file/v1/queries.pb.h"

namespace taizhang::household_file {
namespace {

using namespace events;  // NOLINT: a vocabulary for tests
using v1::TimelineDetail;
using v1::TimelineRequest;
using v1::TimelineResponse;
using Kinds = std::vector<int>;

class Timeline : public testing::Test {
 protected:
  Timeline() : book(household_file_view()) {
    book.commit(20170501, household_registered(1), person_registered(10, "甲"),
                member_added(1, 10, "0", true));
    book.commit(20170601, pairing_started(1, 20170601, worker(1), household(1)));
    auto visit = visit_recorded(1, 20170610, household(1));
    *visit.mutable_text() = sealed_text("家中情况良好");
    book.commit(20170610, visit, issue_raised(1, household(1)));
    book.commit(20170615, issue_assigned(1, 20170715, worker(2)));
    book.commit(20170620, issue_resolved(1));
  }

  TimelineRequest request(int32_t day = 20171231) {
    auto request = on<TimelineRequest>(day);
    request.set_household_id(household_id(1));
    return request;
  }
  static Kinds kinds(const TimelineResponse& response) {
    Kinds kinds;
    for (const auto& row : response.rows()) kinds.push_back(row.detail().detail_case());
    return kinds;
  }

  ViewFixture book;
};

TEST_F(Timeline, TellsWhatHappenedByEffectiveDate) {
  book.commit(20170505, status_loaded(1, {{"LIFTED", 20161231}}));  // recorded last
  const auto answer = book.ask<TimelineResponse>(request());
  EXPECT_EQ(kinds(answer), (Kinds{TimelineDetail::kRegistered, TimelineDetail::kMemberAdded,
                                  TimelineDetail::kStatusesLoaded, TimelineDetail::kPairingStarted,
                                  TimelineDetail::kVisitMade, TimelineDetail::kIssueRaised,
                                  TimelineDetail::kIssueAssigned, TimelineDetail::kIssueResolved}));
  EXPECT_EQ(answer.rows(4).text().text(), "家中情况良好");
  EXPECT_EQ(answer.rows(4).detail().visit_made().visitors(0), worker_id(1));
  EXPECT_EQ(day_of(answer.rows(4).effective_date()), 20170610);
  EXPECT_EQ(answer.rows(4).event_ids(0), "990101/5");
  EXPECT_EQ(answer.rows(4).version(), 5);
}

TEST_F(Timeline, KeepsToThePeriodAndTheEffectiveDate) {
  auto period = request();
  *period.mutable_from_date() = date_of(20170601);
  *period.mutable_to_date() = date_of(20170610);
  EXPECT_EQ(book.ask<TimelineResponse>(period).rows_size(), 3);
  EXPECT_EQ(book.ask<TimelineResponse>(request(20170601)).rows_size(), 3);
  auto reversed = request();
  reversed.set_order(v1::TIMELINE_ORDER_NEWEST_FIRST);
  EXPECT_EQ(book.ask<TimelineResponse>(reversed).rows(0).detail().detail_case(),
            TimelineDetail::kIssueResolved);
}

TEST_F(Timeline, Pages) {
  auto paged = request();
  paged.mutable_page()->set_page_size(3);
  Kinds seen;
  for (;;) {
    const auto answer = book.ask<TimelineResponse>(paged);
    EXPECT_LE(answer.rows_size(), 3);
    for (const int kind : kinds(answer)) seen.push_back(kind);
    if (answer.next_page_token().empty()) break;
    paged.mutable_page()->set_page_token(answer.next_page_token());
  }
  EXPECT_EQ(seen, kinds(book.ask<TimelineResponse>(request())));
}

TEST_F(Timeline, WithholdsWordsFromReaders) {
  book.asked_by({common::v1::ROLE_READER});
  const auto answer = book.ask<TimelineResponse>(request());
  EXPECT_TRUE(answer.rows(3).withheld());
  EXPECT_FALSE(answer.rows(3).has_text());
  EXPECT_FALSE(answer.rows(4).withheld());  // an issue without words
}

TEST_F(Timeline, LosesAVoidedVisitAndTellsOfTheVoid) {
  const int64_t before = book.last_seq();
  const int64_t before_time_us = book.last_recorded_time_us();
  book.commit(20170801, visit_voided(1, 2));
  const auto now = book.ask<TimelineResponse>(request());
  EXPECT_EQ(now.rows(3).detail().detail_case(),
            TimelineDetail::kIssueRaised);  // issues it raised stay
  const auto& voided = now.rows(now.rows_size() - 1).detail().visit_voided();
  EXPECT_EQ(voided.visit_id(), visit_id(1));
  EXPECT_EQ(voided.replaced_by(), visit_id(2));
  EXPECT_EQ(day_of(voided.visit_date()), 20170610);

  auto by_seq = request();
  by_seq.mutable_read()->set_seq(before);
  EXPECT_EQ(book.ask<TimelineResponse>(by_seq).rows(3).detail().detail_case(),
            TimelineDetail::kVisitMade);
  auto by_time = request();
  by_time.mutable_read()->mutable_recorded_time()->set_seconds(before_time_us / 1'000'000);
  EXPECT_EQ(book.ask<TimelineResponse>(by_time).rows(3).detail().detail_case(),
            TimelineDetail::kVisitMade);
}

TEST_F(Timeline, HoldsPaymentsThatNameTheHousehold) {
  funds::v1::FundsDisbursed paid;
  paid.set_payment_id(uuid('2', 1));
  paid.set_purpose("FESTIVAL");
  paid.set_amount_fen(30'000);
  *paid.mutable_payee()->mutable_subject() = household(1);
  book.commit(20170901, paid);
  *paid.mutable_payee()->mutable_subject() = household(2);
  book.commit(20170901, paid);
  auto request = this->request();
  request.set_order(v1::TIMELINE_ORDER_NEWEST_FIRST);
  const auto answer = book.ask<TimelineResponse>(request);
  EXPECT_EQ(answer.rows(0).detail().payment().amount_fen(), 30'000);
  EXPECT_EQ(answer.rows(1).detail().detail_case(), TimelineDetail::kIssueResolved);
}

TEST_F(Timeline, HoldsTheEndOfAPairing) {
  book.commit(20170930, pairing_ended(1, 20170930, assistance::v1::PAIRING_END_CAUSE_LIFTED));
  book.commit(20170930, pairing_ended(9, 20170930,
                                      assistance::v1::PAIRING_END_CAUSE_LIFTED));  // of a village
  auto request = this->request();
  request.set_order(v1::TIMELINE_ORDER_NEWEST_FIRST);
  const auto answer = book.ask<TimelineResponse>(request);
  EXPECT_EQ(answer.rows(0).detail().pairing_ended().cause(),
            assistance::v1::PAIRING_END_CAUSE_LIFTED);
  EXPECT_EQ(answer.rows(1).detail().detail_case(), TimelineDetail::kIssueResolved);
}

}  // namespace
}  // namespace taizhang::household_file
