// Households and the persons they are made of.
#include <iterator>
#include <set>
#include <vector>

#include "domain/dates.h"
#include "domain/region.h"
#include "platform/command/registry.h"
#include "services/registry/aggregates.h"
#include "services/registry/citizen.h"
#include "taizhang/common/v1/errors.pb.h"
#include "taizhang/registry/state/v1/state.pb.h"
#include "taizhang/registry/v1/commands.pb.h"
#include "taizhang/registry/v1/errors.pb.h"
#include "taizhang/registry/v1/events.pb.h"

namespace taizhang::registry {
namespace {

using state::v1::Household;
using state::v1::Person;
using state::v1::PersonByCitizen;
using v1::HouseholdRegistered;
using v1::MemberAdded;
using v1::PersonRegistered;
using v1::RegisterHouseholdRequest;

// One for each member; nothing for a member without a number.
using Citizens = std::vector<std::optional<KnownCitizen>>;

std::string member_path(int index, std::string_view field) {
  return "members[" + std::to_string(index) + "]." + std::string(field);
}

void validate(const RegisterHouseholdRequest& command, Violations& found) {
  for (int i = 0; i < command.members_size(); ++i) {
    const auto& member = command.members(i);
    if (member.has_identity() && member.identity().citizen_number().empty() &&
        !member.identity().has_birth_date()) {
      found.add(common::v1::COMMON_REFUSAL_FIELD_REQUIRED, member_path(i, "identity.birth_date"),
                "is required where there is no citizen number");
    }
  }
}

std::optional<Refusal> check_head(const RegisterHouseholdRequest& command) {
  int heads = 0;
  for (int i = 0; i < command.members_size(); ++i) {
    if (command.members(i).is_head() && ++heads == 2) {
      return refuse(v1::REGISTRY_REFUSAL_TWO_HEADS, member_path(i, "is_head"));
    }
  }
  if (heads == 0) return refuse(v1::REGISTRY_REFUSAL_NO_HEAD, "members");
  return std::nullopt;
}

std::optional<Refusal> read_citizens(const Ledger& ledger, const RegisterHouseholdRequest& command,
                                     Citizens& citizens) {
  for (int i = 0; i < command.members_size(); ++i) {
    const auto& number = command.members(i).identity().citizen_number();
    auto& citizen = citizens.emplace_back();
    if (number.empty()) continue;
    citizen = check_citizen_number(ledger, number);
    if (!citizen) {
      return refuse(v1::REGISTRY_REFUSAL_CITIZEN_NUMBER_INVALID,
                    member_path(i, "identity.citizen_number"));
    }
  }
  return std::nullopt;
}

std::optional<Refusal> check_citizens(const RegisterHouseholdRequest& command,
                                      const Citizens& citizens) {
  for (int i = 0; i < command.members_size(); ++i) {
    const auto& identity = command.members(i).identity();
    if (citizens[i] && identity.has_birth_date() &&
        day_of(identity.birth_date()) != citizens[i]->birth_day) {
      return refuse(v1::REGISTRY_REFUSAL_BIRTH_DATE_MISMATCH,
                    member_path(i, "identity.birth_date"));
    }
  }
  std::set<std::string_view> seen;
  for (int i = 0; i < command.members_size(); ++i) {
    if (citizens[i] && !seen.insert(citizens[i]->index).second) {
      return refuse(v1::REGISTRY_REFUSAL_CITIZEN_NUMBER_REPEATED,
                    member_path(i, "identity.citizen_number"));
    }
  }
  return std::nullopt;
}

// A household that holds the person on the effective date or later; null: none.
const std::string* household_of(const Ledger& ledger, const std::string& person_id) {
  for (const auto& membership : ledger.get<Person>(person_id).memberships()) {
    if (membership.to_day() == 0 || membership.to_day() >= ledger.effective_day()) {
      return &membership.household_id();
    }
  }
  return nullptr;
}

std::optional<Refusal> check_elsewhere(const Ledger& ledger,
                                       const RegisterHouseholdRequest& command,
                                       const Citizens& citizens) {
  for (int i = 0; i < command.members_size(); ++i) {
    if (const auto* household = household_of(ledger, command.members(i).person_id())) {
      return refuse(v1::REGISTRY_REFUSAL_PERSON_ACTIVE_ELSEWHERE, member_path(i, "person_id"),
                    {{"household_id", *household}});
    }
    if (!citizens[i]) continue;
    const auto* same_number = ledger.find<PersonByCitizen>(citizens[i]->index);
    if (!same_number) continue;
    if (const auto* household = household_of(ledger, same_number->person_id())) {
      return refuse(v1::REGISTRY_REFUSAL_PERSON_ACTIVE_ELSEWHERE,
                    member_path(i, "identity.citizen_number"),
                    {{"household_id", *household}, {"person_id", same_number->person_id()}});
    }
  }
  return std::nullopt;
}

Decision decide(const Ledger& ledger, const RegisterHouseholdRequest& command) {
  if (level_of_region(command.region()) != common::v1::ADMIN_LEVEL_VILLAGE) {
    return refuse(v1::REGISTRY_REFUSAL_NOT_A_VILLAGE, "region");
  }
  if (command.members().empty()) return refuse(v1::REGISTRY_REFUSAL_MEMBERS_EMPTY, "members");
  if (auto no = check_head(command)) return *no;
  Citizens citizens;
  if (auto no = read_citizens(ledger, command, citizens)) return *no;
  if (auto no = check_citizens(command, citizens)) return *no;
  if (auto no = check_elsewhere(ledger, command, citizens)) return *no;

  auto household = copy_inputs<HouseholdRegistered>(command);
  Events persons, members;
  for (int i = 0; i < command.members_size(); ++i) {
    const auto& member = command.members(i);
    if (member.is_head()) household.set_head_person_id(member.person_id());
    auto person = copy_inputs<PersonRegistered>(member);
    if (citizens[i]) person.set_citizen_index(citizens[i]->index);
    persons.add(std::move(person));
    auto added = copy_inputs<MemberAdded>(member);
    added.set_household_id(command.household_id());
    members.add(std::move(added));
  }
  Events events = emit(std::move(household));
  for (auto* more : {&persons, &members}) {
    std::move(more->list().begin(), more->list().end(), std::back_inserter(events.list()));
  }
  return events;
}

void evolve_household(Ledger& ledger, const HouseholdRegistered& event) {
  auto& household = ledger.edit<Household>(event.household_id());
  household.set_region(event.region());
  household.set_group_no(event.group_no());
  household.set_head_person_id(event.head_person_id());
  household.set_from_day(ledger.effective_day());
}

void evolve_person(Ledger& ledger, const PersonRegistered& event) {
  auto& person = ledger.edit<Person>(event.person_id());
  person.set_citizen_index(event.citizen_index());
  person.set_sex(event.sex());
  person.set_from_day(ledger.effective_day());
  if (!event.citizen_index().empty()) {
    ledger.edit<PersonByCitizen>(event.citizen_index()).set_person_id(event.person_id());
  }
}

void evolve_member(Ledger& ledger, const MemberAdded& event) {
  auto& member = *ledger.edit<Household>(event.household_id()).add_members();
  member.set_person_id(event.person_id());
  member.set_relation(event.relation());
  member.set_from_day(ledger.effective_day());
  auto& membership = *ledger.edit<Person>(event.person_id()).add_memberships();
  membership.set_household_id(event.household_id());
  membership.set_from_day(ledger.effective_day());
}

}  // namespace

void register_household(Registry& registry) {
  registry.command<RegisterHouseholdRequest>(decide)
      .validate<RegisterHouseholdRequest>(validate)
      .event<HouseholdRegistered>(evolve_household)
      .event<PersonRegistered>(evolve_person)
      .event<MemberAdded>(evolve_member);
}

}  // namespace taizhang::registry
