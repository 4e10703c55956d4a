// Choice of the governing version of a parameter.
#include "projections/common/rule.h"

namespace taizhang {

Rule rule_for(const rules::state::v1::Parameter& parameter, const ScopeFacts& facts, int32_t day) {
  Rule rule;
  const auto settings = matching_settings(parameter, facts, day);
  if (settings.empty()) {
    rule.missing = parameter.when_missing() != rules::v1::WHEN_MISSING_NO_RULE;
    if (!rule.missing) *rule.uses.Add() = use_of_no_rule(parameter.key());
    return rule;
  }
  rule.value = &settings.front()->value();
  for (const auto* setting : settings) *rule.uses.Add() = use_of(parameter.key(), *setting);
  return rule;
}

}  // namespace taizhang
