// Requests of the registry as tests send them.
#include "tests/support/registry_commands.h"

#include "domain/citizen_number.h"
#include "domain/credit_code.h"

namespace taizhang::test {

void give_county(Scenario& book) {
  for (const auto region : {kCounty, kTown, kVillageJ, kVillageD, kGroup}) {
    book.given(region_created(region));
  }
  book.given(
      code_list("worker_rank", {"STAFF", "UNIT_HEAD"}),
      code_list("worker_post", {"RESPONSIBLE", "TEACHER"}), code_list("relation", {"0", "2"}),
      code_list("sex", {"1", "2"}), code_list("ethnic_group", {"01"}),
      code_list("education", {"90"}), code_list("citizen_region", {"99"}),
      code_list("household_status",
                {{"POOR", "POOR"}, {"LIFTED", "LIFTED"}, {"UNSTABLE", "MONITORED"}}),
      code_list("pairing_role", {"RESPONSIBLE"}), code_list("visit_purpose", {"SURVEY"}),
      code_list("issue_category", {{"LOAN_DELAY", "REQUEST"}, {"WATER", "DIFFICULTY"}, {"OTHER"}}),
      code_list("document_kind", {"REPORT"}));
}

std::string citizen_number(int order, int32_t birth_day, std::string_view county) {
  const std::string three = std::to_string(1000 + order).substr(1);
  std::string number = std::string(county) + std::to_string(birth_day) + three;
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
