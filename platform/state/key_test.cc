// Keys sort like what they are made of.
#include "platform/state/key.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>

namespace taizhang {
namespace {

TEST(Key, NumbersSortBySign) {
  const int64_t numbers[] = {std::numeric_limits<int64_t>::min(), -5, -1, 0, 1, 7, 20'170'101,
                             std::numeric_limits<int64_t>::max()};
  for (size_t i = 0; i + 1 < std::size(numbers); ++i) {
    EXPECT_LT(make_key(numbers[i]), make_key(numbers[i + 1])) << numbers[i];
  }
}

TEST(Key, AShorterTextSortsFirstAndIsNoPrefixOfALongerOnesKey) {
  EXPECT_LT(make_key("a", "z"), make_key("ab", "a"));
  EXPECT_FALSE(make_key("ab").starts_with(make_key("a")));
  EXPECT_LT(make_key(std::string("a")), make_key(std::string("a\0b", 3)));
}

TEST(Key, FirstPartsAreAPrefix) {
  EXPECT_TRUE(make_key("a", int64_t{7}, "b").starts_with(make_key("a", int64_t{7})));
}

TEST(Key, AUuidTakesSeventeenBytesAndSortsLikeItsText) {
  const std::string low = "00000000-0000-4000-8000-0000000000ff";
  const std::string high = "0000000f-0000-4000-8000-000000000000";
  EXPECT_EQ(make_key(low).size(), 17u);
  EXPECT_LT(make_key(low), make_key(high));
  for (const std::string& text : {low, high, std::string("00000000-0000-4000-8000-0000000000FF")}) {
    const std::string key = make_key(text, "next");
    std::string_view rest = key;
    std::string got;
    ASSERT_TRUE(take_key_text(rest, got));
    EXPECT_EQ(got, text);
    ASSERT_TRUE(take_key_text(rest, got));
    EXPECT_EQ(got, "next");
  }
}

TEST(Key, PartsAreReadBack) {
  const std::string text("x\0\xff y", 5);
  const std::string key = make_key(text, int64_t{-3});
  std::string_view rest = key;
  std::string got;
  int64_t number = 0;
  ASSERT_TRUE(take_key_text(rest, got));
  ASSERT_TRUE(take_key_number(rest, number));
  EXPECT_EQ(got, text);
  EXPECT_EQ(number, -3);
  EXPECT_TRUE(rest.empty());
  EXPECT_FALSE(take_key_text(rest, got));
  EXPECT_FALSE(take_key_number(rest, number));
}

}  // namespace
}  // namespace taizhang
