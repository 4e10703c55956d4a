// A parameter: a rule with a number, defined once and set by scope and time.
#include "domain/parameter.h"

#include <google/protobuf/util/message_differencer.h>

#include <algorithm>

#include "domain/dates.h"
#include "domain/region.h"
#include "platform/command/registry.h"
#include "services/common/references.h"
#include "services/rules/aggregates.h"
#include "taizhang/common/v1/errors.pb.h"
#include "taizhang/rules/state/v1/state.pb.h"
#include "taizhang/rules/v1/commands.pb.h"
#include "taizhang/rules/v1/errors.pb.h"
#include "taizhang/rules/v1/events.pb.h"

namespace taizhang::rules {
namespace {

using google::protobuf::util::MessageDifferencer;
using state::v1::Parameter;
using v1::DefineParameterRequest;
using v1::ParameterDefined;
using v1::ParameterSet;
using v1::SetParameterRequest;

constexpr size_t kScopeCodeBytesMax = 64;
constexpr std::string_view kRegionDimension = "region";

void validate(const DefineParameterRequest& command, Violations& found) {
  for (int i = 0; i < command.scope_dims_size(); ++i) {
    if (scope_dimension_rank(command.scope_dims(i)) < 0) {
      found.add(common::v1::COMMON_REFUSAL_FIELD_INVALID, "scope_dims[" + std::to_string(i) + "]",
                "is not a scope dimension");
    }
  }
  const bool by_value = command.resolution() == v1::RESOLUTION_STRICTEST_HIGH ||
                        command.resolution() == v1::RESOLUTION_STRICTEST_LOW;
  if (by_value && !is_ordered(command.type())) {
    found.add(common::v1::COMMON_REFUSAL_FIELD_INVALID, "resolution",
              "values of this type have no order");
  }
}

// Whether the type has the number that min and max speak of.
bool has_magnitude(v1::ParameterType type) {
  return is_ordered(type) || type == v1::PARAMETER_TYPE_RATE ||
         type == v1::PARAMETER_TYPE_AMOUNT_ITEMS;
}

bool bounds_fit(v1::ParameterType type, const v1::ParameterBounds& bounds) {
  const bool limits = bounds.has_min() || bounds.has_max();
  if (limits && !has_magnitude(type)) return false;
  if (bounds.has_min() && bounds.has_max() && bounds.min() > bounds.max()) return false;
  if (!bounds.list().empty() && type != v1::PARAMETER_TYPE_CODES) return false;
  if (!bounds.members().empty() && type != v1::PARAMETER_TYPE_ENUM_SET) return false;
  return limits || !bounds.list().empty() || !bounds.members().empty();
}

Decision decide(const Ledger& ledger, const DefineParameterRequest& command) {
  if (ledger.has<Parameter>(command.key()))
    return refuse(v1::RULES_REFUSAL_PARAMETER_EXISTS, "key");
  if (command.has_bounds() && !bounds_fit(command.type(), command.bounds())) {
    return refuse(v1::RULES_REFUSAL_BOUNDS_INVALID, "bounds");
  }
  return emit(copy_inputs<ParameterDefined>(command));
}

void evolve(Ledger& ledger, const ParameterDefined& event) {
  apply_parameter_defined(ledger.edit<Parameter>(event.key()), event);
}

void validate(const SetParameterRequest& command, Violations& found) {
  for (const auto& [dimension, code] : command.scope()) {
    const std::string field = "scope[" + dimension + "]";
    if (code.empty()) {
      found.add(common::v1::COMMON_REFUSAL_FIELD_REQUIRED, field, "is required");
    } else if (code.size() > kScopeCodeBytesMax) {
      found.add(common::v1::COMMON_REFUSAL_FIELD_INVALID, field, "must have at most 64 characters");
    } else if (dimension == kRegionDimension && !is_region_code(code)) {
      found.add(common::v1::COMMON_REFUSAL_FIELD_INVALID, field, "must be a region code");
    }
  }
  const auto& value = command.value();
  if (command.has_value() && value.value_case() == v1::ParameterValue::VALUE_NOT_SET) {
    found.add(common::v1::COMMON_REFUSAL_FIELD_REQUIRED, "value", "one of its members is required");
  }
  if (value.has_month_day() && !is_month_day(value.month_day())) {
    found.add(common::v1::COMMON_REFUSAL_FIELD_INVALID, "value.month_day",
              "must be a real day of a year");
  }
  if (value.has_codes() && value.codes().codes().empty()) {
    found.add(common::v1::COMMON_REFUSAL_FIELD_REQUIRED, "value.codes.codes", "is required");
  }
}

bool same_scope(const Parameter::Setting& setting, const std::vector<Parameter::Scope>& scope) {
  return std::equal(setting.scope().begin(), setting.scope().end(), scope.begin(), scope.end(),
                    [](const auto& a, const auto& b) { return MessageDifferencer::Equals(a, b); });
}

// Versions of the parameter with the command's scope.
std::vector<const Parameter::Setting*> settings_of_scope(const Parameter& parameter,
                                                         const SetParameterRequest& command) {
  const auto scope = ordered_scope(command.scope());
  std::vector<const Parameter::Setting*> same;
  for (const auto& setting : parameter.settings()) {
    if (same_scope(setting, scope)) same.push_back(&setting);
  }
  return same;
}

int32_t to_day_of(const SetParameterRequest& command) {
  return command.has_valid_to_date() ? day_of(command.valid_to_date()) : 0;
}

bool in_bounds(const Ledger& ledger, const v1::ParameterBounds& bounds,
               const SetParameterRequest& command) {
  const auto& value = command.value();
  const int64_t number = magnitude(value);
  if (bounds.has_min() && number < bounds.min()) return false;
  if (bounds.has_max() && number > bounds.max()) return false;
  if (!bounds.list().empty() && value.codes().list() != bounds.list()) return false;
  for (const auto& code : value.codes().codes()) {
    if (!code_at(ledger, value.codes().list(), code, day_of(command.valid_from_date())))
      return false;
  }
  if (bounds.members().empty()) return true;
  return std::all_of(value.enum_set().members().begin(), value.enum_set().members().end(),
                     [&](const auto& member) {
                       return std::find(bounds.members().begin(), bounds.members().end(), member) !=
                              bounds.members().end();
                     });
}

// Nothing of the same scope may be valid in the command's time, once the version it supersedes has
// ended.
bool overlaps(const std::vector<const Parameter::Setting*>& same,
              const SetParameterRequest& command) {
  const int32_t from_day = day_of(command.valid_from_date());
  const int32_t to_day = to_day_of(command) == 0 ? kOpenDay : to_day_of(command);
  bool superseded_is_known = command.supersedes_version() == 0;
  for (const auto* setting : same) {
    if (setting->number() == command.supersedes_version()) {
      // It keeps its days before the new one; a new one that begins earlier would swallow it.
      if (setting->from_day() > from_day) return true;
      superseded_is_known = true;
      continue;
    }
    const int32_t end = setting->to_day() == 0 ? kOpenDay : setting->to_day();
    const bool never_valid = end < setting->from_day();
    if (!never_valid && setting->from_day() <= to_day && from_day <= end) return true;
  }
  return !superseded_is_known;
}

Decision decide(const Ledger& ledger, const SetParameterRequest& command) {
  const auto* parameter = ledger.find<Parameter>(command.key());
  if (!parameter) return refuse(v1::RULES_REFUSAL_PARAMETER_NOT_FOUND, "key");
  const auto same = settings_of_scope(*parameter, command);
  for (const auto* setting : same) {
    if (setting->from_day() == day_of(command.valid_from_date()) &&
        setting->to_day() == to_day_of(command) &&
        MessageDifferencer::Equals(setting->value(), command.value())) {
      return Unchanged{setting->seq(), setting->seq(), setting->recorded_time_us()};
    }
  }
  if (auto no = version_mismatch(ledger, parameter->version())) return *no;
  for (const auto& scope : ordered_scope(command.scope())) {
    const auto& allowed = parameter->scope_dims();
    if (std::find(allowed.begin(), allowed.end(), scope.dimension()) == allowed.end()) {
      return refuse(v1::RULES_REFUSAL_SCOPE_DIMENSION_INVALID, "scope",
                    {{"dimension", scope.dimension()}});
    }
  }
  if (type_of(command.value()) != parameter->type())
    return refuse(v1::RULES_REFUSAL_VALUE_TYPE_MISMATCH, "value");
  if (!in_bounds(ledger, parameter->bounds(), command))
    return refuse(v1::RULES_REFUSAL_VALUE_OUT_OF_BOUNDS, "value");
  if (overlaps(same, command))
    return refuse(v1::RULES_REFUSAL_VALIDITY_OVERLAPS, "valid_from_date");
  auto event = copy_inputs<ParameterSet>(command);
  event.set_version(parameter->settings_size() + 1);
  return emit(std::move(event));
}

void evolve(Ledger& ledger, const ParameterSet& event) {
  apply_parameter_set(ledger.edit<Parameter>(event.key()), event, ledger.seq(),
                      ledger.recorded_time_us());
}

}  // namespace

void register_parameter(Registry& registry) {
  registry.command<DefineParameterRequest>(decide)
      .validate<DefineParameterRequest>(validate)
      .event<ParameterDefined>(evolve)
      .command<SetParameterRequest>(decide)
      .validate<SetParameterRequest>(validate)
      .event<ParameterSet>(evolve);
}

}  // namespace taizhang::rules
