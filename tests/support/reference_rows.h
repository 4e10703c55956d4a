// Reference data of a small county, as rows: enough codes, regions and rules for a test to speak of.
//
// All of it is valid from 2012-01-01. Regions: 990101 county, 990101100 township, 990101100201 and 990101100202
// villages, 990101100201001 group.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string_view>
#include <utility>

#include "taizhang/rules/state/v1/state.pb.h"
#include "tests/support/scenario.h"

namespace taizhang::test {

inline constexpr int32_t kReferenceDay = 20120101;
inline constexpr std::string_view kCounty = "990101";
inline constexpr std::string_view kTownship = "990101100";
inline constexpr std::string_view kVillage = "990101100201";
inline constexpr std::string_view kOtherVillage = "990101100202";
inline constexpr std::string_view kGroup = "990101100201001";

rules::state::v1::Code code_row(std::string_view list_id, std::string_view code,
                                std::string_view code_class = "", int32_t from_day = kReferenceDay);
rules::state::v1::Region region_row(std::string_view region, int32_t from_day = kReferenceDay);

// A parameter with one version; further ones are added with add_setting().
rules::state::v1::Parameter parameter_row(
    std::string_view key, const rules::v1::ParameterValue& value,
    std::initializer_list<std::pair<std::string_view, std::string_view>> scope = {},
    int32_t from_day = kReferenceDay);
void add_setting(rules::state::v1::Parameter& parameter, const rules::v1::ParameterValue& value,
                 std::initializer_list<std::pair<std::string_view, std::string_view>> scope,
                 int32_t from_day);

rules::v1::ParameterValue date_value(int32_t day);
rules::v1::ParameterValue days_value(int32_t days);
rules::v1::ParameterValue set_value(std::initializer_list<std::string_view> members);

// Regions and the codes that registry and assistance ask for. No parameters.
void give_reference(Scenario& scenario);

}  // namespace taizhang::test
