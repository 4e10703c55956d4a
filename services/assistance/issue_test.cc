// Issues: what is refused, in which order, and what stays.
#include "services/assistance/assistance.h"
#include "services/common/references.h"
#include "services/registry/registry.h"
#include "services/rules/rules.h"
#include "taizhang/assistance/state/v1/state.pb.h"
#include "taizhang/assistance/v1/errors.pb.h"
#include "taizhang/assistance/v1/events.pb.h"
#include "taizhang/common/v1/errors.pb.h"
#include "tests/support/assistance_commands.h"

namespace taizhang::test {
namespace {

using namespace assistance::v1;
using namespace common::v1;
using assistance::state::v1::Issue;
using assistance::state::v1::IssueOpen;

constexpr int32_t kRaised = 20170615;

// Issues "i" and "j" of household h, raised by a visit of li; commands are of the next day.
Scenario book() {
  Scenario scenario(
      {register_rules, register_registry, register_assistance, register_reference_checks});
  give_county(scenario);
  scenario.given(register_organisation("unit"), register_worker("li"), register_household("h"),
                 dated(register_worker("new"), 20170701),
                 dated(register_organisation("later"), 20170701),
                 noting(noting(record_visit("v", household("h"), "li", kRaised), "i"), "j"));
  scenario.on(20170616);
  return scenario;
}

int64_t open_issues(Scenario& scenario) {
  return scenario.row<IssueOpen>(SUBJECT_KIND_HOUSEHOLD, id("h")).count();
}

TEST(AssignIssue, IsWrittenWithAllItsInputs) {
  auto command = assign_issue("i", worker("li"), 20170701);
  command.set_escalated_to(id("unit"));
  IssueAssigned expected;
  expected.set_issue_id(id("i"));
  *expected.mutable_owner() = worker("li");
  *expected.mutable_due_date() = date_of(20170701);
  expected.set_escalated_to(id("unit"));

  auto scenario = book();
  scenario.when(command).accepted(expected);
  EXPECT_EQ(scenario.row<Issue>(id("i")).state(), Issue::STATE_ASSIGNED);
  EXPECT_EQ(scenario.row<Issue>(id("i")).version(), scenario.last_seq());
  EXPECT_EQ(open_issues(scenario), 2);
}

TEST(AssignIssue, MayBeDoneAgain) {
  book()
      .given(assign_issue("i", worker("li"), 20170701))
      .when(assign_issue("i", organisation("unit"), 20170801))
      .accepted();
}

TEST(AssignIssue, IsRefusedForAnUnknownIssue) {
  book()
      .expecting_version(1)
      .when(assign_issue("k", worker("nobody"), 20170101))
      .refused(ASSISTANCE_REFUSAL_ISSUE_NOT_FOUND, "issue_id");
}

TEST(AssignIssue, IsRefusedWhenResolvedBeforeVersionsAreCompared) {
  book()
      .given(resolve_issue("i"))
      .expecting_version(1)
      .when(assign_issue("i", worker("li"), 20170701))
      .refused(ASSISTANCE_REFUSAL_ISSUE_RESOLVED, "issue_id");
}

TEST(AssignIssue, IsRefusedAtAnotherVersionBeforeDatesAreCompared) {
  auto scenario = book();
  scenario.expecting_version(1)
      .when(dated(assign_issue("i", worker("li"), 20170701), kRaised - 1))
      .refused(COMMON_REFUSAL_VERSION_MISMATCH, "context.expected_version");
  scenario.expecting_version(scenario.row<Issue>(id("i")).version())
      .when(assign_issue("i", worker("li"), 20170701))
      .accepted();
}

TEST(AssignIssue, IsRefusedBeforeItWasRaised) {
  book()
      .when(dated(assign_issue("i", worker("nobody"), kRaised - 2), kRaised - 1))
      .refused(COMMON_REFUSAL_DATE_ORDER_INVALID, "context.effective_date");
  book().when(dated(assign_issue("i", worker("li"), kRaised), kRaised)).accepted();
}

TEST(AssignIssue, IsRefusedWhenDueBeforeItBegins) {
  book()
      .when(assign_issue("i", worker("nobody"), 20170615))
      .refused(COMMON_REFUSAL_DATE_ORDER_INVALID, "due_date");
  book().when(assign_issue("i", worker("li"), 20170616)).accepted();
}

TEST(AssignIssue, IsRefusedToAnOwnerWhoIsNotThere) {
  for (const auto& owner :
       {worker("nobody"), organisation("nobody"), worker("new"), organisation("later")}) {
    book()
        .when(assign_issue("i", owner, 20170801))
        .refused(ASSISTANCE_REFUSAL_OWNER_NOT_ACTIVE, "owner");
  }
  book().when(dated(assign_issue("i", worker("new"), 20170801), 20170701)).accepted();
}

TEST(AssignIssue, IsRefusedToAHousehold) {
  book()
      .when(assign_issue("i", household("h"), 20170801))
      .refused(COMMON_REFUSAL_FIELD_INVALID, "owner.kind");
}

TEST(AssignIssue, IsRefusedWhenPassedUpToAnUnknownOrganisation) {
  auto command = assign_issue("i", worker("li"), 20170701);
  command.set_escalated_to(id("nobody"));
  book().when(command).refused(COMMON_REFUSAL_SUBJECT_NOT_FOUND, "escalated_to");
}

TEST(ResolveIssue, IsWrittenWithAllItsInputs) {
  auto command = resolve_issue("i");
  *command.mutable_told_date() = date_of(20170617);
  IssueResolved expected;
  expected.set_issue_id(id("i"));
  expected.set_result(ISSUE_RESULT_SOLVED);
  *expected.mutable_evidence() = command.evidence();
  *expected.mutable_told_date() = date_of(20170617);

  auto scenario = book();
  scenario.when(command).accepted(expected);
  EXPECT_EQ(scenario.row<Issue>(id("i")).state(), Issue::STATE_RESOLVED);
  EXPECT_EQ(scenario.row<Issue>(id("i")).version(), scenario.last_seq());
  EXPECT_EQ(open_issues(scenario), 1);
}

TEST(ResolveIssue, MayFollowAnAssignment) {
  auto scenario = book();
  scenario.given(assign_issue("i", worker("li"), 20170701)).when(resolve_issue("i")).accepted();
  EXPECT_EQ(open_issues(scenario), 1);
}

TEST(ResolveIssue, IsRefusedForAnUnknownIssue) {
  book()
      .expecting_version(1)
      .when(resolve_issue("k"))
      .refused(ASSISTANCE_REFUSAL_ISSUE_NOT_FOUND, "issue_id");
}

TEST(ResolveIssue, IsRefusedTwiceBeforeVersionsAreCompared) {
  auto scenario = book();
  scenario.given(resolve_issue("i"))
      .expecting_version(1)
      .when(resolve_issue("i"))
      .refused(ASSISTANCE_REFUSAL_ISSUE_RESOLVED, "issue_id");
  EXPECT_EQ(open_issues(scenario), 1);
}

TEST(ResolveIssue, IsRefusedAtAnotherVersionBeforeDatesAreCompared) {
  book()
      .expecting_version(1)
      .when(dated(resolve_issue("i"), kRaised - 1))
      .refused(COMMON_REFUSAL_VERSION_MISMATCH, "context.expected_version");
}

TEST(ResolveIssue, IsRefusedBeforeItWasRaisedBeforeEvidenceIsAsked) {
  book()
      .when(dated(with(resolve_issue("i"), [](auto& c) { c.clear_evidence(); }), kRaised - 1))
      .refused(COMMON_REFUSAL_DATE_ORDER_INVALID, "context.effective_date");
}

TEST(ResolveIssue, IsRefusedWithoutEvidence) {
  book()
      .when(with(resolve_issue("i"), [](auto& c) { c.clear_evidence(); }))
      .refused(ASSISTANCE_REFUSAL_EVIDENCE_MISSING, "evidence");
}

TEST(ReopenIssue, TakesAResolvedIssueUpAgain) {
  ReopenIssueRequest command;
  command.set_issue_id(id("i"));
  auto scenario = book();
  scenario.when(command).refused(ASSISTANCE_REFUSAL_ISSUE_NOT_RESOLVED, "issue_id");
  scenario.given(resolve_issue("i"))
      .expecting_version(1)
      .when(command)
      .refused(COMMON_REFUSAL_VERSION_MISMATCH, "context.expected_version");
  scenario.when(command).accepted();
  EXPECT_EQ(scenario.row<Issue>(id("i")).state(), Issue::STATE_ASSIGNED);
  EXPECT_EQ(open_issues(scenario), 2);
  command.set_issue_id(id("x"));
  scenario.when(command).refused(ASSISTANCE_REFUSAL_ISSUE_NOT_FOUND, "issue_id");
}

}  // namespace
}  // namespace taizhang::test
