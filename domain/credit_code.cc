// Unified social credit codes.
#include "domain/credit_code.h"

#include <algorithm>
#include <array>
#include <cstddef>

namespace taizhang {
namespace {

constexpr size_t kLength = 18;
// No I, O, S, V, Z.
constexpr std::string_view kAlphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY";
constexpr std::array<int, 17> kWeights = {1,  3,  9,  27, 19, 26, 16, 17, 20,
                                          29, 25, 13, 8,  24, 10, 30, 28};
constexpr size_t kOrganisationBegin = 8;
constexpr size_t kOrganisationLength = 8;
constexpr std::array<int, kOrganisationLength> kOrganisationWeights = {3, 7, 9, 10, 5, 8, 4, 2};

int organisation_value(char c) { return c <= '9' ? c - '0' : c - 'A' + 10; }

}  // namespace

char organisation_check_character(std::string_view code8) {
  int sum = 0;
  for (size_t i = 0; i < kOrganisationLength; ++i)
    sum += organisation_value(code8[i]) * kOrganisationWeights[i];
  const int check = 11 - sum % 11;
  if (check == 10) return 'X';
  return check == 11 ? '0' : static_cast<char>('0' + check);
}

char credit_check_character(std::string_view code17) {
  int sum = 0;
  for (size_t i = 0; i < kWeights.size(); ++i) {
    sum += static_cast<int>(kAlphabet.find(code17[i])) * kWeights[i];
  }
  return kAlphabet[static_cast<size_t>((31 - sum % 31) % 31)];
}

bool is_credit_code(std::string_view code) {
  if (code.size() != kLength) return false;
  if (!std::all_of(code.begin(), code.end(),
                   [](char c) { return kAlphabet.find(c) != kAlphabet.npos; })) {
    return false;
  }
  return organisation_check_character(code.substr(kOrganisationBegin, kOrganisationLength)) ==
             code[kOrganisationBegin + kOrganisationLength] &&
         credit_check_character(code) == code.back();
}

}  // namespace taizhang
