// Versions of a household, a visit and an issue, with who and why.
#include <gtest/gtest.h>

#include "platform/projection/view_fixture.h"
#include "projections/common/test_events.h"
#include "projections/household_file/household_file.h"
#include "taizhang/household_file/v1/queries.pb.h"

namespace taizhang::household_file {
namespace {

using namespace events;  // NOLINT: a vocabulary for tests
using v1::HouseholdHistoryRequest;
using v1::HouseholdHistoryResponse;
using v1::IssueHistoryRequest;
using v1::IssueHistoryResponse;
using v1::IssuesRequest;
using v1::IssuesResponse;
using v1::ShowVisitRequest;
using v1::ShowVisitResponse;
using v1::VisitHistoryRequest;
using v1::VisitHistoryResponse;

class History : public testing::Test {
 protected:
  History() : book(household_file_view()) {
    book.as("maker-1", worker_id(1))
        .because("初次登记")
        .from_document(uuid('8', 1))
        .with_command("registry.RegisterHousehold");
    book.commit(20170501, household_registered(1), member_added(1, 10, "0", true));
    book.as("maker-2").because("补录").with_command("registry.LoadHouseholdStatus");
    book.commit(20170502, status_loaded(1, {{"LIFTED", 20161231}}));
  }
  ViewFixture book;
};

TEST_F(History, OfAHouseholdSaysWhoWhenAndWhyNewestFirst) {
  HouseholdHistoryRequest request;
  request.set_household_id(household_id(1));
  const auto answer = book.ask<HouseholdHistoryResponse>(request);
  ASSERT_EQ(answer.rows_size(), 3);
  const auto& loaded = answer.rows(0).change();
  EXPECT_EQ(loaded.seq(), 3);
  EXPECT_EQ(loaded.event_id(), "990101/3");
  EXPECT_EQ(loaded.event_type(), "registry.v1.HouseholdStatusLoaded");
  EXPECT_EQ(loaded.actor().subject(), "maker-2");
  EXPECT_EQ(loaded.reason(), "补录");
  EXPECT_EQ(day_of(loaded.effective_date()), 20170502);
  EXPECT_GT(loaded.recorded_time().seconds(), 0);
  EXPECT_FALSE(loaded.pending());
  EXPECT_EQ(answer.rows(0).statuses_size(), 1);
  EXPECT_EQ(answer.rows(1).statuses_size(), 0);
  EXPECT_EQ(answer.rows(1).members(), 1);
  const auto& registered = answer.rows(2).change();
  EXPECT_EQ(registered.actor().worker_id(), worker_id(1));
  EXPECT_EQ(registered.source().document().document_id(), uuid('8', 1));
  EXPECT_EQ(registered.command(), "registry.RegisterHousehold");
  EXPECT_EQ(answer.rows(2).members(), 0);
}

TEST_F(History, OfAHouseholdPages) {
  HouseholdHistoryRequest request;
  request.set_household_id(household_id(1));
  request.mutable_page()->set_page_size(2);
  const auto first = book.ask<HouseholdHistoryResponse>(request);
  ASSERT_EQ(first.rows_size(), 2);
  request.mutable_page()->set_page_token(first.next_page_token());
  const auto second = book.ask<HouseholdHistoryResponse>(request);
  ASSERT_EQ(second.rows_size(), 1);
  EXPECT_EQ(second.rows(0).change().seq(), 1);
  EXPECT_TRUE(second.next_page_token().empty());
}

TEST_F(History, OfAnUnknownThingIsNotFound) {
  HouseholdHistoryRequest household;
  household.set_household_id(household_id(9));
  EXPECT_EQ(book.ask_error(household).reason, "HOUSEHOLD_NOT_FOUND");
  VisitHistoryRequest visit;
  visit.set_visit_id(visit_id(9));
  EXPECT_EQ(book.ask_error(visit).reason, "VISIT_NOT_FOUND");
  IssueHistoryRequest issue;
  issue.set_issue_id(issue_id(9));
  EXPECT_EQ(book.ask_error(issue).reason, "ISSUE_NOT_FOUND");
}

TEST_F(History, OfAVisitTellsOfItsVoidingWhileTheVisitIsGone) {
  auto visit = visit_recorded(1, 20170610, household(1));
  visit.set_leader_rank("STAFF");
  *visit.mutable_text() = sealed_text("走访");
  book.commit(20170610, visit);
  auto show = on<ShowVisitRequest>(20170610);
  show.set_visit_id(visit_id(1));
  EXPECT_EQ(book.ask<ShowVisitResponse>(show).visit().leader_rank(), "STAFF");
  EXPECT_EQ(book.ask<ShowVisitResponse>(show).visit().text().text(), "走访");
  auto earlier = on<ShowVisitRequest>(20170609);
  earlier.set_visit_id(visit_id(1));
  EXPECT_EQ(book.ask_error(earlier).reason, "VISIT_NOT_FOUND");

  const int64_t before = book.last_seq();
  book.as("checker-1").because("录错").commit(20170711, visit_voided(1, 2));
  EXPECT_EQ(book.ask_error(show).reason, "VISIT_NOT_FOUND");
  show.mutable_read()->set_seq(before);
  EXPECT_FALSE(book.ask<ShowVisitResponse>(show).visit().voided());

  VisitHistoryRequest request;
  request.set_visit_id(visit_id(1));
  const auto history = book.ask<VisitHistoryResponse>(request);
  ASSERT_EQ(history.rows_size(), 2);
  EXPECT_TRUE(history.rows(0).visit().voided());
  EXPECT_EQ(history.rows(0).visit().replaced_by(), visit_id(2));
  EXPECT_EQ(history.rows(0).visit().event_ids_size(), 2);
  EXPECT_EQ(history.rows(0).change().actor().subject(), "checker-1");
  EXPECT_FALSE(history.rows(1).visit().voided());
}

TEST_F(History, OfAnIssueIsItsSteps) {
  book.commit(20170610, issue_raised(1, household(1)));
  book.commit(20170611, issue_assigned(1, 20170711, worker(1)));
  book.commit(20170612, issue_resolved(1));
  IssueHistoryRequest request;
  request.set_issue_id(issue_id(1));
  const auto history = book.ask<IssueHistoryResponse>(request);
  ASSERT_EQ(history.rows_size(), 3);
  EXPECT_EQ(history.rows(0).issue().state(), v1::ISSUE_STATE_RESOLVED);
  EXPECT_EQ(history.rows(1).issue().state(), v1::ISSUE_STATE_ASSIGNED);
  EXPECT_EQ(history.rows(2).issue().state(), v1::ISSUE_STATE_RAISED);
}

TEST_F(History, IssuesAreListedAsTheyStoodOnTheDay) {
  const auto village = subject(common::v1::SUBJECT_KIND_VILLAGE, kVillage);
  book.commit(20170610, issue_raised(1, household(1)));
  book.commit(20170611, issue_raised(2, village));
  book.commit(20170620, issue_resolved(2));
  const auto listed = [&](IssuesRequest request) {
    return book.ask<IssuesResponse>(request).rows_size();
  };
  EXPECT_EQ(listed(on<IssuesRequest>(20170609)), 0);
  EXPECT_EQ(listed(on<IssuesRequest>(20170611)), 2);
  EXPECT_EQ(listed(on<IssuesRequest>(20170620)), 1);
  auto all = on<IssuesRequest>(20170620);
  all.set_include_resolved(true);
  EXPECT_EQ(listed(all), 2);
  *all.mutable_subject() = village;
  EXPECT_EQ(listed(all), 1);
}

}  // namespace
}  // namespace taizhang::household_file
