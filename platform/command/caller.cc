// What a caller may.
#include "platform/command/caller.h"

#include <algorithm>

namespace taizhang {

bool Caller::has_role(int role) const {
  return std::find(roles.begin(), roles.end(), role) != roles.end();
}

bool Caller::has_right(const std::string& right) const {
  return std::find(rights.begin(), rights.end(), right) != rights.end();
}

bool Caller::covers(const std::string& region) const {
  return std::any_of(regions.begin(), regions.end(),
                     [&](const auto& mine) { return region.starts_with(mine); });
}

bool Caller::may_enter(const std::string& ledger) const {
  // 611000 (prefecture) and 610000 (province) lie inside "6110" and "61" by their significant
  // digits.
  std::string digits = ledger;
  while (digits.size() > 2 && digits.ends_with("00")) digits.resize(digits.size() - 2);
  return std::any_of(regions.begin(), regions.end(), [&](const auto& mine) {
    return digits.starts_with(mine) || mine.starts_with(digits);
  });
}

}  // namespace taizhang
