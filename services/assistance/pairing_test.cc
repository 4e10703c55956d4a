// Pairings: what is refused, in which order, which days they hold, and how they may end.
#include "services/assistance/assistance.h"
#include "services/common/references.h"
#include "services/registry/registry.h"
#include "services/rules/rules.h"
#include "taizhang/assistance/state/v1/state.pb.h"
#include "taizhang/assistance/v1/errors.pb.h"
#include "taizhang/assistance/v1/events.pb.h"
#include "taizhang/common/v1/errors.pb.h"
#include "taizhang/registry/v1/events.pb.h"
#include "tests/support/assistance_commands.h"

namespace taizhang::test {
namespace {

using namespace assistance::v1;
using namespace common::v1;
using assistance::state::v1::Pairing;
using assistance::state::v1::PairingByHelped;
using assistance::state::v1::PairingByHelper;

constexpr auto kCadre = PAIRING_KIND_CADRE_HOUSEHOLD;

// Organisations, two workers, household "h"; registered on 2017-01-01.
Scenario book() {
  Scenario scenario(
      {register_rules, register_registry, register_assistance, register_reference_checks});
  give_county(scenario);
  scenario.given(register_organisation("unit"),
                 register_organisation("office", registry::v1::ORGANISATION_KIND_GOVERNMENT),
                 register_organisation("firm", registry::v1::ORGANISATION_KIND_ENTERPRISE),
                 register_organisation("branch", registry::v1::ORGANISATION_KIND_BRANCH),
                 register_organisation("school", registry::v1::ORGANISATION_KIND_SCHOOL),
                 register_worker("li"), register_worker("wang"), register_household("h"),
                 register_household("other", 1, 10));
  return scenario;
}

StartPairingRequest cadre(std::string_view name, int32_t from_day, std::string_view helper = "li",
                          std::string_view helped = "h") {
  return start_pairing(name, kCadre, worker(helper), household(helped), from_day);
}

registry::v1::HouseholdStatusLoaded has_status(std::string_view status, int32_t from_day,
                                               int32_t to_day = 0) {
  registry::v1::HouseholdStatusLoaded event;
  event.set_household_id(id("h"));
  *event.mutable_periods() = load_status("h", status, from_day, to_day).periods();
  return event;
}

// With pairing.end_requires as it is set for households, and none asked of branches.
Scenario book_with_rules() {
  auto scenario = book();
  const std::string_view key = "pairing.end_requires";
  scenario.given(
      parameter_defined(key, rules::v1::PARAMETER_TYPE_ENUM_SET, {"kind"}),
      parameter_set(key, {{"kind", "CADRE_HOUSEHOLD"}}, set_value({"LIFTED", "SUCCESSOR"}), 1),
      parameter_set(key, {{"kind", "TEACHER_HOUSEHOLD"}}, set_value({"LIFTED"}), 2),
      parameter_set(key, {{"kind", "BRANCH_VILLAGE"}}, set_value({}), 3));
  return scenario;
}

// Pairing "p" of li and h from 2017-01-01.
Scenario paired() {
  auto scenario = book_with_rules();
  scenario.given(cadre("p", 20170101));
  return scenario;
}

TEST(StartPairing, IsWrittenWithAllItsInputs) {
  auto command = cadre("p", 20170301);
  command.set_accountable_worker_id(id("wang"));
  PairingStarted expected;
  expected.set_pairing_id(id("p"));
  expected.set_kind(kCadre);
  *expected.mutable_helper() = worker("li");
  *expected.mutable_helped() = household("h");
  expected.set_role("RESPONSIBLE");
  *expected.mutable_from_date() = date_of(20170301);
  expected.set_accountable_worker_id(id("wang"));
  *expected.mutable_document() = command.document();

  auto scenario = book();
  scenario.when(command).accepted(expected);
  const auto& row = scenario.row<Pairing>(id("p"));
  EXPECT_EQ(row.kind(), kCadre);
  EXPECT_EQ(row.helper().id(), id("li"));
  EXPECT_EQ(row.helped().id(), id("h"));
  EXPECT_EQ(row.role(), "RESPONSIBLE");
  EXPECT_EQ(row.from_day(), 20170301);
  EXPECT_EQ(row.to_day(), 0);
  EXPECT_EQ(row.version(), scenario.last_seq());
  EXPECT_TRUE(scenario.has<PairingByHelped>(SUBJECT_KIND_HOUSEHOLD, id("h"), id("p")));
  EXPECT_TRUE(scenario.has<PairingByHelper>(SUBJECT_KIND_WORKER, id("li"), id("p")));
}

struct Sides {
  PairingKind kind;
  SubjectRef helper;
  SubjectRef helped;
};

std::vector<Sides> right_sides() {
  return {
      {PAIRING_KIND_UNIT_VILLAGE, organisation("unit"), village(kVillageJ)},
      {PAIRING_KIND_UNIT_VILLAGE, organisation("office"), village(kVillageJ)},
      {PAIRING_KIND_UNIT_TOWNSHIP, organisation("unit"), region(kTown)},
      {PAIRING_KIND_LEADER_VILLAGE, worker("li"), village(kVillageJ)},
      {PAIRING_KIND_CADRE_HOUSEHOLD, worker("li"), household("h")},
      {PAIRING_KIND_CADRE_GROUP, worker("li"), region(kGroup)},
      {PAIRING_KIND_ENTERPRISE_VILLAGE, organisation("firm"), village(kVillageJ)},
      {PAIRING_KIND_ENTERPRISE_HOUSEHOLD, organisation("firm"), household("h")},
      {PAIRING_KIND_BRANCH_VILLAGE, organisation("branch"), village(kVillageJ)},
      {PAIRING_KIND_STAFF_SCHOOL, worker("li"), organisation("school")},
      {PAIRING_KIND_HEAD_TEACHER, worker("li"), worker("wang")},
      {PAIRING_KIND_TEACHER_STUDENT, worker("li"), person("h-0")},
      {PAIRING_KIND_TEACHER_HOUSEHOLD, worker("li"), household("h")},
      {PAIRING_KIND_LIAISON_HOUSEHOLD, worker("li"), household("h")},
  };
}

TEST(StartPairing, TakesForEachKindItsHelperAndHelped) {
  for (const auto& [kind, helper, helped] : right_sides()) {
    book().when(start_pairing("p", kind, helper, helped, 20170301)).accepted();
  }
}

TEST(StartPairing, IsRefusedWithHelpersAndHelpedOfOtherKinds) {
  for (const auto& [kind, helper, helped] : right_sides()) {
    SCOPED_TRACE(PairingKind_Name(kind));
    const auto wrong_helper =
        helper.kind() == SUBJECT_KIND_WORKER ? organisation("unit") : worker("li");
    const auto wrong_helped =
        helped.kind() == SUBJECT_KIND_HOUSEHOLD ? person("h-0") : household("h");
    book()
        .when(start_pairing("p", kind, wrong_helper, wrong_helped, 20170301))
        .refused(ASSISTANCE_REFUSAL_HELPER_KIND_MISMATCH, "helper");
    book()
        .when(start_pairing("p", kind, helper, wrong_helped, 20170301))
        .refused(ASSISTANCE_REFUSAL_HELPED_KIND_MISMATCH, "helped");
  }
}

TEST(StartPairing, IsRefusedWithOrganisationsOfOtherKinds) {
  for (const auto name : {"firm", "branch"}) {
    book()
        .when(start_pairing("p", PAIRING_KIND_UNIT_VILLAGE, organisation(name), village(kVillageJ),
                            20170301))
        .refused(ASSISTANCE_REFUSAL_HELPER_KIND_MISMATCH, "helper");
  }
  book()
      .when(start_pairing("p", PAIRING_KIND_ENTERPRISE_VILLAGE, organisation("unit"),
                          village(kVillageJ), 20170301))
      .refused(ASSISTANCE_REFUSAL_HELPER_KIND_MISMATCH, "helper");
  book()
      .when(start_pairing("p", PAIRING_KIND_BRANCH_VILLAGE, organisation("unit"),
                          village(kVillageJ), 20170301))
      .refused(ASSISTANCE_REFUSAL_HELPER_KIND_MISMATCH, "helper");
  book()
      .when(start_pairing("p", PAIRING_KIND_STAFF_SCHOOL, worker("li"), organisation("unit"),
                          20170301))
      .refused(ASSISTANCE_REFUSAL_HELPED_KIND_MISMATCH, "helped");
}

TEST(StartPairing, IsRefusedWithRegionsOfOtherLevels) {
  const auto refused = [](PairingKind kind, const SubjectRef& helped) {
    const auto helper = kind == PAIRING_KIND_UNIT_TOWNSHIP ? organisation("unit") : worker("li");
    book()
        .when(start_pairing("p", kind, helper, helped, 20170301))
        .refused(ASSISTANCE_REFUSAL_HELPED_KIND_MISMATCH, "helped");
  };
  refused(PAIRING_KIND_UNIT_TOWNSHIP, region(kVillageJ));
  refused(PAIRING_KIND_CADRE_GROUP, region(kVillageJ));
  refused(PAIRING_KIND_LEADER_VILLAGE, region(kVillageJ));
  refused(PAIRING_KIND_LEADER_VILLAGE, village(kTown));
}

TEST(StartPairing, KindsAreJudgedBeforeAnybodyIsSought) {
  book()
      .when(start_pairing("p", kCadre, organisation("nobody"), household("h"), 20170301))
      .refused(ASSISTANCE_REFUSAL_HELPER_KIND_MISMATCH, "helper");
  book()
      .when(start_pairing("p", kCadre, worker("nobody"), person("h-0"), 20170301))
      .refused(ASSISTANCE_REFUSAL_HELPED_KIND_MISMATCH, "helped");
}

TEST(StartPairing, IsRefusedWithAnUnknownHelperBeforeTheHelpedIsSought) {
  book()
      .when(cadre("p", 20170301, "nobody", "nobody"))
      .refused(ASSISTANCE_REFUSAL_HELPER_NOT_ACTIVE, "helper");
  book()
      .when(start_pairing("p", PAIRING_KIND_ENTERPRISE_VILLAGE, organisation("nobody"),
                          village(kVillageJ), 20170301))
      .refused(ASSISTANCE_REFUSAL_HELPER_NOT_ACTIVE, "helper");
}

TEST(StartPairing, IsRefusedBeforeHelperAndHelpedAreRegistered) {
  book().when(cadre("p", 20161231)).refused(ASSISTANCE_REFUSAL_HELPER_NOT_ACTIVE, "helper");
  book()
      .given(dated(register_organisation("unit2"), 20160101))
      .given(dated(with(register_worker("zhao"), [](auto& c) { c.set_org_id(id("unit2")); }),
                   20160101))
      .when(cadre("p", 20161231, "zhao"))
      .refused(ASSISTANCE_REFUSAL_HELPED_NOT_ACTIVE, "helped");
}

TEST(StartPairing, IsRefusedWithAnUnknownVillage) {
  book()
      .when(start_pairing("p", PAIRING_KIND_LEADER_VILLAGE, worker("nobody"),
                          village("990101100299"), 20170301))
      .refused(COMMON_REFUSAL_REGION_NOT_FOUND, "helped.id");
}

TEST(StartPairing, TheHelpedIsAskedBeforeOtherPairings) {
  // Back-dated: a later pairing of the same two is open, but the household was not there then.
  book()
      .given(dated(register_organisation("unit2"), 20160101))
      .given(dated(with(register_worker("zhao"), [](auto& c) { c.set_org_id(id("unit2")); }),
                   20160101))
      .given(cadre("p", 20170101, "zhao"))
      .when(cadre("q", 20161231, "zhao"))
      .refused(ASSISTANCE_REFUSAL_HELPED_NOT_ACTIVE, "helped");
}

TEST(StartPairing, IsRefusedWhileTheSameIsOpen) {
  for (const int32_t from_day : {20170228, 20170301, 20170302}) {
    book()
        .given(cadre("p", 20170301))
        .when(cadre("q", from_day))
        .refused(ASSISTANCE_REFUSAL_PAIRING_EXISTS, "helped");
  }
}

TEST(StartPairing, MayFollowOnTheDayAfterTheSameEnded) {
  auto scenario = paired();
  scenario.given(has_status("LIFTED", 20170101),
                 end_pairing("p", 20170531, PAIRING_END_CAUSE_LIFTED));
  scenario.when(cadre("q", 20170531)).refused(ASSISTANCE_REFUSAL_PAIRING_EXISTS, "helped");
  scenario.when(cadre("q", 20170601)).accepted();
  // An earlier one would reach into both.
  scenario.when(cadre("r", 20170101)).refused(ASSISTANCE_REFUSAL_PAIRING_EXISTS, "helped");
}

TEST(StartPairing, MayTakeTheDaysOfOneThatEndedInError) {
  paired()
      .given(end_pairing("p", 20161231, PAIRING_END_CAUSE_IN_ERROR))
      .when(cadre("q", 20170101))
      .accepted();
  // Also an earlier one that covers the day on which it is said to have ended.
  book()
      .given(cadre("p", 20170301), end_pairing("p", 20170228, PAIRING_END_CAUSE_IN_ERROR))
      .when(cadre("q", 20170201))
      .accepted();
}

TEST(StartPairing, OfOtherHelpersHelpedOrKindsStandBesideIt) {
  auto scenario = book();
  scenario.given(cadre("p", 20170301));
  scenario.when(cadre("q", 20170301, "wang")).accepted();
  scenario.when(cadre("r", 20170301, "li", "other")).accepted();
  scenario
      .when(start_pairing("s", PAIRING_KIND_LIAISON_HOUSEHOLD, worker("li"), household("h"),
                          20170301))
      .accepted();
}

TEST(StartPairing, IsRefusedInTheFuture) {
  book().when(cadre("p", 20180701)).refused(COMMON_REFUSAL_EFFECTIVE_DATE_IN_FUTURE, "from_date");
}

TEST(StartPairing, HasNoOtherEffectiveDate) {
  book()
      .when(dated(cadre("p", 20170301), 20170301))
      .refused(COMMON_REFUSAL_FIELD_INVALID, "context.effective_date");
}

TEST(StartPairing, IsRefusedWithoutADocument) {
  book()
      .when(with(cadre("p", 20170301), [](auto& c) { c.clear_document(); }))
      .refused(COMMON_REFUSAL_DOCUMENT_REQUIRED, "document");
}

TEST(StartPairing, IsRefusedWithAnUnknownAccountableWorker) {
  book()
      .when(with(cadre("p", 20170301, "nobody"),
                 [](auto& c) { c.set_accountable_worker_id(id("nobody")); }))
      .refused(COMMON_REFUSAL_SUBJECT_NOT_FOUND, "accountable_worker_id");
}

TEST(StartPairing, OfOtherContentIsRefusedUnderTheSameId) {
  auto scenario = book();
  scenario.given(cadre("p", 20170301))
      .when(cadre("p", 20170302))
      .refused(COMMON_REFUSAL_ID_TAKEN, "pairing_id");
  scenario.when(cadre("p", 20170301)).unchanged();
}

TEST(EndPairing, IsWrittenWithTheRuleItAsked) {
  auto scenario = paired();
  scenario.given(has_status("LIFTED", 20170101))
      .when(end_pairing("p", 20170531, PAIRING_END_CAUSE_LIFTED))
      .accepted();
  const auto& event = scenario.event<PairingEnded>();
  EXPECT_EQ(event.pairing_id(), id("p"));
  EXPECT_EQ(day_of(event.to_date()), 20170531);
  EXPECT_EQ(event.cause(), PAIRING_END_CAUSE_LIFTED);
  ASSERT_EQ(event.parameters_used_size(), 1);
  EXPECT_EQ(event.parameters_used(0).key(), "pairing.end_requires");
  EXPECT_EQ(event.parameters_used(0).version(), 1);
  const auto& row = scenario.row<Pairing>(id("p"));
  EXPECT_EQ(row.to_day(), 20170531);
  EXPECT_EQ(row.end_cause(), PAIRING_END_CAUSE_LIFTED);
  EXPECT_EQ(row.version(), scenario.last_seq());
}

TEST(EndPairing, IsRefusedWhenItIsUnknown) {
  paired()
      .expecting_version(1)
      .when(end_pairing("q", 20170531, PAIRING_END_CAUSE_LIFTED))
      .refused(ASSISTANCE_REFUSAL_PAIRING_NOT_FOUND, "pairing_id");
}

TEST(EndPairing, IsRefusedWhenItsSuccessorIsUnknownBeforeItsOwnEndIsAsked) {
  paired()
      .given(end_pairing("p", 20161231, PAIRING_END_CAUSE_IN_ERROR))
      .when(end_pairing("p", 20170531, PAIRING_END_CAUSE_SUCCEEDED, "q"))
      .refused(ASSISTANCE_REFUSAL_PAIRING_NOT_FOUND, "successor_pairing_id");
}

TEST(EndPairing, IsRefusedWhenItHasEndedBeforeVersionsAreCompared) {
  paired()
      .given(end_pairing("p", 20161231, PAIRING_END_CAUSE_IN_ERROR))
      .expecting_version(1)
      .when(end_pairing("p", 20170531, PAIRING_END_CAUSE_LIFTED))
      .refused(ASSISTANCE_REFUSAL_PAIRING_ALREADY_ENDED, "pairing_id");
}

TEST(EndPairing, IsRefusedAtAnotherVersionBeforeDatesAreCompared) {
  auto scenario = paired();
  scenario.expecting_version(1)
      .when(end_pairing("p", 20161231, PAIRING_END_CAUSE_LIFTED))
      .refused(COMMON_REFUSAL_VERSION_MISMATCH, "context.expected_version");
  scenario.expecting_version(scenario.row<Pairing>(id("p")).version())
      .when(end_pairing("p", 20161231, PAIRING_END_CAUSE_IN_ERROR))
      .accepted();
}

TEST(EndPairing, IsRefusedBeforeItBeganBeforeRulesAreAsked) {
  book()
      .given(cadre("p", 20170301))
      .when(end_pairing("p", 20170228, PAIRING_END_CAUSE_LIFTED))
      .refused(COMMON_REFUSAL_DATE_ORDER_INVALID, "to_date");
}

TEST(EndPairing, InErrorEndsOnTheDayBeforeItBegan) {
  for (const int32_t to_day : {20170227, 20170301, 20170302}) {
    book()
        .given(cadre("p", 20170301))
        .when(end_pairing("p", to_day, PAIRING_END_CAUSE_IN_ERROR))
        .refused(COMMON_REFUSAL_DATE_ORDER_INVALID, "to_date");
  }
  auto scenario = book();
  scenario.given(cadre("p", 20170301))
      .when(end_pairing("p", 20170228, PAIRING_END_CAUSE_IN_ERROR))
      .accepted();
  EXPECT_EQ(scenario.event<PairingEnded>().parameters_used_size(), 0);
  EXPECT_EQ(scenario.row<Pairing>(id("p")).to_day(), 20170228);
}

TEST(EndPairing, CannotBeDecidedForAKindWithoutARule) {
  auto scenario = book_with_rules();
  scenario.given(start_pairing("p", PAIRING_KIND_UNIT_VILLAGE, organisation("unit"),
                               village(kVillageJ), 20170101));
  for (const auto cause : {PAIRING_END_CAUSE_LIFTED, PAIRING_END_CAUSE_TERM_ENDED}) {
    scenario.when(end_pairing("p", 20170531, cause))
        .refused(COMMON_REFUSAL_PARAMETER_MISSING, "cause");
  }
  scenario.when(end_pairing("p", 20170531, PAIRING_END_CAUSE_SUCCEEDED, "p"))
      .refused(COMMON_REFUSAL_PARAMETER_MISSING, "cause");
}

TEST(EndPairing, IsRefusedWhileTheHouseholdIsNotLifted) {
  for (const auto cause : {PAIRING_END_CAUSE_LIFTED, PAIRING_END_CAUSE_TERM_ENDED}) {
    auto scenario = paired();
    scenario.when(end_pairing("p", 20170531, cause))
        .refused(ASSISTANCE_REFUSAL_NOT_LIFTED, "cause");
    scenario.given(has_status("POOR", 20170101))
        .when(end_pairing("p", 20170531, cause))
        .refused(ASSISTANCE_REFUSAL_NOT_LIFTED, "cause");
  }
  // Of class MONITORED.
  paired()
      .given(has_status("UNSTABLE", 20170101))
      .when(end_pairing("p", 20170531, PAIRING_END_CAUSE_LIFTED))
      .refused(ASSISTANCE_REFUSAL_NOT_LIFTED, "cause");
}

TEST(EndPairing, TheStatusOfTheLastDayCounts) {
  auto scenario = paired();
  scenario.given(has_status("LIFTED", 20170301, 20170531), has_status("POOR", 20170601));
  for (const int32_t to_day : {20170228, 20170601}) {
    scenario.when(end_pairing("p", to_day, PAIRING_END_CAUSE_LIFTED))
        .refused(ASSISTANCE_REFUSAL_NOT_LIFTED, "cause");
  }
  scenario.when(end_pairing("p", 20170531, PAIRING_END_CAUSE_LIFTED)).accepted();
}

TEST(EndPairing, AtItsTermNeedsARuleThatAsksNothing) {
  paired()
      .given(has_status("LIFTED", 20170101))
      .when(end_pairing("p", 20170531, PAIRING_END_CAUSE_TERM_ENDED))
      .refused(ASSISTANCE_REFUSAL_NOT_LIFTED, "cause");
  book_with_rules()
      .given(start_pairing("p", PAIRING_KIND_BRANCH_VILLAGE, organisation("branch"),
                           village(kVillageJ), 20170101))
      .when(end_pairing("p", 20170531, PAIRING_END_CAUSE_LIFTED))
      .refused(ASSISTANCE_REFUSAL_NOT_LIFTED, "cause")
      .when(end_pairing("p", 20170531, PAIRING_END_CAUSE_TERM_ENDED))
      .accepted();
}

TEST(EndPairing, IsRefusedWhileHelperAndHelpedAreThere) {
  // No rule is asked: it is refused without one.
  for (const auto cause : {PAIRING_END_CAUSE_HELPED_GONE, PAIRING_END_CAUSE_REGION_MERGED}) {
    book()
        .given(cadre("p", 20170301))
        .when(end_pairing("p", 20170531, cause))
        .refused(ASSISTANCE_REFUSAL_HELPED_STILL_ACTIVE, "cause");
  }
  book()
      .given(cadre("p", 20170301))
      .when(end_pairing("p", 20170531, PAIRING_END_CAUSE_HELPER_DIED))
      .refused(ASSISTANCE_REFUSAL_HELPER_STILL_ACTIVE, "cause");
}

TEST(EndPairing, MayBeSucceededWithoutAGap) {
  const auto ended = end_pairing("p", 20170531, PAIRING_END_CAUSE_SUCCEEDED, "q");
  auto scenario = paired();
  scenario.given(has_status("POOR", 20170101), cadre("q", 20170601, "wang")).when(ended).accepted();
  EXPECT_EQ(scenario.event<PairingEnded>().successor_pairing_id(), id("q"));
  paired().given(cadre("q", 20170201, "wang")).when(ended).accepted();
  paired()
      .given(cadre("q", 20170602, "wang"))
      .when(ended)
      .refused(ASSISTANCE_REFUSAL_SUCCESSOR_GAP, "successor_pairing_id");
}

TEST(EndPairing, IsRefusedWithASuccessorOfAnotherMatter) {
  const auto ended = end_pairing("p", 20170531, PAIRING_END_CAUSE_SUCCEEDED, "q");
  // All of them also start too late: what they are is judged first.
  paired()
      .given(cadre("q", 20170801, "wang", "other"))
      .when(ended)
      .refused(ASSISTANCE_REFUSAL_SUCCESSOR_MISMATCH, "successor_pairing_id");
  paired()
      .given(start_pairing("q", PAIRING_KIND_LIAISON_HOUSEHOLD, worker("wang"), household("h"),
                           20170801))
      .when(ended)
      .refused(ASSISTANCE_REFUSAL_SUCCESSOR_MISMATCH, "successor_pairing_id");
  paired()
      .given(cadre("q", 20170801, "wang"), end_pairing("q", 20170731, PAIRING_END_CAUSE_IN_ERROR))
      .when(ended)
      .refused(ASSISTANCE_REFUSAL_SUCCESSOR_MISMATCH, "successor_pairing_id");
  paired()
      .when(end_pairing("p", 20170531, PAIRING_END_CAUSE_SUCCEEDED, "p"))
      .refused(ASSISTANCE_REFUSAL_SUCCESSOR_MISMATCH, "successor_pairing_id");
}

TEST(EndPairing, ASuccessorSufficesOnlyWhereTheRuleNamesIt) {
  auto scenario = book_with_rules();
  scenario.given(
      start_pairing("p", PAIRING_KIND_TEACHER_HOUSEHOLD, worker("li"), household("h"), 20170101),
      cadre("q", 20170601, "wang"));
  // The rule is asked before the successor, which is of another kind.
  scenario.when(end_pairing("p", 20170531, PAIRING_END_CAUSE_SUCCEEDED, "q"))
      .refused(ASSISTANCE_REFUSAL_NOT_LIFTED, "cause");
  scenario.given(has_status("LIFTED", 20170101))
      .when(end_pairing("p", 20170531, PAIRING_END_CAUSE_SUCCEEDED, "q"))
      .refused(ASSISTANCE_REFUSAL_SUCCESSOR_MISMATCH, "successor_pairing_id");
}

TEST(EndPairing, NamesASuccessorExactlyWhenSucceeded) {
  paired()
      .when(end_pairing("p", 20170531, PAIRING_END_CAUSE_SUCCEEDED))
      .refused(COMMON_REFUSAL_FIELD_REQUIRED, "successor_pairing_id");
  paired()
      .when(end_pairing("p", 20170531, PAIRING_END_CAUSE_LIFTED, "q"))
      .refused(COMMON_REFUSAL_FIELD_INVALID, "successor_pairing_id");
}

TEST(EndPairing, IsRefusedInTheFuture) {
  paired()
      .when(end_pairing("p", 20180701, PAIRING_END_CAUSE_LIFTED))
      .refused(COMMON_REFUSAL_EFFECTIVE_DATE_IN_FUTURE, "to_date");
}

}  // namespace
}  // namespace taizhang::test
