// Loaded statuses: what is refused, in which order, and what stays.
#include "services/common/references.h"
#include "services/registry/registry.h"
#include "services/rules/rules.h"
#include "taizhang/common/v1/errors.pb.h"
#include "taizhang/registry/state/v1/state.pb.h"
#include "taizhang/registry/v1/errors.pb.h"
#include "taizhang/registry/v1/events.pb.h"
#include "tests/support/registry_commands.h"

namespace taizhang::test {
namespace {

using namespace common::v1;
using namespace registry::v1;
using registry::state::v1::Household;
using registry::state::v1::HouseholdStatus;

constexpr int32_t kGolive = 20170101;

rules::v1::ParameterSet golive_set() {
  return parameter_set("golive.date", {}, date_value(kGolive));
}

Scenario book_without_golive() {
  Scenario scenario({register_rules, register_registry, register_reference_checks});
  give_county(scenario);
  scenario.given(register_household("h"),
                 parameter_defined("golive.date", rules::v1::PARAMETER_TYPE_DATE, {}));
  return scenario;
}

Scenario book() {
  auto scenario = book_without_golive();
  scenario.given(golive_set());
  return scenario;
}

LoadHouseholdStatusRequest and_then(LoadHouseholdStatusRequest command, std::string_view status,
                                    int32_t from_day, int32_t to_day = 0) {
  *command.add_periods() = load_status("h", status, from_day, to_day).periods(0);
  return command;
}

TEST(LoadHouseholdStatus, IsWrittenWithTheRuleItAsked) {
  const auto command = and_then(load_status("h", "LIFTED", 20161231), "POOR", 20140101, 20161230);
  auto scenario = book();
  scenario.when(command).accepted();
  const auto& event = scenario.event<HouseholdStatusLoaded>();
  EXPECT_EQ(event.household_id(), id("h"));
  ASSERT_EQ(event.periods_size(), 2);
  EXPECT_EQ(event.periods(1).status(), "POOR");
  EXPECT_EQ(event.document().document_id(), command.document().document_id());
  ASSERT_EQ(event.parameters_used_size(), 1);
  EXPECT_EQ(event.parameters_used(0).key(), "golive.date");
  EXPECT_EQ(event.parameters_used(0).value(), "2017-01-01");

  const auto& row = scenario.row<HouseholdStatus>(id("h"));
  ASSERT_EQ(row.periods_size(), 2);
  EXPECT_EQ(row.periods(0).status(), "POOR");
  EXPECT_EQ(row.periods(0).to_day(), 20161230);
  EXPECT_EQ(row.periods(1).status(), "LIFTED");
  EXPECT_EQ(row.periods(1).from_day(), 20161231);
  EXPECT_EQ(row.periods(1).to_day(), 0);
  EXPECT_TRUE(row.periods(1).loaded());
  EXPECT_EQ(scenario.row<Household>(id("h")).version(), scenario.last_seq());
}

TEST(LoadHouseholdStatus, IsRefusedForAnUnknownHousehold) {
  book()
      .expecting_version(1)
      .when(load_status("other", "POOR", 20180101))
      .refused(REGISTRY_REFUSAL_HOUSEHOLD_NOT_FOUND, "household_id");
}

TEST(LoadHouseholdStatus, IsRefusedAtAnotherVersionBeforeRulesAreAsked) {
  auto scenario = book_without_golive();
  const int64_t version = scenario.row<Household>(id("h")).version();
  scenario.expecting_version(version - 1)
      .when(load_status("h", "POOR", 20180101))
      .refused(COMMON_REFUSAL_VERSION_MISMATCH, "context.expected_version");
  scenario.given(golive_set())
      .expecting_version(version)
      .when(load_status("h", "POOR", 20160101))
      .accepted();
}

TEST(LoadHouseholdStatus, CannotBeDecidedWithoutAGoliveDate) {
  book_without_golive()
      .when(load_status("h", "POOR", 20160101))
      .refused(COMMON_REFUSAL_PARAMETER_MISSING, "periods");
}

TEST(LoadHouseholdStatus, IsRefusedForAStatusThatBeganAfterGolive) {
  // The last day that may be loaded, and the next one; the order is: golive, then overlaps.
  book().when(load_status("h", "POOR", kGolive)).accepted();
  book()
      .when(and_then(load_status("h", "POOR", 20160101), "LIFTED", 20170102))
      .refused(REGISTRY_REFUSAL_AFTER_GOLIVE, "periods[1].from_date");
}

TEST(LoadHouseholdStatus, IsRefusedWhenItsPeriodsOverlap) {
  book()
      .when(and_then(load_status("h", "POOR", 20140101, 20160101), "LIFTED", 20160101))
      .refused(REGISTRY_REFUSAL_STATUS_OVERLAPS, "periods[1]");
  book()
      .when(and_then(load_status("h", "POOR", 20140101), "LIFTED", 20160101))
      .refused(REGISTRY_REFUSAL_STATUS_OVERLAPS, "periods[1]");
}

TEST(LoadHouseholdStatus, IsRefusedWhenAKnownPeriodOverlaps) {
  auto scenario = book();
  scenario.given(load_status("h", "LIFTED", 20161231))
      .when(load_status("h", "POOR", 20140101, 20161231))
      .refused(REGISTRY_REFUSAL_STATUS_OVERLAPS, "periods[0]");
  scenario.when(load_status("h", "POOR", 20170101))
      .refused(REGISTRY_REFUSAL_STATUS_OVERLAPS, "periods[0]");
  scenario.when(load_status("h", "POOR", 20140101, 20161230)).accepted();
  EXPECT_EQ(scenario.row<HouseholdStatus>(id("h")).periods(0).status(), "POOR");
}

TEST(LoadHouseholdStatus, IsRefusedWhenAPeriodEndsBeforeItBegins) {
  book()
      .when(load_status("h", "POOR", 20160102, 20160101))
      .refused(COMMON_REFUSAL_DATE_ORDER_INVALID, "periods[0].to_date");
}

TEST(LoadHouseholdStatus, IsRefusedWithoutDocumentOrPeriods) {
  book()
      .when(with(load_status("h", "POOR", 20160101), [](auto& c) { c.clear_document(); }))
      .refused(COMMON_REFUSAL_DOCUMENT_REQUIRED, "document");
  book()
      .when(with(load_status("h", "POOR", 20160101), [](auto& c) { c.clear_periods(); }))
      .refused(COMMON_REFUSAL_FIELD_REQUIRED, "periods");
}

TEST(LoadHouseholdStatus, IsRefusedWithAStatusOfNoList) {
  book()
      .when(load_status("h", "RICH", 20160101))
      .refused(COMMON_REFUSAL_CODE_NOT_IN_LIST, "periods[0].status");
}

}  // namespace
}  // namespace taizhang::test
