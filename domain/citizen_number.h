// Citizen numbers by GB 11643 (rules.md §9). Never log one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace taizhang {

struct CitizenNumber {
  std::string number;  // 18 characters, X upper case
  int32_t birth_day;   // yyyymmdd
  // First two digits: a province code. Whether it stands in list citizen_region is the ledger's to
  // say.
  std::string_view province() const { return std::string_view(number).substr(0, 2); }
};

// 18 characters with a right check character (x is taken for X), or 15 digits brought to 18 by
// inserting "19". Nothing: wrong form, wrong check character, or no real birth date.
std::optional<CitizenNumber> parse_citizen_number(std::string_view text);

// Check character of the first 17 digits.
char citizen_check_character(std::string_view digits17);

}  // namespace taizhang
