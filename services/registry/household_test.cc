// Households: what is refused, in which order, what stays, and what is kept out of sight.
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
using registry::state::v1::Person;
using registry::state::v1::PersonByCitizen;

Scenario book() {
  Scenario scenario({register_rules, register_registry, register_reference_checks});
  give_county(scenario);
  return scenario;
}

std::string wrong(std::string number) {
  number.back() = number.back() == '1' ? '2' : '1';
  return number;
}

RegisterHouseholdRequest numbered(RegisterHouseholdRequest command, int member,
                                  const std::string& number) {
  command.mutable_members(member)->mutable_identity()->set_citizen_number(number);
  return command;
}

RegisterHouseholdRequest born(RegisterHouseholdRequest command, int member, int32_t day) {
  *command.mutable_members(member)->mutable_identity()->mutable_birth_date() = date_of(day);
  return command;
}

RegisterHouseholdRequest headed(RegisterHouseholdRequest command, int member, bool head) {
  command.mutable_members(member)->set_is_head(head);
  return command;
}

TEST(RegisterHousehold, IsWrittenAsHouseholdPersonsMembers) {
  auto command = register_household("h", 2);
  command.set_group_no(3);
  command.mutable_contact()->set_phone("555 0100");
  HouseholdRegistered household;
  household.set_household_id(id("h"));
  household.set_region(std::string(kVillageJ));
  household.set_group_no(3);
  household.mutable_contact()->set_bytes(command.contact().SerializeAsString());
  household.set_head_person_id(id("h-0"));
  PersonRegistered persons[2];
  MemberAdded members[2];
  for (int i = 0; i < 2; ++i) {
    const auto& input = command.members(i);
    persons[i].set_person_id(input.person_id());
    persons[i].mutable_identity()->set_bytes(input.identity().SerializeAsString());
    persons[i].set_sex(input.sex());
    persons[i].set_ethnic("01");
    persons[i].set_education("90");
    persons[i].set_citizen_index(citizen_index(citizen_number(i)));
    members[i].set_household_id(id("h"));
    members[i].set_person_id(input.person_id());
    members[i].set_relation(input.relation());
    members[i].set_is_head(i == 0);
  }

  auto scenario = book();
  scenario.when(dated(command, 20170301))
      .accepted(household, persons[0], persons[1], members[0], members[1]);
  const auto& row = scenario.row<Household>(id("h"));
  EXPECT_EQ(row.region(), kVillageJ);
  EXPECT_EQ(row.group_no(), 3);
  EXPECT_EQ(row.head_person_id(), id("h-0"));
  EXPECT_EQ(row.from_day(), 20170301);
  EXPECT_EQ(row.version(), scenario.last_seq());
  ASSERT_EQ(row.members_size(), 2);
  EXPECT_EQ(row.members(1).person_id(), id("h-1"));
  EXPECT_EQ(row.members(1).relation(), "2");
  EXPECT_EQ(row.members(1).from_day(), 20170301);
  const auto& person = scenario.row<Person>(id("h-1"));
  EXPECT_EQ(person.from_day(), 20170301);
  ASSERT_EQ(person.memberships_size(), 1);
  EXPECT_EQ(person.memberships(0).household_id(), id("h"));
  EXPECT_EQ(person.memberships(0).from_day(), 20170301);
  EXPECT_EQ(scenario.row<PersonByCitizen>(persons[1].citizen_index()).person_id(), id("h-1"));
}

TEST(RegisterHousehold, StateHoldsNoNumberAndNoName) {
  auto scenario = book();
  scenario.when(register_household("Zhao", 1)).accepted();
  for (const auto& [key, bytes] : scenario.state()) {
    EXPECT_EQ((key + bytes).find(citizen_number(0)), std::string::npos);
    EXPECT_EQ((key + bytes).find("Zhao"), std::string::npos);
  }
}

TEST(RegisterHousehold, IsRefusedOutsideAVillage) {
  for (const auto region : {kCounty, kTown, kGroup}) {
    auto command = register_household("h", 0);
    command.set_region(std::string(region));
    book().when(command).refused(REGISTRY_REFUSAL_NOT_A_VILLAGE, "region");
  }
}

TEST(RegisterHousehold, IsRefusedInAnUnknownRegion) {
  auto command = register_household("h", 0);
  command.set_region("990101100299");
  book().when(command).refused(COMMON_REFUSAL_REGION_NOT_FOUND, "region");
  book()
      .when(dated(register_household("h"), 20111231))
      .refused(COMMON_REFUSAL_CODE_NOT_IN_LIST, "members[0].relation");
}

TEST(RegisterHousehold, IsRefusedWithoutMembers) {
  book().when(register_household("h", 0)).refused(REGISTRY_REFUSAL_MEMBERS_EMPTY, "members");
}

TEST(RegisterHousehold, IsRefusedWithoutAHeadBeforeNumbersAreJudged) {
  book()
      .when(numbered(headed(register_household("h", 2), 0, false), 1, "1"))
      .refused(REGISTRY_REFUSAL_NO_HEAD, "members");
}

TEST(RegisterHousehold, IsRefusedWithTwoHeadsBeforeNumbersAreJudged) {
  book()
      .when(numbered(headed(register_household("h", 3), 2, true), 1, "1"))
      .refused(REGISTRY_REFUSAL_TWO_HEADS, "members[2].is_head");
}

TEST(RegisterHousehold, IsRefusedWithAWrongNumberBeforeBirthDatesAreCompared) {
  auto command = numbered(register_household("h", 2), 1, wrong(citizen_number(1)));
  book()
      .when(born(command, 0, 19700302))
      .refused(REGISTRY_REFUSAL_CITIZEN_NUMBER_INVALID, "members[1].identity.citizen_number");
}

TEST(RegisterHousehold, IsRefusedWithANumberOfAProvinceNotInTheList) {
  // The list is that of the effective date.
  const auto command = numbered(register_household("h"), 0, citizen_number(0, 19700301, "980101"));
  book()
      .given(code_list("citizen_region", {"98", "99"}, 20170102))
      .when(dated(command, 20170101))
      .refused(REGISTRY_REFUSAL_CITIZEN_NUMBER_INVALID, "members[0].identity.citizen_number")
      .when(dated(command, 20170102))
      .accepted();
}

TEST(RegisterHousehold, IsRefusedForSomebodyBornAfterTheRecordedDay) {
  const auto command = numbered(register_household("h"), 0, citizen_number(0, 20180103));
  auto scenario = book();
  scenario.recorded_on(20180102).when(command).refused(REGISTRY_REFUSAL_CITIZEN_NUMBER_INVALID,
                                                       "members[0].identity.citizen_number");
  scenario.recorded_on(20180103).when(command).accepted();
}

TEST(RegisterHousehold, TakesOldNumbersAndASmallXAsTheNewOnes) {
  std::string with_x;
  for (int order = 0; with_x.empty(); ++order) {
    if (citizen_number(order).back() == 'X') with_x = citizen_number(order);
  }
  std::string small = with_x;
  small.back() = 'x';
  const std::string old = with_x.substr(0, 6) + with_x.substr(8, 9);
  for (const auto& form : {with_x, small, old}) {
    auto scenario = book();
    scenario.when(numbered(register_household("h"), 0, form)).accepted();
    EXPECT_EQ(scenario.event<PersonRegistered>().citizen_index(), citizen_index(with_x));
  }
}

TEST(RegisterHousehold, IsRefusedWhenBirthDateAndNumberDiffer) {
  book()
      .when(born(register_household("h"), 0, 19700302))
      .refused(REGISTRY_REFUSAL_BIRTH_DATE_MISMATCH, "members[0].identity.birth_date");
  book().when(born(register_household("h"), 0, 19700301)).accepted();
}

TEST(RegisterHousehold, BirthDatesAreComparedBeforeNumbersWithOneAnother) {
  const auto twice = numbered(register_household("h", 2), 1, citizen_number(0));
  book()
      .when(born(twice, 1, 19700302))
      .refused(REGISTRY_REFUSAL_BIRTH_DATE_MISMATCH, "members[1].identity.birth_date");
  book().when(twice).refused(REGISTRY_REFUSAL_CITIZEN_NUMBER_REPEATED,
                             "members[1].identity.citizen_number");
}

TEST(RegisterHousehold, NumbersAreComparedBeforeOtherHouseholdsAreAsked) {
  book()
      .given(register_household("other"))
      .when(numbered(register_household("h", 2), 1, citizen_number(0)))
      .refused(REGISTRY_REFUSAL_CITIZEN_NUMBER_REPEATED, "members[1].identity.citizen_number");
}

TEST(RegisterHousehold, IsRefusedWithThePersonOfAnother) {
  auto command = register_household("h", 2, 10);
  command.mutable_members(1)->set_person_id(id("other-0"));
  book()
      .given(register_household("other"))
      .when(command)
      .refused(REGISTRY_REFUSAL_PERSON_ACTIVE_ELSEWHERE, "members[1].person_id");
}

TEST(RegisterHousehold, IsRefusedWithTheNumberOfAnotherOnThatAndOnALaterDate) {
  for (const int32_t day : {20161231, 20170101, 20170102}) {
    book()
        .given(dated(register_household("other"), 20170101))
        .when(dated(register_household("h"), day))
        .refused(REGISTRY_REFUSAL_PERSON_ACTIVE_ELSEWHERE, "members[0].identity.citizen_number");
  }
}

TEST(RegisterHousehold, TakesAPersonWhoLeftAnotherBefore) {
  auto person = new_row<Person>();
  person.set_person_id(id("p"));
  person.set_citizen_index(citizen_index(citizen_number(0)));
  auto& membership = *person.add_memberships();
  membership.set_household_id(id("other"));
  membership.set_from_day(20150101);
  membership.set_to_day(20161231);
  auto index = new_row<PersonByCitizen>();
  index.set_citizen_index(person.citizen_index());
  index.set_person_id(person.person_id());
  book()
      .given_row(person)
      .given_row(index)
      .when(dated(register_household("h"), 20161231))
      .refused(REGISTRY_REFUSAL_PERSON_ACTIVE_ELSEWHERE, "members[0].identity.citizen_number")
      .when(dated(register_household("h"), 20170101))
      .accepted();
}

TEST(RegisterHousehold, NeedsANumberOrABirthDate) {
  auto scenario = book();
  auto command = register_household("h", 2);
  command.mutable_members(1)->mutable_identity()->clear_citizen_number();
  scenario.when(command).refused(COMMON_REFUSAL_FIELD_REQUIRED, "members[1].identity.birth_date");
  scenario.when(born(command, 1, 20160229)).accepted();
  EXPECT_EQ(scenario.event<PersonRegistered>(1).citizen_index(), "");
}

TEST(RegisterHousehold, IsRefusedWithOnePersonTwice) {
  auto command = register_household("h", 2);
  command.mutable_members(1)->set_person_id(command.members(0).person_id());
  book().when(command).refused(COMMON_REFUSAL_FIELD_INVALID, "members[1]");
}

TEST(RegisterHousehold, TakesGroupsFromOneTo999) {
  for (const int group : {0, 1000, -1}) {
    auto command = register_household("h");
    command.set_group_no(group);
    book().when(command).refused(COMMON_REFUSAL_FIELD_INVALID, "group_no");
  }
  auto command = register_household("h");
  command.set_group_no(999);
  book().when(command).accepted();
}

TEST(RegisterHousehold, OfOtherContentIsRefusedUnderTheSameId) {
  auto scenario = book();
  scenario.given(register_household("h"))
      .when(register_household("h", 2))
      .refused(COMMON_REFUSAL_ID_TAKEN, "household_id");
  scenario.when(register_household("h")).unchanged();
}

TEST(RegisterHousehold, RunsOnCountyLedgersOnly) {
  book()
      .in_ledger("990100", LEDGER_KIND_PREFECTURE)
      .when(register_household("h"))
      .refused(COMMON_REFUSAL_LEDGER_KIND_NOT_ALLOWED, "ledger");
}

TEST(RegisterHousehold, IsRefusedOutsideTheCallersRegions) {
  book()
      .with_regions({std::string(kVillageD)})
      .when(register_household("h"))
      .refused(COMMON_REFUSAL_NOT_AUTHORISED, "region");
}

}  // namespace
}  // namespace taizhang::test
