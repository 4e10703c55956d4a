// Region codes.
#include "domain/region.h"

#include <algorithm>
#include <array>

#include "taizhang/common/v1/enums.pb.h"

namespace taizhang {
namespace {

struct Level {
  size_t length;
  common::v1::AdminLevel level;
};
constexpr std::array<Level, 6> kLevels = {{{2, common::v1::ADMIN_LEVEL_PROVINCE},
                                           {4, common::v1::ADMIN_LEVEL_PREFECTURE},
                                           {6, common::v1::ADMIN_LEVEL_COUNTY},
                                           {9, common::v1::ADMIN_LEVEL_TOWNSHIP},
                                           {12, common::v1::ADMIN_LEVEL_VILLAGE},
                                           {15, common::v1::ADMIN_LEVEL_GROUP}}};
constexpr size_t kVillageLength = 12;
// 001-099 street, 100-199 town, 200-399 township, 400-599 similar.
constexpr std::string_view kTownshipLast = "599";

}  // namespace

common::v1::AdminLevel level_of_region(std::string_view code) {
  for (const auto& [length, level] : kLevels) {
    if (code.size() == length) return level;
  }
  return common::v1::ADMIN_LEVEL_UNSPECIFIED;
}

bool is_region_code(std::string_view code) {
  if (level_of_region(code) == common::v1::ADMIN_LEVEL_UNSPECIFIED) return false;
  if (!std::all_of(code.begin(), code.end(), [](char c) { return c >= '0' && c <= '9'; }))
    return false;
  size_t begin = 0;
  for (const auto& [length, level] : kLevels) {
    if (length > code.size()) break;
    const std::string_view segment = code.substr(begin, length - begin);
    if (segment.find_first_not_of('0') == std::string_view::npos) return false;
    if (level == common::v1::ADMIN_LEVEL_TOWNSHIP && segment > kTownshipLast) return false;
    begin = length;
  }
  return true;
}

std::string_view parent_region(std::string_view code) {
  size_t parent = 0;
  for (const auto& [length, level] : kLevels) {
    if (length < code.size()) parent = length;
  }
  return code.substr(0, parent);
}

bool region_within(std::string_view region, std::string_view ancestor) {
  return region.substr(0, ancestor.size()) == ancestor;
}

std::string_view village_of(std::string_view region) {
  return region.size() >= kVillageLength ? region.substr(0, kVillageLength) : std::string_view();
}

std::string_view ledger_root(std::string_view ledger, common::v1::LedgerKind kind) {
  if (kind == common::v1::LEDGER_KIND_PROVINCE) return ledger.substr(0, 2);
  if (kind == common::v1::LEDGER_KIND_PREFECTURE) return ledger.substr(0, 4);
  return ledger;
}

}  // namespace taizhang
