// Reference data as events, for tests of any context: regions, code lists, parameters.
//
// Needs register_rules in the scenario. Everything is in force from 2012-01-01.
#pragma once

#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "taizhang/rules/v1/events.pb.h"

namespace taizhang::test {

inline constexpr int32_t kReferenceDay = 20120101;

// The level follows from the code.
rules::v1::RegionCreated region_created(std::string_view region, int32_t from_day = kReferenceDay);

struct CodeOf {
  CodeOf(const char* code, const char* code_class = "")
      : code(code), code_class(code_class) {}  // NOLINT: reads well
  std::string code;
  std::string code_class;
};
// Labels are the codes themselves; the version is named by its first day.
rules::v1::CodeListPublished code_list(std::string_view list_id, const std::vector<CodeOf>& codes,
                                       int32_t from_day = kReferenceDay);

rules::v1::ParameterDefined parameter_defined(
    std::string_view key, rules::v1::ParameterType type,
    std::initializer_list<const char*> scope_dims,
    rules::v1::Resolution resolution = rules::v1::RESOLUTION_MOST_SPECIFIC);
// Of a key whose absence passes.
rules::v1::ParameterDefined optional_parameter_defined(
    std::string_view key, rules::v1::ParameterType type,
    std::initializer_list<const char*> scope_dims);

using ScopeOf = std::map<std::string, std::string>;
rules::v1::ParameterSet parameter_set(std::string_view key, const ScopeOf& scope,
                                      const rules::v1::ParameterValue& value, int64_t version = 1,
                                      int32_t from_day = kReferenceDay);

rules::v1::ParameterValue flag_value(bool flag);
rules::v1::ParameterValue days_value(int days);
rules::v1::ParameterValue bp_value(int bp);
rules::v1::ParameterValue date_value(int32_t day);
rules::v1::ParameterValue codes_value(std::string_view list,
                                      std::initializer_list<const char*> codes);
rules::v1::ParameterValue set_value(std::initializer_list<const char*> members);
rules::v1::ParameterValue count_value(int count, rules::v1::CalendarPeriod period);
rules::v1::ParameterValue rate_value(int64_t fen, common::v1::Unit unit,
                                     rules::v1::Rate::Mode mode = rules::v1::Rate::MODE_EXACT);
rules::v1::ParameterValue items_value(std::initializer_list<int64_t> fen,
                                      rules::v1::CalendarPeriod period);

}  // namespace taizhang::test
