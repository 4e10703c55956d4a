// Tests of the fixture itself: what it must not let pass.
#include "tests/support/scenario.h"

#include <gtest/gtest-spi.h>

#include "domain/dates.h"
#include "services/common/references.h"
#include "services/rules/rules.h"
#include "taizhang/common/v1/errors.pb.h"
#include "taizhang/rules/state/v1/state.pb.h"
#include "taizhang/rules/v1/commands.pb.h"
#include "taizhang/rules/v1/errors.pb.h"
#include "tests/support/reference_data.h"

namespace taizhang::test {
namespace {

using rules::v1::CreateRegionRequest;

Scenario book() { return Scenario({register_rules, register_reference_checks}); }

CreateRegionRequest create_county() {
  CreateRegionRequest command;
  command.set_region("990101");
  command.set_name("示例县");
  command.set_level(common::v1::ADMIN_LEVEL_COUNTY);
  *command.mutable_valid_from_date() = date_of(kReferenceDay);
  return command;
}

TEST(Scenario, CountsEveryEventAndCommandGiven) {
  auto table = book();
  table.given(region_created("990101"), code_list("sector", {"SOCIAL"}));
  EXPECT_EQ(table.last_seq(), 2);
  EXPECT_TRUE(table.has<rules::state::v1::Region>("990101"));
  EXPECT_EQ(table.row<rules::state::v1::Code>("sector", "SOCIAL").version(), 2);
}

TEST(Scenario, ARowMayBeGiven) {
  rules::state::v1::Region row;
  row.set_region("990101");
  row.set_name("given");
  auto table = book();
  EXPECT_EQ(table.given_row(row).row<rules::state::v1::Region>("990101").name(), "given");
}

TEST(Scenario, FillsTheContextUnlessToldNotTo) {
  book().when(create_county()).accepted();
  book()
      .when_exactly(create_county())
      .refused(common::v1::COMMON_REFUSAL_FIELD_REQUIRED, "context");
}

TEST(Scenario, ARefusalChangesNothing) {
  auto table = book();
  auto command = create_county();
  command.set_region("990102");
  const auto before = table.state();
  table.when(command).refused(common::v1::COMMON_REFUSAL_REGION_NOT_IN_LEDGER, "region");
  EXPECT_EQ(table.state(), before);
}

TEST(Scenario, FailsForAnotherReasonOrAnotherField) {
  static Scenario table = book();
  table.given(region_created("990101")).when(create_county());
  EXPECT_NONFATAL_FAILURE(table.refused(rules::v1::RULES_REFUSAL_LEVEL_MISMATCH, "region"),
                          "REGION_EXISTS");
  EXPECT_NONFATAL_FAILURE(table.refused(rules::v1::RULES_REFUSAL_REGION_EXISTS, "name"),
                          "REGION_EXISTS");
  EXPECT_NONFATAL_FAILURE(table.accepted(), "REGION_EXISTS");
  EXPECT_NONFATAL_FAILURE(table.unchanged(), "REGION_EXISTS");
}

TEST(Scenario, FailsForOtherEventsThanExpected) {
  static Scenario table = book();
  table.when(create_county());
  EXPECT_NONFATAL_FAILURE(table.accepted(region_created("990101")), "name");
  EXPECT_NONFATAL_FAILURE(table.accepted(code_list("sector", {"SOCIAL"})), "RegionCreated");
  EXPECT_NONFATAL_FAILURE(table.event<rules::v1::ParameterSet>(), "no such event");
  EXPECT_NONFATAL_FAILURE(table.used_right("SELF_APPROVE"), "was not used");
}

TEST(Scenario, FailsWhenAGivenCommandIsRefused) {
  static Scenario table = book();
  static CreateRegionRequest command = create_county();
  command.set_region("990102");
  EXPECT_NONFATAL_FAILURE(table.given(command), "REGION_NOT_IN_LEDGER");
}

}  // namespace
}  // namespace taizhang::test
