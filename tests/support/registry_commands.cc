// Requests of the registry as tests send them.
#include "tests/support/registry_commands.h"

#include "domain/citizen_number.h"
#include "domain/credit_code.h"

namespace taizhang::test {

void give_county(Scenario& book) {
  for (const auto region : {kCounty, kTown, kVillageJ, kVillageD, kGroup}) {
    book.given_row(region_row(region));
  }
  struct Entry {
    std::string_view list, code, of_class;
  };
  constexpr Entry kEntries[] = {
      {"worker_rank", "STAFF", ""},
      {"worker_rank", "UNIT_HEAD", ""},
      {"worker_post", "RESPONSIBLE", ""},
      {"worker_post", "TEACHER", ""},
      {"relation", "0", ""},
      {"relation", "2", ""},
      {"sex", "1", ""},
      {"sex", "2", ""},
      {"ethnic_group", "01", ""},
      {"education", "90", ""},
      {"citizen_region", "99", ""},
      {"household_status", "POOR", "POOR"},
      {"household_status", "LIFTED", "LIFTED"},
      {"household_status", "UNSTABLE", "MONITORED"},
      {"pairing_role", "RESPONSIBLE", ""},
      {"visit_purpose", "SURVEY", ""},
      {"issue_category", "LOAN_DELAY", "REQUEST"},
      {"issue_category", "WATER", "DIFFICULTY"},
      {"issue_category", "OTHER", ""},
      {"document_kind", "REPORT", ""},
  };
  for (const auto& [list, code, of_class] : kEntries) {
    book.given_row(code_row(list, code, of_class));
  }
}

rules::state::v1::Parameter rule_row(std::string_view key, const rules::v1::ParameterValue& value,
                                     Scope scope) {
  auto row = parameter_row(key);
  add_version(row, value, scope);
  return row;
}

rules::v1::ParameterValue day_rule(int32_t day) {
  rules::v1::ParameterValue value;
  *value.mutable_date() = date_of(day);
  return value;
}

rules::v1::ParameterValue members_rule(std::initializer_list<std::string_view> members) {
  rules::v1::ParameterValue value;
  auto& set = *value.mutable_enum_set();
  for (const auto member : members) set.add_members(std::string(member));
  return value;
}

std::string citizen_number(int order, int32_t birth_day) {
  const std::string three = std::to_string(1000 + order).substr(1);
  std::string number = "990101" + std::to_string(birth_day) + three;
  number += citizen_check_character(number);
  return number;
}

std::string credit_code(std::string_view code8) {
  std::string code = "91990101" + std::string(code8);
  code += organisation_check_character(code8);
  code += credit_check_character(code);
  return code;
}

registry::v1::RegisterOrganisationRequest register_organisation(
    std::string_view name, registry::v1::OrganisationKind kind) {
  registry::v1::RegisterOrganisationRequest command;
  command.set_org_id(id(name));
  command.mutable_name()->set_text(std::string(name));
  command.set_kind(kind);
  command.set_region(std::string(kCounty));
  return command;
}

registry::v1::RegisterWorkerRequest register_worker(std::string_view name) {
  registry::v1::RegisterWorkerRequest command;
  command.set_worker_id(id(name));
  command.mutable_identity()->set_name(std::string(name));
  command.set_org_id(id("unit"));
  command.set_rank("STAFF");
  command.set_post("RESPONSIBLE");
  return command;
}

registry::v1::RegisterHouseholdRequest register_household(std::string_view name, int members,
                                                          int first_order) {
  registry::v1::RegisterHouseholdRequest command;
  command.set_household_id(id(name));
  command.set_region(std::string(kVillageJ));
  for (int i = 0; i < members; ++i) {
    auto& member = *command.add_members();
    const std::string person = std::string(name) + "-" + std::to_string(i);
    member.set_person_id(id(person));
    member.set_relation(i == 0 ? "0" : "2");
    member.set_is_head(i == 0);
    member.mutable_identity()->set_name(person);
    member.mutable_identity()->set_citizen_number(citizen_number(first_order + i));
    member.set_sex(i == 0 ? "1" : "2");
    member.set_ethnic("01");
    member.set_education("90");
  }
  return command;
}

registry::v1::LoadHouseholdStatusRequest load_status(std::string_view household,
                                                     std::string_view status, int32_t from_day,
                                                     int32_t to_day) {
  registry::v1::LoadHouseholdStatusRequest command;
  command.set_household_id(id(household));
  auto& period = *command.add_periods();
  period.set_status(std::string(status));
  *period.mutable_from_date() = date_of(from_day);
  if (to_day != 0) *period.mutable_to_date() = date_of(to_day);
  *command.mutable_document() = document("register of " + std::string(household), "REPORT");
  return command;
}

}  // namespace taizhang::test
