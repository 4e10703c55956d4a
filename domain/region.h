// Region codes: significant digits of the statistical code, 2-4-6-9-12-15 by level; the parent is
// the prefix.
//
// Source: rules.md §9 (GB/T 2260, GB/T 10114, statistical codes), slice-1 §3.
#pragma once

#include <string>
#include <string_view>

namespace taizhang {
namespace common::v1 {
enum AdminLevel : int;
enum LedgerKind : int;
}  // namespace common::v1

// Length of a known level, digits only, no segment of zeros, township 001 to 599.
bool is_region_code(std::string_view code);
// By length alone; ADMIN_LEVEL_UNSPECIFIED when no level has that length.
common::v1::AdminLevel level_of_region(std::string_view code);
// Empty for a province.
std::string_view parent_region(std::string_view code);
// `region` is `ancestor` or lies in it.
bool region_within(std::string_view region, std::string_view ancestor);
// The village that `region` is or lies in; empty: it is above the village.
std::string_view village_of(std::string_view region);
// Significant digits of a ledger's code: "610000" of a province is "61".
std::string_view ledger_root(std::string_view ledger, common::v1::LedgerKind kind);

}  // namespace taizhang
