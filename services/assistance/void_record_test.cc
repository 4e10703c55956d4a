// Voiding: what is refused, in which order, who may do it, and what it frees.
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
using assistance::state::v1::IssueOpen;
using assistance::state::v1::Visit;
using assistance::state::v1::VisitKey;

constexpr int32_t kVisited = 20170601;
constexpr int32_t kDayBefore = 20170531;
constexpr int32_t kDayThirty = 20170701;
constexpr int32_t kDayThirtyOne = 20170702;
constexpr std::string_view kKey = "void.second_person_after_days";

Scenario book_without_rule() {
  Scenario scenario(
      {register_rules, register_registry, register_assistance, register_reference_checks});
  give_county(scenario);
  scenario.given(register_organisation("unit"), register_worker("li"), register_worker("wang"),
                 register_household("h"),
                 parameter_defined(kKey, rules::v1::PARAMETER_TYPE_DAYS, {"kind"}));
  return scenario;
}

// After 30 days a second person voids a visit; one "v" was recorded by subject clerk, worker li.
Scenario book() {
  auto scenario = book_without_rule();
  scenario.given(parameter_set(kKey, {{"kind", "VISIT"}}, days_value(30)))
      .as("clerk", id("li"))
      .given(noting(record_visit("v", household("h"), "li", kVisited), "i"));
  return scenario;
}

VoidRecordRequest void_visit(std::string_view name, int32_t day) {
  return dated(void_record(SUBJECT_KIND_VISIT, name), day);
}

TEST(VoidRecord, IsWrittenWithTheRuleItAsked) {
  auto command = void_visit("v", kDayThirty);
  command.set_replaced_by(id("w"));
  auto scenario = book();
  scenario.when(command).accepted();
  const auto& event = scenario.event<RecordVoided>();
  EXPECT_EQ(event.record().id(), id("v"));
  EXPECT_EQ(event.replaced_by(), id("w"));
  ASSERT_EQ(event.parameters_used_size(), 1);
  EXPECT_EQ(event.parameters_used(0).value(), "30");
  EXPECT_TRUE(scenario.row<Visit>(id("v")).voided());
  EXPECT_EQ(scenario.row<Visit>(id("v")).version(), scenario.last_seq());
}

TEST(VoidRecord, FreesTheVisitsKeyAndKeepsItsIssues) {
  auto scenario = book();
  scenario.given(void_visit("v", kDayThirty));
  EXPECT_FALSE(scenario.has<VisitKey>(id("h"), kVisited, VISIT_CHANNEL_HOME, id("li")));
  EXPECT_EQ(scenario.row<IssueOpen>(SUBJECT_KIND_HOUSEHOLD, id("h")).count(), 1);
  scenario.when(record_visit("w", household("h"), "li", kVisited)).accepted();
  scenario.when(record_visit("x", household("h"), "li", kVisited))
      .refused(ASSISTANCE_REFUSAL_VISIT_REPEATED, "visited.id");
  // And again, when the replacement is voided in its turn.
  scenario.when(void_visit("w", kDayThirty)).accepted();
  scenario.when(record_visit("x", household("h"), "li", kVisited)).accepted();
}

TEST(VoidRecord, OfAVillageVisitFreesNothing) {
  auto scenario = book();
  scenario.given(record_visit("w", village(kVillageJ), "li", kVisited))
      .when(void_visit("w", kVisited))
      .accepted();
  EXPECT_TRUE(scenario.has<VisitKey>(id("h"), kVisited, VISIT_CHANNEL_HOME, id("li")));
}

TEST(VoidRecord, IsRefusedForUnknownRecords) {
  for (const auto kind : {SUBJECT_KIND_VISIT, SUBJECT_KIND_PAIRING, SUBJECT_KIND_ISSUE,
                          SUBJECT_KIND_CHECK, SUBJECT_KIND_HOUSEHOLD}) {
    book()
        .when(dated(void_record(kind, "nothing"), kDayThirty))
        .refused(ASSISTANCE_REFUSAL_RECORD_NOT_FOUND, "record");
  }
  // Known, but to another context.
  book()
      .when(dated(void_record(SUBJECT_KIND_HOUSEHOLD, "h"), kDayThirty))
      .refused(ASSISTANCE_REFUSAL_RECORD_NOT_FOUND, "record");
}

TEST(VoidRecord, IsRefusedForPairingsAndIssues) {
  book()
      .given(
          start_pairing("p", PAIRING_KIND_CADRE_HOUSEHOLD, worker("li"), household("h"), kVisited))
      .expecting_version(1)
      .when(dated(void_record(SUBJECT_KIND_PAIRING, "p"), kDayThirty))
      .refused(ASSISTANCE_REFUSAL_RECORD_NOT_VOIDABLE, "record");
  book()
      .when(dated(void_record(SUBJECT_KIND_ISSUE, "i"), kDayThirty))
      .refused(ASSISTANCE_REFUSAL_RECORD_NOT_VOIDABLE, "record");
}

TEST(VoidRecord, IsRefusedTwiceBeforeVersionsAreCompared) {
  book()
      .given(void_visit("v", kDayThirty))
      .expecting_version(1)
      .when(void_visit("v", kDayThirty))
      .refused(ASSISTANCE_REFUSAL_ALREADY_VOIDED, "record");
}

TEST(VoidRecord, IsRefusedAtAnotherVersionBeforeRulesAreAsked) {
  auto scenario = book_without_rule();
  scenario.given(record_visit("v", household("h"), "li", kVisited))
      .expecting_version(1)
      .when(void_visit("v", kDayThirtyOne))
      .refused(COMMON_REFUSAL_VERSION_MISMATCH, "context.expected_version");
}

TEST(VoidRecord, IsRefusedBeforeTheVisitAndBeforeRulesAreAsked) {
  book()
      .when(void_visit("v", kDayBefore))
      .refused(COMMON_REFUSAL_DATE_ORDER_INVALID, "context.effective_date")
      .expecting_version(1)
      .when(void_visit("v", kDayBefore))
      .refused(COMMON_REFUSAL_VERSION_MISMATCH, "context.expected_version");
  auto scenario = book_without_rule();
  scenario.given(record_visit("v", household("h"), "li", kVisited))
      .when(void_visit("v", kDayBefore))
      .refused(COMMON_REFUSAL_DATE_ORDER_INVALID, "context.effective_date");
}

TEST(VoidRecord, CannotBeDecidedWithoutARule) {
  book_without_rule()
      .given(record_visit("v", household("h"), "li", kVisited))
      .when(void_visit("v", kDayThirtyOne))
      .refused(COMMON_REFUSAL_PARAMETER_MISSING, "record");
}

TEST(VoidRecord, OfAnOldRecordNeedsASecondPerson) {
  book().when(void_visit("v", kDayThirty)).accepted();
  book()
      .when(void_visit("v", kDayThirtyOne))
      .refused(ASSISTANCE_REFUSAL_SECOND_PERSON_REQUIRED, "record");
  book().as("other", id("wang")).when(void_visit("v", kDayThirtyOne)).accepted();
}

TEST(VoidRecord, NoRightStandsForASecondPerson) {
  book()
      .with_rights({"SELF_APPROVE"})
      .when(void_visit("v", kDayThirtyOne))
      .refused(ASSISTANCE_REFUSAL_SECOND_PERSON_REQUIRED, "record");
}

TEST(VoidRecord, PersonsAreToldApartByWorkerIdElseBySubject) {
  // The same worker under another subject; another worker under the same; one side without worker.
  book()
      .as("other", id("li"))
      .when(void_visit("v", kDayThirtyOne))
      .refused(ASSISTANCE_REFUSAL_SECOND_PERSON_REQUIRED, "record");
  book().as("clerk", id("wang")).when(void_visit("v", kDayThirtyOne)).accepted();
  book()
      .as("clerk")
      .when(void_visit("v", kDayThirtyOne))
      .refused(ASSISTANCE_REFUSAL_SECOND_PERSON_REQUIRED, "record");
  book().as("other").when(void_visit("v", kDayThirtyOne)).accepted();
}

TEST(VoidRecord, IsRefusedWithItselfInItsPlace) {
  auto command = void_visit("v", kDayThirty);
  command.set_replaced_by(id("v"));
  book().when(command).refused(COMMON_REFUSAL_FIELD_INVALID, "replaced_by");
}

TEST(VoidRecord, IsRefusedWithoutAReason) {
  auto command = void_visit("v", kDayThirty);
  command.mutable_context()->clear_reason();
  book().when(command).refused(COMMON_REFUSAL_REASON_REQUIRED, "context.reason");
}

TEST(VoidRecord, IsForMakersAndCheckers) {
  for (const auto role : {ROLE_MAKER, ROLE_CHECKER}) {
    book().with_roles({role}).when(void_visit("v", kDayThirty)).accepted();
  }
  book()
      .with_roles({ROLE_OPERATOR, ROLE_READER})
      .when(void_visit("v", kDayThirty))
      .refused(COMMON_REFUSAL_NOT_AUTHORISED, "");
}

}  // namespace
}  // namespace taizhang::test
