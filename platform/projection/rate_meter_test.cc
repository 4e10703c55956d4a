// Rates over the last seconds.
#include "platform/projection/rate_meter.h"

#include <gtest/gtest.h>

namespace taizhang::projection {
namespace {

constexpr int64_t kSecondUs = 1'000'000;

TEST(RateMeter, IsZeroBeforeAnythingMoved) { EXPECT_EQ(RateMeter().per_second(kSecondUs), 0); }

TEST(RateMeter, IsTheMeanOfTheLastTenSeconds) {
  RateMeter meter;
  int64_t total = 0;
  for (int64_t at = 0; at <= 60; ++at) {
    total += at <= 30 ? 100 : 700;  // what was before counts no more
    meter.add(at * kSecondUs, total);
  }
  EXPECT_NEAR(meter.per_second(60 * kSecondUs), 700, 1);
}

TEST(RateMeter, FallsWhenNothingMovesAnyMore) {
  RateMeter meter;
  for (int64_t at = 1; at <= 5; ++at) meter.add(at * kSecondUs, at * 100);
  EXPECT_GT(meter.per_second(5 * kSecondUs), 100);
  EXPECT_LT(meter.per_second(10 * kSecondUs), 100);
  EXPECT_EQ(meter.per_second(30 * kSecondUs), 0);
}

TEST(RateMeter, ASilenceIsNoPartOfWhatComesAfterIt) {
  RateMeter meter;
  meter.add(0, 1'000);
  meter.add(100 * kSecondUs, 1'200);
  EXPECT_NEAR(meter.per_second(101 * kSecondUs), 200, 1);
}

}  // namespace
}  // namespace taizhang::projection
