// Reference data as events.
#include "tests/support/reference_data.h"

#include "domain/dates.h"
#include "domain/region.h"

namespace taizhang::test {

using rules::v1::ParameterValue;

rules::v1::RegionCreated region_created(std::string_view region, int32_t from_day) {
  rules::v1::RegionCreated event;
  event.set_region(std::string(region));
  event.set_name("区" + std::string(region));
  event.set_level(level_of_region(region));
  *event.mutable_valid_from_date() = date_of(from_day);
  return event;
}

rules::v1::CodeListPublished code_list(std::string_view list_id, const std::vector<CodeOf>& codes,
                                       int32_t from_day) {
  rules::v1::CodeListPublished event;
  event.set_list_id(std::string(list_id));
  event.set_version(std::to_string(from_day));
  *event.mutable_valid_from_date() = date_of(from_day);
  event.set_standard("test");
  for (const auto& [code, code_class] : codes) {
    auto& entry = *event.add_entries();
    entry.set_code(code);
    entry.set_label(code);
    entry.set_class_(code_class);
  }
  return event;
}

rules::v1::ParameterDefined parameter_defined(std::string_view key, rules::v1::ParameterType type,
                                              std::initializer_list<const char*> scope_dims,
                                              rules::v1::Resolution resolution) {
  rules::v1::ParameterDefined event;
  event.set_key(std::string(key));
  event.set_type(type);
  for (const auto* dimension : scope_dims) event.add_scope_dims(dimension);
  event.set_resolution(resolution);
  event.set_when_missing(rules::v1::WHEN_MISSING_CANNOT_DECIDE);
  event.set_text("test");
  return event;
}

rules::v1::ParameterDefined optional_parameter_defined(
    std::string_view key, rules::v1::ParameterType type,
    std::initializer_list<const char*> scope_dims) {
  auto event = parameter_defined(key, type, scope_dims);
  event.set_when_missing(rules::v1::WHEN_MISSING_NO_RULE);
  return event;
}

rules::v1::ParameterSet parameter_set(std::string_view key, const ScopeOf& scope,
                                      const ParameterValue& value, int64_t version,
                                      int32_t from_day) {
  rules::v1::ParameterSet event;
  event.set_key(std::string(key));
  event.mutable_scope()->insert(scope.begin(), scope.end());
  *event.mutable_value() = value;
  *event.mutable_valid_from_date() = date_of(from_day);
  event.set_version(version);
  return event;
}

ParameterValue flag_value(bool flag) {
  ParameterValue value;
  value.set_flag(flag);
  return value;
}

ParameterValue days_value(int days) {
  ParameterValue value;
  value.set_days(days);
  return value;
}

ParameterValue bp_value(int bp) {
  ParameterValue value;
  value.set_bp(bp);
  return value;
}

ParameterValue date_value(int32_t day) {
  ParameterValue value;
  *value.mutable_date() = date_of(day);
  return value;
}

ParameterValue codes_value(std::string_view list, std::initializer_list<const char*> codes) {
  ParameterValue value;
  value.mutable_codes()->set_list(std::string(list));
  for (const auto* code : codes) value.mutable_codes()->add_codes(code);
  return value;
}

ParameterValue set_value(std::initializer_list<const char*> members) {
  ParameterValue value;
  value.mutable_enum_set();
  for (const auto* member : members) value.mutable_enum_set()->add_members(member);
  return value;
}

ParameterValue count_value(int count, rules::v1::CalendarPeriod period) {
  ParameterValue value;
  value.mutable_count_per_period()->set_count(count);
  value.mutable_count_per_period()->set_period(period);
  return value;
}

ParameterValue rate_value(int64_t fen, common::v1::Unit unit, rules::v1::Rate::Mode mode) {
  ParameterValue value;
  value.mutable_rate()->set_fen(fen);
  value.mutable_rate()->set_unit(unit);
  value.mutable_rate()->set_mode(mode);
  return value;
}

ParameterValue items_value(std::initializer_list<int64_t> fen, rules::v1::CalendarPeriod period) {
  ParameterValue value;
  auto& items = *value.mutable_amount_items();
  items.set_period(period);
  for (const int64_t amount : fen) {
    auto& item = *items.add_items();
    item.set_text("item " + std::to_string(items.items_size()));
    item.set_fen(amount);
  }
  return value;
}

}  // namespace taizhang::test
