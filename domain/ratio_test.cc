// Tests of shares.
#include "domain/ratio.h"

#include <gtest/gtest.h>

#include <limits>

namespace taizhang {
namespace {

TEST(Ratio, PercentIsRoundedHalfUp) {
  EXPECT_EQ(percent_hundredths(16'890'000, 20'000'000), 8445);  // T-09
  EXPECT_EQ(percent_hundredths(1'890'000, 20'000'000), 945);
  EXPECT_EQ(percent_hundredths(120'000'000, 358'000'000), 3352);  // T-10
  EXPECT_EQ(percent_hundredths(238'000'000, 358'000'000), 6648);
  EXPECT_EQ(percent_hundredths(1, 20'000), 1);
  EXPECT_EQ(percent_hundredths(1, 20'001), 0);
  EXPECT_EQ(percent_hundredths(-1, 20'000), 0);
  EXPECT_EQ(percent_hundredths(-1, 19'999), -1);
  EXPECT_EQ(percent_hundredths(2, 1), 20'000);
}

TEST(Ratio, OfNothingIsNotANumber) {
  EXPECT_FALSE(percent_hundredths(5, 0));
  EXPECT_FALSE(percent_hundredths(5, -1));
  EXPECT_FALSE(percent_hundredths(std::numeric_limits<int64_t>::max(), 1));
}

TEST(Ratio, PercentAsText) {
  EXPECT_EQ(percent_text(8445), "84.45");
  EXPECT_EQ(percent_text(0), "0.00");
  EXPECT_EQ(percent_text(5), "0.05");
  EXPECT_EQ(percent_text(-105), "-1.05");
  EXPECT_EQ(percent_text(10'000), "100.00");
}

TEST(Ratio, ReachesAShareWithoutRounding) {
  EXPECT_TRUE(reaches_bp(16'890'000, 20'000'000, 8'445));
  EXPECT_FALSE(reaches_bp(16'889'999, 20'000'000, 8'445));
  EXPECT_TRUE(
      reaches_bp(std::numeric_limits<int64_t>::max(), std::numeric_limits<int64_t>::max(), 10'000));
}

}  // namespace
}  // namespace taizhang
