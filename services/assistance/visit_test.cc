// Visits: what is refused, in which order, and what stays of them and of what was noted there.
#include "services/assistance/assistance.h"
#include "services/common/references.h"
#include "services/registry/registry.h"
#include "services/rules/rules.h"
#include "taizhang/assistance/state/v1/state.pb.h"
#include "taizhang/assistance/v1/errors.pb.h"
#include "taizhang/assistance/v1/events.pb.h"
#include "taizhang/common/v1/errors.pb.h"
#include "taizhang/registry/state/v1/state.pb.h"
#include "tests/support/assistance_commands.h"

namespace taizhang::test {
namespace {

using namespace assistance::v1;
using namespace common::v1;
using assistance::state::v1::Issue;
using assistance::state::v1::IssueOpen;
using assistance::state::v1::Visit;
using assistance::state::v1::VisitKey;

constexpr int32_t kDay = 20170615;

// Workers li and wang, household "h" of 2017-01-01; household "late" and worker "new" of
// 2017-07-01.
Scenario book() {
  Scenario scenario(
      {register_rules, register_registry, register_assistance, register_reference_checks});
  give_county(scenario);
  scenario.given(register_organisation("unit"), register_worker("li"), register_worker("wang"),
                 register_household("h"), dated(register_household("late", 1, 10), 20170701),
                 dated(register_worker("new"), 20170701),
                 dated(register_organisation("later"), 20170701));
  return scenario;
}

RecordVisitRequest visit_of(const SubjectRef& visited) {
  return record_visit("v", visited, "li", kDay);
}

RecordVisitRequest also(RecordVisitRequest visit, std::string_view visitor) {
  visit.add_visitors(id(visitor));
  return visit;
}

TEST(RecordVisit, IsWrittenWithWhatWasNoted) {
  auto command = also(visit_of(household("h")), "wang");
  command.set_round(1);
  command.mutable_text()->set_text("all well");
  *command.add_evidence() = document("photo", "REPORT");
  command = noting(noting(command, "i", "LOAN_DELAY"), "j");
  command.mutable_requests(0)->mutable_text()->set_text("the loan is slow");
  *command.mutable_requests(0)->mutable_due_date() = date_of(20170715);
  VisitRecorded visit;
  visit.set_visit_id(id("v"));
  *visit.mutable_visited() = household("h");
  visit.add_visitors(id("li"));
  visit.add_visitors(id("wang"));
  *visit.mutable_date() = date_of(kDay);
  visit.set_channel(VISIT_CHANNEL_HOME);
  visit.set_purpose("SURVEY");
  visit.set_round(1);
  visit.mutable_text()->set_bytes(command.text().SerializeAsString());
  *visit.mutable_evidence() = command.evidence();
  visit.set_leader_rank("STAFF");
  IssueRaised first;
  first.set_issue_id(id("i"));
  first.set_kind(ISSUE_KIND_REQUEST);
  first.set_category("LOAN_DELAY");
  first.mutable_text()->set_bytes(command.requests(0).text().SerializeAsString());
  *first.mutable_due_date() = date_of(20170715);
  *first.mutable_subject() = household("h");
  first.set_found_by(id("li"));
  first.set_visit_id(id("v"));
  IssueRaised second;
  second.set_issue_id(id("j"));
  second.set_kind(ISSUE_KIND_REQUEST);
  second.set_category("OTHER");
  *second.mutable_subject() = household("h");
  second.set_found_by(id("li"));
  second.set_visit_id(id("v"));

  auto scenario = book();
  scenario.as("clerk", id("wang")).when(command).accepted(visit, first, second);
  const auto& row = scenario.row<Visit>(id("v"));
  EXPECT_EQ(row.visited().id(), id("h"));
  EXPECT_EQ(row.day(), kDay);
  EXPECT_EQ(row.channel(), VISIT_CHANNEL_HOME);
  EXPECT_EQ(row.lead_worker_id(), id("li"));
  ASSERT_EQ(row.issue_ids_size(), 2);
  EXPECT_EQ(row.recorder().subject(), "clerk");
  EXPECT_EQ(row.recorder().worker_id(), id("wang"));
  EXPECT_EQ(row.version(), scenario.last_seq());
  EXPECT_EQ(scenario.row<VisitKey>(id("h"), kDay, VISIT_CHANNEL_HOME, id("li")).visit_id(),
            id("v"));
  const auto& issue = scenario.row<Issue>(id("i"));
  EXPECT_EQ(issue.state(), Issue::STATE_RAISED);
  EXPECT_EQ(issue.raised_day(), kDay);
  EXPECT_EQ(issue.version(), scenario.last_seq() - 1);
  EXPECT_EQ(scenario.row<IssueOpen>(SUBJECT_KIND_HOUSEHOLD, id("h")).count(), 2);
}

TEST(RecordVisit, WithoutRequestsIsOneEvent) {
  auto scenario = book();
  scenario.when(visit_of(household("h"))).accepted();
  EXPECT_EQ(scenario.event_count(), 1);
  EXPECT_EQ(scenario.row<Visit>(id("v")).version(), scenario.last_seq());
}

TEST(RecordVisit, StateHoldsNoText) {
  auto command = visit_of(household("h"));
  command.mutable_text()->set_text("a private matter");
  auto scenario = book();
  scenario.when(command).accepted();
  for (const auto& [key, bytes] : scenario.state()) {
    EXPECT_EQ(bytes.find("a private matter"), std::string::npos);
  }
}

TEST(RecordVisit, MayBeToAVillageAnOrganisationOrAWorker) {
  for (const auto& visited : {village(kVillageJ), organisation("unit"), worker("wang")}) {
    auto scenario = book();
    scenario.when(noting(visit_of(visited), "i")).accepted();
    EXPECT_EQ(scenario.row<IssueOpen>(visited.kind(), visited.id()).count(), 1);
  }
}

TEST(RecordVisit, IsRefusedToAnythingElse) {
  for (const auto& visited : {person("h-0"), region(kVillageJ)}) {
    book().when(visit_of(visited)).refused(COMMON_REFUSAL_FIELD_INVALID, "visited.kind");
  }
}

TEST(RecordVisit, IsRefusedToAnUnknownVillageOrOrganisationBeforeWorkersAreSought) {
  const auto led_by_nobody = [](const SubjectRef& visited) {
    return record_visit("v", visited, "nobody", kDay);
  };
  book()
      .when(led_by_nobody(village("990101100299")))
      .refused(COMMON_REFUSAL_REGION_NOT_FOUND, "visited.id");
  book()
      .when(led_by_nobody(village(kTown)))
      .refused(COMMON_REFUSAL_SUBJECT_NOT_FOUND, "visited.id");
  book()
      .when(led_by_nobody(organisation("nobody")))
      .refused(COMMON_REFUSAL_SUBJECT_NOT_FOUND, "visited.id");
  book()
      .when(led_by_nobody(organisation("later")))
      .refused(COMMON_REFUSAL_SUBJECT_NOT_ACTIVE, "visited.id");
}

TEST(RecordVisit, IsRefusedToAnUnknownHouseholdBeforeWorkersAreSought) {
  book()
      .when(record_visit("v", household("nobody"), "nobody", kDay))
      .refused(ASSISTANCE_REFUSAL_HOUSEHOLD_NOT_FOUND, "visited.id");
}

TEST(RecordVisit, IsRefusedBeforeTheHouseholdIsThere) {
  auto scenario = book();
  scenario.when(record_visit("v", household("late"), "nobody", 20170630))
      .refused(ASSISTANCE_REFUSAL_HOUSEHOLD_NOT_ACTIVE, "visited.id");
  scenario.when(record_visit("v", household("late"), "li", 20170701)).accepted();
}

TEST(RecordVisit, SeeksAllWorkersBeforeItAsksForTheDay) {
  book()
      .when(also(record_visit("v", household("h"), "new", kDay), "nobody"))
      .refused(ASSISTANCE_REFUSAL_WORKER_NOT_FOUND, "visitors[1]");
  book()
      .when(also(record_visit("v", worker("nobody"), "new", kDay), "li"))
      .refused(ASSISTANCE_REFUSAL_WORKER_NOT_FOUND, "visited.id");
}

TEST(RecordVisit, IsRefusedBeforeAWorkerIsThereBeforeOtherVisitsAreAsked) {
  auto scenario = book();
  scenario.given(record_visit("earlier", household("h"), "li", kDay))
      .when(also(visit_of(household("h")), "new"))
      .refused(ASSISTANCE_REFUSAL_WORKER_NOT_ACTIVE, "visitors[1]");
  scenario.when(visit_of(worker("new")))
      .refused(ASSISTANCE_REFUSAL_WORKER_NOT_ACTIVE, "visited.id");
}

TEST(RecordVisit, IsRefusedTwiceBeforeCategoriesAreCompared) {
  book()
      .given(record_visit("earlier", household("h"), "li", kDay))
      .when(noting(also(visit_of(household("h")), "wang"), "i", "WATER"))
      .refused(ASSISTANCE_REFUSAL_VISIT_REPEATED, "visited.id");
}

TEST(RecordVisit, IsAnotherVisitByAnotherLeadChannelOrDay) {
  auto scenario = book();
  scenario.given(record_visit("earlier", household("h"), "li", kDay));
  scenario.when(record_visit("a", household("h"), "wang", kDay)).accepted();
  scenario.when(record_visit("b", household("h"), "li", kDay - 1)).accepted();
  scenario.when(with(visit_of(household("h")), [](auto& c) { c.set_channel(VISIT_CHANNEL_PHONE); }))
      .accepted();
}

TEST(RecordVisit, ToAVillageMayBeRepeated) {
  book()
      .given(record_visit("earlier", village(kVillageJ), "li", kDay))
      .when(visit_of(village(kVillageJ)))
      .accepted();
}

TEST(RecordVisit, IsRefusedWhenTheCategoryIsOfAnotherKind) {
  book()
      .when(noting(noting(visit_of(household("h")), "i", "LOAN_DELAY"), "j", "WATER"))
      .refused(ASSISTANCE_REFUSAL_CATEGORY_KIND_MISMATCH, "requests[1].category");
  for (const auto kind : {ISSUE_KIND_RISK, ISSUE_KIND_SELF_NAMED}) {
    book()
        .when(with(noting(visit_of(household("h")), "i", "OTHER"),
                   [&](auto& c) { c.mutable_requests(0)->set_kind(kind); }))
        .accepted();
  }
}

TEST(RecordVisit, IsRefusedWithAKnownIssueBeforeAnybodyIsSought) {
  auto scenario = book();
  scenario.given(noting(record_visit("earlier", household("h"), "li", kDay), "i"))
      .when(noting(record_visit("v", household("nobody"), "li", kDay), "i"))
      .refused(COMMON_REFUSAL_ID_TAKEN, "requests[0].issue_id");
}

TEST(RecordVisit, FreezesTheRankOfTheLeadOnThatDay) {
  auto row = new_row<registry::state::v1::Worker>();
  row.set_worker_id(id("zhao"));
  row.set_from_day(20150101);
  auto& before = *row.add_postings();
  before.set_rank("STAFF");
  before.set_from_day(20150101);
  before.set_to_day(kDay);
  auto& after = *row.add_postings();
  after.set_rank("UNIT_HEAD");
  after.set_from_day(kDay + 1);
  auto scenario = book();
  scenario.given_row(row).when(record_visit("v", household("h"), "zhao", kDay)).accepted();
  EXPECT_EQ(scenario.event<VisitRecorded>().leader_rank(), "STAFF");
  scenario.when(record_visit("w", household("h"), "zhao", kDay + 1)).accepted();
  EXPECT_EQ(scenario.event<VisitRecorded>().leader_rank(), "UNIT_HEAD");
}

TEST(RecordVisit, IsRefusedWithoutVisitorsOrWithOneTwice) {
  book()
      .when(with(visit_of(household("h")), [](auto& c) { c.clear_visitors(); }))
      .refused(COMMON_REFUSAL_FIELD_REQUIRED, "visitors");
  book()
      .when(also(visit_of(household("h")), "li"))
      .refused(COMMON_REFUSAL_FIELD_INVALID, "visitors[1]");
}

TEST(RecordVisit, IsRefusedWithAnIssueTwice) {
  book()
      .when(noting(noting(visit_of(household("h")), "i"), "i"))
      .refused(COMMON_REFUSAL_FIELD_INVALID, "requests[1]");
}

TEST(RecordVisit, IsRefusedWithARequestDueBeforeIt) {
  const auto due = [](int32_t day) {
    return with(noting(visit_of(household("h")), "i"),
                [&](auto& c) { *c.mutable_requests(0)->mutable_due_date() = date_of(day); });
  };
  book().when(due(kDay - 1)).refused(COMMON_REFUSAL_DATE_ORDER_INVALID, "requests[0].due_date");
  book().when(due(kDay)).accepted();
}

TEST(RecordVisit, IsRefusedInTheFuture) {
  book()
      .when(record_visit("v", household("h"), "li", 20180701))
      .refused(COMMON_REFUSAL_EFFECTIVE_DATE_IN_FUTURE, "date");
}

TEST(RecordVisit, OfOtherContentIsRefusedUnderTheSameId) {
  auto scenario = book();
  scenario.given(visit_of(household("h")))
      .when(record_visit("v", household("h"), "wang", kDay))
      .refused(COMMON_REFUSAL_ID_TAKEN, "visit_id");
  scenario.when(visit_of(household("h"))).unchanged();
}

}  // namespace
}  // namespace taizhang::test
