// Workers: what is refused, in which order, and what stays.
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
using registry::state::v1::Worker;
using registry::state::v1::WorkerByCitizen;

Scenario book() {
  Scenario scenario({register_rules, register_registry, register_reference_checks});
  give_county(scenario);
  scenario.given(register_organisation("unit"));
  return scenario;
}

RegisterWorkerRequest numbered(std::string_view name, const std::string& number) {
  auto command = register_worker(name);
  command.mutable_identity()->set_citizen_number(number);
  return command;
}

TEST(RegisterWorker, IsWrittenWithAllItsInputs) {
  auto command = numbered("li", citizen_number(1));
  command.set_sent_by_level(ADMIN_LEVEL_COUNTY);
  command.set_village(std::string(kVillageJ));
  WorkerRegistered expected;
  expected.set_worker_id(id("li"));
  expected.mutable_identity()->set_bytes(command.identity().SerializeAsString());
  expected.set_org_id(id("unit"));
  expected.set_rank("STAFF");
  expected.set_post("RESPONSIBLE");
  expected.set_sent_by_level(ADMIN_LEVEL_COUNTY);
  expected.set_village(std::string(kVillageJ));
  expected.set_citizen_index(citizen_index(citizen_number(1)));

  auto scenario = book();
  scenario.when(dated(command, 20170301)).accepted(expected);
  const auto& row = scenario.row<Worker>(id("li"));
  ASSERT_EQ(row.postings_size(), 1);
  EXPECT_EQ(row.postings(0).org_id(), id("unit"));
  EXPECT_EQ(row.postings(0).rank(), "STAFF");
  EXPECT_EQ(row.postings(0).post(), "RESPONSIBLE");
  EXPECT_EQ(row.postings(0).from_day(), 20170301);
  EXPECT_EQ(row.postings(0).to_day(), 0);
  EXPECT_EQ(row.from_day(), 20170301);
  EXPECT_EQ(row.version(), scenario.last_seq());
  EXPECT_EQ(scenario.row<WorkerByCitizen>(expected.citizen_index()).worker_id(), id("li"));
}

TEST(RegisterWorker, NeedsNoNumber) {
  auto scenario = book();
  scenario.given(register_worker("li")).when(register_worker("wang")).accepted();
  EXPECT_EQ(scenario.event<WorkerRegistered>().citizen_index(), "");
  EXPECT_FALSE(scenario.has<WorkerByCitizen>(""));
}

TEST(RegisterWorker, IsRefusedWithAWrongNumber) {
  auto number = citizen_number(1);
  number.back() = number.back() == '1' ? '2' : '1';
  book()
      .when(numbered("li", number))
      .refused(REGISTRY_REFUSAL_CITIZEN_NUMBER_INVALID, "identity.citizen_number");
}

TEST(RegisterWorker, IsRefusedWithTheNumberOfAnother) {
  book()
      .given(numbered("li", citizen_number(1)))
      .when(numbered("wang", citizen_number(1)))
      .refused(REGISTRY_REFUSAL_CITIZEN_NUMBER_TAKEN, "identity.citizen_number");
}

TEST(RegisterWorker, MayHaveTheNumberOfAHouseholdMember) {
  auto scenario = book();
  auto command = numbered("li", citizen_number(0));
  command.set_person_id(id("h-0"));
  scenario.given(register_household("h")).when(command).accepted();
  EXPECT_EQ(scenario.row<Worker>(id("li")).person_id(), id("h-0"));
}

TEST(RegisterWorker, IsRefusedInAnUnknownOrganisation) {
  auto command = numbered("li", "1");
  command.set_org_id(id("other"));
  book().when(command).refused(COMMON_REFUSAL_SUBJECT_NOT_FOUND, "org_id");
}

TEST(RegisterWorker, IsRefusedBeforeItsOrganisationIsThere) {
  book()
      .when(dated(register_worker("li"), 20161231))
      .refused(COMMON_REFUSAL_SUBJECT_NOT_ACTIVE, "org_id");
}

TEST(RegisterWorker, IsRefusedAsAnUnknownPerson) {
  auto command = register_worker("li");
  command.set_person_id(id("nobody"));
  book().when(command).refused(COMMON_REFUSAL_SUBJECT_NOT_FOUND, "person_id");
}

TEST(RegisterWorker, ServesInAVillageOrNowhere) {
  auto command = register_worker("li");
  command.set_village(std::string(kTown));
  book().when(command).refused(COMMON_REFUSAL_FIELD_INVALID, "village");
  command.set_village("990101100299");
  book().when(command).refused(COMMON_REFUSAL_REGION_NOT_FOUND, "village");
}

TEST(RegisterWorker, IsRefusedWithARankOfNoList) {
  auto command = register_worker("li");
  command.set_rank("KING");
  book().when(command).refused(COMMON_REFUSAL_CODE_NOT_IN_LIST, "rank");
}

TEST(RegisterWorker, OfOtherContentIsRefusedUnderTheSameId) {
  auto scenario = book();
  auto other = register_worker("li");
  other.set_post("TEACHER");
  scenario.given(register_worker("li")).when(other).refused(COMMON_REFUSAL_ID_TAKEN, "worker_id");
  scenario.when(register_worker("li")).unchanged();
}

}  // namespace
}  // namespace taizhang::test
