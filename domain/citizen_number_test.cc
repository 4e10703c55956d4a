// Tests of citizen numbers. Numbers are the standard's printed examples or synthetic (region part
// 99).
#include "domain/citizen_number.h"

#include <gtest/gtest.h>

namespace taizhang {
namespace {

TEST(CitizenNumber, PrintedExamplesOfTheStandardPass) {
  EXPECT_EQ(citizen_check_character("11010519491231002"), 'X');
  EXPECT_EQ(citizen_check_character("44052418800101001"), '4');
  const auto parsed = parse_citizen_number("11010519491231002X");
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->number, "11010519491231002X");
  EXPECT_EQ(parsed->birth_day, 19491231);
  EXPECT_EQ(parsed->province(), "11");
}

TEST(CitizenNumber, SmallXIsStoredLarge) {
  ASSERT_TRUE(parse_citizen_number("11010519491231002x"));
  EXPECT_EQ(parse_citizen_number("11010519491231002x")->number, "11010519491231002X");
}

TEST(CitizenNumber, FifteenDigitsAreBroughtToEighteen) {
  const auto parsed = parse_citizen_number("110105491231002");
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->number, "11010519491231002X");
}

TEST(CitizenNumber, EveryOtherCheckCharacterIsRefused) {
  const std::string body = "99010119800229001";
  int accepted = 0;
  for (const char c : std::string_view("0123456789X"))
    accepted += parse_citizen_number(body + c).has_value();
  EXPECT_EQ(accepted, 1);
}

TEST(CitizenNumber, BirthDateMustBeReal) {
  const auto with_check = [](std::string body) { return body + citizen_check_character(body); };
  EXPECT_TRUE(parse_citizen_number(with_check("99010120000229001")));
  EXPECT_FALSE(parse_citizen_number(with_check("99010119000229001")));
  EXPECT_FALSE(parse_citizen_number(with_check("99010119801301001")));
  EXPECT_FALSE(parse_citizen_number(with_check("99010118800101001")));
  EXPECT_FALSE(parse_citizen_number("990101801301001"));
}

TEST(CitizenNumber, OtherFormsAreRefused) {
  for (const auto* text : {"", "1", "11010519491231002", "11010519491231002XX",
                           "1101051949123100AX", "11010549123100A", "１10105194912310020"}) {
    EXPECT_FALSE(parse_citizen_number(text)) << text;
  }
}

}  // namespace
}  // namespace taizhang
