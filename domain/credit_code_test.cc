// Tests of unified social credit codes.
#include "domain/credit_code.h"

#include <gtest/gtest.h>

#include <string>

namespace taizhang {
namespace {

// The example that is printed with the standard.
constexpr std::string_view kExample = "91350100M000100Y43";

TEST(CreditCode, PrintedExamplePasses) {
  EXPECT_EQ(organisation_check_character("M000100Y"), '4');
  EXPECT_EQ(credit_check_character(kExample), '3');
  EXPECT_TRUE(is_credit_code(kExample));
}

TEST(CreditCode, EveryChangedCharacterIsRefused) {
  constexpr std::string_view kAlphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY";
  for (size_t i = 0; i < kExample.size(); ++i) {
    for (const char c : kAlphabet) {
      if (c == kExample[i]) continue;
      std::string changed(kExample);
      changed[i] = c;
      EXPECT_FALSE(is_credit_code(changed)) << changed;
    }
  }
}

TEST(CreditCode, InnerOrganisationCodeIsCheckedOnItsOwn) {
  std::string code = "91350100M000100Y5";  // its check character is 4
  code += credit_check_character(code);
  EXPECT_FALSE(is_credit_code(code));
}

TEST(CreditCode, LettersOutsideTheAlphabetAreRefused) {
  for (const char c : std::string_view("IOSVZaz-")) {
    std::string code(kExample);
    code[1] = c;
    EXPECT_FALSE(is_credit_code(code));
  }
  EXPECT_FALSE(is_credit_code("91350100M000100Y4"));
  EXPECT_FALSE(is_credit_code(""));
}

TEST(OrganisationCode, CheckCharacterMayBeXOrZero) {
  EXPECT_EQ(organisation_check_character("00000000"), '0');
  EXPECT_EQ(organisation_check_character("00000006"), 'X');  // 2 × 6 = 12, 11 - 12 mod 11 = 10
}

}  // namespace
}  // namespace taizhang
