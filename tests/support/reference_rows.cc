// Reference data of a small county, as rows.
#include "tests/support/reference_rows.h"

#include "domain/dates.h"
#include "domain/region.h"

namespace taizhang::test {

using rules::state::v1::Code;
using rules::state::v1::Parameter;
using rules::state::v1::Region;
using rules::v1::ParameterValue;

Code code_row(std::string_view list_id, std::string_view code, std::string_view code_class,
              int32_t from_day) {
  Code row;
  row.set_list_id(std::string(list_id));
  row.set_code(std::string(code));
  auto& validity = *row.add_validities();
  validity.set_from_day(from_day);
  validity.set_label(std::string(code));
  validity.set_class_(std::string(code_class));
  return row;
}

Region region_row(std::string_view region, int32_t from_day) {
  Region row;
  row.set_region(std::string(region));
  row.set_name(std::string(region));
  row.set_level(level_of_region(region));
  row.set_from_day(from_day);
  return row;
}

void add_setting(Parameter& parameter, const ParameterValue& value,
                 std::initializer_list<std::pair<std::string_view, std::string_view>> scope,
                 int32_t from_day) {
  auto& setting = *parameter.add_settings();
  setting.set_number(parameter.settings_size());
  *setting.mutable_value() = value;
  for (const auto& [dimension, code] : scope) {
    auto& part = *setting.add_scope();
    part.set_dimension(std::string(dimension));
    part.set_code(std::string(code));
  }
  setting.set_from_day(from_day);
}

Parameter parameter_row(
    std::string_view key, const ParameterValue& value,
    std::initializer_list<std::pair<std::string_view, std::string_view>> scope, int32_t from_day) {
  Parameter row;
  row.set_key(std::string(key));
  row.set_type(type_of(value));
  row.set_resolution(rules::v1::RESOLUTION_MOST_SPECIFIC);
  row.set_when_missing(rules::v1::WHEN_MISSING_CANNOT_DECIDE);
  add_setting(row, value, scope, from_day);
  return row;
}

ParameterValue date_value(int32_t day) {
  ParameterValue value;
  *value.mutable_date() = date_of(day);
  return value;
}

ParameterValue days_value(int32_t days) {
  ParameterValue value;
  value.set_days(days);
  return value;
}

ParameterValue set_value(std::initializer_list<std::string_view> members) {
  ParameterValue value;
  auto& set = *value.mutable_enum_set();
  for (const auto member : members) set.add_members(std::string(member));
  return value;
}

void give_reference(Scenario& scenario) {
  for (const auto region : {kCounty, kTownship, kVillage, kOtherVillage, kGroup}) {
    scenario.given_row(region_row(region));
  }
  struct Entry {
    std::string_view list_id, code, code_class;
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
  for (const auto& [list_id, code, code_class] : kEntries) {
    scenario.given_row(code_row(list_id, code, code_class));
  }
}

}  // namespace taizhang::test
