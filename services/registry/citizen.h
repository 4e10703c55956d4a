// Citizen numbers as the registry takes them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "platform/state/ledger.h"

namespace taizhang::registry {

struct KnownCitizen {
  // Blind index of the normalised number: what state and events hold in its place.
  std::string index;
  int32_t birth_day;  // yyyymmdd
};

// Nothing: the number is wrong in itself, born after the recorded day, or of no province in list
// citizen_region on the effective date.
std::optional<KnownCitizen> check_citizen_number(const Ledger& ledger, std::string_view number);

}  // namespace taizhang::registry
