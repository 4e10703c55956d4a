// Organisations: what is refused, in which order, and what stays.
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
using registry::state::v1::Organisation;
using registry::state::v1::OrganisationByCreditCode;

Scenario book() {
  Scenario scenario({register_rules, register_registry, register_reference_checks});
  give_county(scenario);
  return scenario;
}

RegisterOrganisationRequest with_code(std::string_view name, const std::string& code) {
  auto command = register_organisation(name);
  command.set_credit_code(code);
  return command;
}

RegisterOrganisationRequest own_parent(RegisterOrganisationRequest command) {
  command.set_parent_org_id(command.org_id());
  return command;
}

TEST(RegisterOrganisation, IsWrittenWithAllItsInputs) {
  auto command = with_code("unit", credit_code());
  command.set_level(ADMIN_LEVEL_COUNTY);
  command.set_parent_org_id(id("parent"));
  OrganisationRegistered expected;
  expected.set_org_id(id("unit"));
  expected.mutable_name()->set_text("unit");
  expected.set_kind(ORGANISATION_KIND_PAIRING_UNIT);
  expected.set_level(ADMIN_LEVEL_COUNTY);
  expected.set_region(std::string(kCounty));
  expected.set_credit_code(credit_code());
  expected.set_parent_org_id(id("parent"));

  auto scenario = book();
  scenario.given(register_organisation("parent")).when(dated(command, 20170301)).accepted(expected);
  const auto& row = scenario.row<Organisation>(id("unit"));
  EXPECT_EQ(row.kind(), ORGANISATION_KIND_PAIRING_UNIT);
  EXPECT_EQ(row.parent_org_id(), id("parent"));
  EXPECT_EQ(row.from_day(), 20170301);
  EXPECT_EQ(row.version(), scenario.last_seq());
  EXPECT_EQ(scenario.row<OrganisationByCreditCode>(credit_code()).org_id(), id("unit"));
}

TEST(RegisterOrganisation, TakesAnIdMadeOfTheCreditCode) {
  auto command = with_code("unit", credit_code());
  command.set_org_id("uscc:" + credit_code());
  book().when(command).accepted();
}

TEST(RegisterOrganisation, IsRefusedWhenTheIdIsMadeOfAnotherCode) {
  auto command = with_code("unit", credit_code("12345678"));
  command.set_org_id("uscc:" + credit_code());
  book().when(command).refused(COMMON_REFUSAL_FIELD_INVALID, "credit_code");
  command.clear_credit_code();
  book().when(command).refused(COMMON_REFUSAL_FIELD_INVALID, "credit_code");
}

TEST(RegisterOrganisation, IsRefusedWithAWrongCheckCharacter) {
  auto code = credit_code();
  code.back() = code.back() == '1' ? '2' : '1';
  book().when(with_code("unit", code)).refused(REGISTRY_REFUSAL_CREDIT_CODE_INVALID, "credit_code");
  book().when(with_code("unit", "91")).refused(REGISTRY_REFUSAL_CREDIT_CODE_INVALID, "credit_code");
}

TEST(RegisterOrganisation, IsRefusedWhenTheCodeIsKnown) {
  auto scenario = book();
  scenario.given(with_code("unit", credit_code()))
      .when(with_code("other", credit_code()))
      .refused(REGISTRY_REFUSAL_CREDIT_CODE_TAKEN, "credit_code");
  auto made_of_code = with_code("other", credit_code());
  made_of_code.set_org_id("uscc:" + credit_code());
  scenario.when(made_of_code).refused(REGISTRY_REFUSAL_CREDIT_CODE_TAKEN, "credit_code");
}

TEST(RegisterOrganisation, IsRefusedAsItsOwnParent) {
  book()
      .when(own_parent(register_organisation("unit")))
      .refused(REGISTRY_REFUSAL_PARENT_CYCLE, "parent_org_id");
}

TEST(RegisterOrganisation, TheCodeIsJudgedBeforeTheParent) {
  book()
      .when(own_parent(with_code("unit", "91")))
      .refused(REGISTRY_REFUSAL_CREDIT_CODE_INVALID, "credit_code");
  book()
      .given(with_code("unit", credit_code()))
      .when(own_parent(with_code("other", credit_code())))
      .refused(REGISTRY_REFUSAL_CREDIT_CODE_TAKEN, "credit_code");
}

TEST(RegisterOrganisation, IsRefusedUnderAnUnknownParentBeforeTheCodeIsJudged) {
  auto command = with_code("unit", "91");
  command.set_parent_org_id(id("parent"));
  book().when(command).refused(COMMON_REFUSAL_SUBJECT_NOT_FOUND, "parent_org_id");
}

TEST(RegisterOrganisation, IsRefusedBeforeItsParentIsThere) {
  auto command = register_organisation("unit");
  command.set_parent_org_id(id("parent"));
  book()
      .given(dated(register_organisation("parent"), 20170302))
      .when(dated(command, 20170301))
      .refused(COMMON_REFUSAL_SUBJECT_NOT_ACTIVE, "parent_org_id")
      .when(dated(command, 20170302))
      .accepted();
}

TEST(RegisterOrganisation, IsRefusedWithAnUnknownAccountableWorker) {
  auto command = register_organisation("unit");
  command.set_accountable_worker_id(id("nobody"));
  book().when(command).refused(COMMON_REFUSAL_SUBJECT_NOT_FOUND, "accountable_worker_id");
}

TEST(RegisterOrganisation, NamesAnUnknownSubjectBeforeALateOneWhicheverField) {
  auto scenario = book();
  scenario.given(dated(register_organisation("parent"), 20170302));
  auto worker = register_worker("worker");
  worker.set_org_id(id("parent"));
  scenario.given(dated(worker, 20170302));
  auto command = register_organisation("unit");
  command.set_parent_org_id(id("nobody"));
  command.set_accountable_worker_id(id("worker"));
  scenario.when(dated(command, 20170301))
      .refused(COMMON_REFUSAL_SUBJECT_NOT_FOUND, "parent_org_id");
  command.set_parent_org_id(id("parent"));
  scenario.when(dated(command, 20170301))
      .refused(COMMON_REFUSAL_SUBJECT_NOT_ACTIVE, "parent_org_id");
  command.set_accountable_worker_id(id("nobody"));
  scenario.when(dated(command, 20170301))
      .refused(COMMON_REFUSAL_SUBJECT_NOT_FOUND, "accountable_worker_id");
}

// Itself is no missing subject for its parent only: a worker of the same id is.
TEST(RegisterOrganisation, IsNoWorkerOfItsOwnId) {
  auto command = own_parent(register_organisation("unit"));
  command.set_accountable_worker_id(command.org_id());
  book().when(command).refused(COMMON_REFUSAL_SUBJECT_NOT_FOUND, "accountable_worker_id");
}

TEST(RegisterOrganisation, IsRefusedInAnUnknownRegion) {
  auto command = register_organisation("unit");
  command.set_region("990102");
  book().when(command).refused(COMMON_REFUSAL_REGION_NOT_FOUND, "region");
}

TEST(RegisterOrganisation, OfOtherContentIsRefusedUnderTheSameId) {
  auto scenario = book();
  scenario.given(register_organisation("unit"))
      .when(register_organisation("unit", ORGANISATION_KIND_BRANCH))
      .refused(COMMON_REFUSAL_ID_TAKEN, "org_id");
  scenario.when(register_organisation("unit")).unchanged();
}

TEST(RegisterOrganisation, TakesNoExpectedVersion) {
  book()
      .expecting_version(1)
      .when(register_organisation("unit"))
      .refused(COMMON_REFUSAL_FIELD_INVALID, "context.expected_version");
}

TEST(RegisterOrganisation, RunsOnEveryKindOfLedger) {
  for (const auto kind : {LEDGER_KIND_COUNTY, LEDGER_KIND_PREFECTURE, LEDGER_KIND_PROVINCE}) {
    book().in_ledger("990100", kind).when(register_organisation("unit")).accepted();
  }
}

TEST(RegisterOrganisation, IsForMakers) {
  book()
      .with_roles({ROLE_CHECKER, ROLE_OPERATOR, ROLE_READER})
      .when(register_organisation("unit"))
      .refused(COMMON_REFUSAL_NOT_AUTHORISED, "");
}

}  // namespace
}  // namespace taizhang::test
