// Citizen numbers.
#include "domain/citizen_number.h"

#include <algorithm>
#include <array>

#include "domain/dates.h"

namespace taizhang {
namespace {

constexpr size_t kBodyLength = 17;
constexpr std::array<int, kBodyLength> kWeights = {7, 9, 10, 5,  8, 4, 2, 1, 6,
                                                   3, 7, 9,  10, 5, 8, 4, 2};
constexpr std::string_view kCheckCharacters = "10X98765432";

bool all_digits(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

char citizen_check_character(std::string_view digits17) {
  int sum = 0;
  for (size_t i = 0; i < kBodyLength; ++i) sum += (digits17[i] - '0') * kWeights[i];
  return kCheckCharacters[static_cast<size_t>(sum % 11)];
}

std::optional<CitizenNumber> parse_citizen_number(std::string_view text) {
  std::string number(text);
  if (text.size() == 15) {
    if (!all_digits(text)) return std::nullopt;
    number.insert(6, "19");
    number += citizen_check_character(number);
  } else if (text.size() == 18) {
    if (!all_digits(text.substr(0, kBodyLength))) return std::nullopt;
    if (number.back() == 'x') number.back() = 'X';
    if (number.back() != citizen_check_character(number)) return std::nullopt;
  } else {
    return std::nullopt;
  }
  const int32_t birth_day = std::stoi(number.substr(6, 8));
  if (!is_day(birth_day)) return std::nullopt;
  return CitizenNumber{std::move(number), birth_day};
}

}  // namespace taizhang
