// Tests of regions.
#include "services/common/references.h"
#include "services/rules/rules.h"
#include "taizhang/common/v1/errors.pb.h"
#include "taizhang/rules/state/v1/state.pb.h"
#include "taizhang/rules/v1/commands.pb.h"
#include "taizhang/rules/v1/errors.pb.h"
#include "tests/support/reference_data.h"
#include "tests/support/scenario.h"

namespace taizhang::rules {
namespace {

using test::region_created;
using test::Scenario;
using v1::CreateRegionRequest;

Scenario rules_book() { return Scenario({register_rules, register_reference_checks}); }

CreateRegionRequest create_region(std::string_view region, int32_t from_day = test::kReferenceDay) {
  CreateRegionRequest command;
  const auto event = region_created(region, from_day);
  command.set_region(event.region());
  command.set_name(event.name());
  command.set_level(event.level() == 0 ? common::v1::ADMIN_LEVEL_VILLAGE : event.level());
  *command.mutable_valid_from_date() = event.valid_from_date();
  return command;
}

TEST(CreateRegion, BuildsTheTreeFromTheLedgersRoot) {
  auto book = rules_book();
  for (const auto* code : {"990101", "990101100", "990101100201", "990101100201001"}) {
    book.when(create_region(code)).accepted(region_created(code));
  }
  const auto& village = book.row<state::v1::Region>("990101100201");
  EXPECT_EQ(village.name(), region_created("990101100201").name());
  EXPECT_EQ(village.level(), common::v1::ADMIN_LEVEL_VILLAGE);
  EXPECT_EQ(village.from_day(), test::kReferenceDay);
  EXPECT_EQ(village.version(), 3);
}

TEST(CreateRegion, RootOfAProvinceHasTwoDigits) {
  rules_book()
      .in_ledger("990000", common::v1::LEDGER_KIND_PROVINCE)
      .when(create_region("99"))
      .accepted();
  rules_book()
      .in_ledger("990100", common::v1::LEDGER_KIND_PREFECTURE)
      .given(create_region("9901"))
      .when(create_region("990101"))
      .accepted();
}

TEST(CreateRegion, IsRefusedOutsideTheLedger) {
  rules_book()
      .when(create_region("990102"))
      .refused(common::v1::COMMON_REFUSAL_REGION_NOT_IN_LEDGER, "region");
  rules_book()
      .when(create_region("9901"))
      .refused(common::v1::COMMON_REFUSAL_REGION_NOT_IN_LEDGER, "region");
}

TEST(CreateRegion, OutsideTheLedgerIsSaidBeforeAWrongCode) {
  rules_book()
      .when(create_region("990102000"))
      .refused(common::v1::COMMON_REFUSAL_REGION_NOT_IN_LEDGER, "region");
}

TEST(CreateRegion, IsRefusedWithAWrongCode) {
  for (const auto* code : {"9901011", "990101000", "990101600", "990101100000", "99010110x"}) {
    rules_book().when(create_region(code)).refused(v1::RULES_REFUSAL_REGION_CODE_INVALID, "region");
  }
}

TEST(CreateRegion, EqualIsUnchangedAndOtherExists) {
  auto other_name = create_region("990101");
  other_name.set_name("另一个名字");
  rules_book()
      .given(create_region("990101"))
      .when(create_region("990101"))
      .unchanged()
      .when(other_name)
      .refused(v1::RULES_REFUSAL_REGION_EXISTS, "region");
}

TEST(CreateRegion, ExistsIsSaidBeforeAMissingParent) {
  rules_book()
      .given(region_created("990101100201"))
      .when(create_region("990101100201"))
      .refused(v1::RULES_REFUSAL_REGION_EXISTS, "region");
}

TEST(CreateRegion, IsRefusedWithoutItsParent) {
  rules_book()
      .given(create_region("990101"))
      .when(create_region("990101100201"))
      .refused(v1::RULES_REFUSAL_PARENT_REGION_NOT_FOUND, "region");
}

TEST(CreateRegion, IsRefusedBeforeItsParentBegins) {
  rules_book()
      .given(create_region("990101", 20150101))
      .when(create_region("990101100", 20141231))
      .refused(v1::RULES_REFUSAL_PARENT_REGION_NOT_FOUND, "region")
      .when(create_region("990101100", 20150101))
      .accepted();
}

TEST(CreateRegion, MissingParentIsSaidBeforeAWrongLevel) {
  auto command = create_region("990101100201");
  command.set_level(common::v1::ADMIN_LEVEL_GROUP);
  rules_book().when(command).refused(v1::RULES_REFUSAL_PARENT_REGION_NOT_FOUND, "region");
}

TEST(CreateRegion, IsRefusedWhenLevelAndLengthDiffer) {
  auto command = create_region("990101");
  command.set_level(common::v1::ADMIN_LEVEL_TOWNSHIP);
  rules_book().when(command).refused(v1::RULES_REFUSAL_LEVEL_MISMATCH, "level");
}

TEST(CreateRegion, TakesAFutureFirstDayButNotAFutureEffectiveDate) {
  rules_book().when(create_region("990101", 21000101)).accepted();
  rules_book()
      .on(20180701)
      .when(create_region("990101"))
      .refused(common::v1::COMMON_REFUSAL_EFFECTIVE_DATE_IN_FUTURE, "context.effective_date");
}

TEST(CreateRegion, IsForOperatorsAndInTheirRegions) {
  rules_book()
      .with_roles({common::v1::ROLE_MAKER})
      .when(create_region("990101"))
      .refused(common::v1::COMMON_REFUSAL_NOT_AUTHORISED, "");
  rules_book()
      .with_regions({"990101200"})
      .when(create_region("990101100"))
      .refused(common::v1::COMMON_REFUSAL_NOT_AUTHORISED, "region");
}

TEST(CreateRegion, NeedsEveryField) {
  rules_book()
      .when(CreateRegionRequest())
      .refused(common::v1::COMMON_REFUSAL_FIELD_REQUIRED, "region");
}

}  // namespace
}  // namespace taizhang::rules
