// Tests of money.
#include "domain/money.h"

#include <gtest/gtest.h>

#include <limits>

namespace taizhang {
namespace {

constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
constexpr int64_t kMin = std::numeric_limits<int64_t>::min();

TEST(Money, SumsAndProductsStopAtTheEdge) {
  EXPECT_EQ(add_fen(15'000'000, 1'890'000), 16'890'000);
  EXPECT_EQ(add_fen(kMax - 1, 1), kMax);
  EXPECT_FALSE(add_fen(kMax, 1));
  EXPECT_FALSE(add_fen(kMin, -1));
  EXPECT_EQ(times_fen(13, 100'000), 1'300'000);
  EXPECT_FALSE(times_fen(int64_t{1} << 32, int64_t{1} << 31));
}

TEST(Money, PriceTimesQuantityMustBeTheAmountExactly) {
  EXPECT_TRUE(price_matches(50'000, 300'000, 15'000'000));  // T-05: 300 mu at 500 yuan
  EXPECT_FALSE(price_matches(50'000, 300'000, 14'999'999));
  EXPECT_FALSE(price_matches(50'000, 300'000, 15'000'001));
  EXPECT_FALSE(price_matches(1, 1'500, 1));
  EXPECT_TRUE(price_matches(kMax, 1'000, kMax));
  EXPECT_FALSE(price_matches(kMax, kMax, kMax));
}

TEST(Money, PriceOfAQuantityIsAWholeNumberOfFenOrNothing) {
  EXPECT_EQ(price_fen(30'000, 9'000), 270'000);
  EXPECT_EQ(price_fen(2, 1'500), 3);
  EXPECT_FALSE(price_fen(1, 1'500));
  EXPECT_FALSE(price_fen(kMax, 2'000));
}

}  // namespace
}  // namespace taizhang
