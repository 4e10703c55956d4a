// Parameters: how their versions come about, which one governs a fact, and their values as text
// (slice-1 §5).
//
// Shared by the write side and by views, so that both judge by the same rule. Works on the row
// rules.state.v1.Parameter.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "taizhang/rules/state/v1/state.pb.h"

namespace taizhang {
namespace common::v1 {
class ParameterUse;
}
namespace rules::v1 {
class ParameterDefined;
class ParameterSet;
}  // namespace rules::v1

// Place of a scope dimension, 0 = most specific; -1: no such dimension.
int scope_dimension_rank(std::string_view dimension);

// What a rule may be scoped by, of one fact: dimension → code. An empty code is as good as not
// given.
class ScopeFacts {
 public:
  ScopeFacts() = default;
  ScopeFacts(std::initializer_list<std::pair<std::string_view, std::string_view>> facts);
  ScopeFacts& set(std::string_view dimension, std::string_view code);
  // Empty: not given.
  std::string_view find(std::string_view dimension) const;

 private:
  std::vector<std::pair<std::string, std::string>> facts_;
};

// Folds of the two events into the row.
void apply_parameter_defined(rules::state::v1::Parameter& parameter,
                             const rules::v1::ParameterDefined& event);
// `seq` and `recorded_time_us` of the event. A version it supersedes ends the day before it begins.
void apply_parameter_set(rules::state::v1::Parameter& parameter,
                         const rules::v1::ParameterSet& event, int64_t seq,
                         int64_t recorded_time_us);

// Most specific dimension first: the order in which scopes are kept and compared.
std::vector<rules::state::v1::Parameter::Scope> ordered_scope(
    const google::protobuf::Map<std::string, std::string>& scope);

// Every version whose scope matches the facts and which is valid on `day`, the governing one first,
// then by the same order. Empty: no rule. Pointers into `parameter`.
std::vector<const rules::state::v1::Parameter::Setting*> matching_settings(
    const rules::state::v1::Parameter& parameter, const ScopeFacts& facts, int32_t day);

// Types whose values have an order: the others cannot be resolved by STRICTEST_….
bool is_ordered(rules::v1::ParameterType type);
rules::v1::ParameterType type_of(const rules::v1::ParameterValue& value);
// The number that bounds and STRICTEST_… compare; a count is not yet brought to a year. 0 for types
// without one.
int64_t magnitude(const rules::v1::ParameterValue& value);
// A count brought to a year: 1 a MONTH is 12.
int64_t count_a_year(const rules::v1::CountPerPeriod& value);

// In the parameter's own notation: "true", "30", "2017-01-01", "03-31", "{LIFTED,SUCCESSOR}", "1
// per QUARTER", "EXACT 50000 per MU", "工作经费 1250000 + 补助 500000 per YEAR".
std::string value_text(const rules::v1::ParameterValue& value);

common::v1::ParameterUse use_of(std::string_view key,
                                const rules::state::v1::Parameter::Setting& setting);
// Version 0: no rule was set, and the key lets that pass.
common::v1::ParameterUse use_of_no_rule(std::string_view key);

}  // namespace taizhang
