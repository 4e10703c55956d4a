// Tests of quantities.
#include "domain/quantity.h"

#include <gtest/gtest.h>

#include <limits>

#include "taizhang/common/v1/values.pb.h"

namespace taizhang {
namespace {

common::v1::Quantity quantity(int64_t milli, common::v1::Unit unit) {
  common::v1::Quantity value;
  value.set_milli(milli);
  value.set_unit(unit);
  return value;
}

TEST(Quantity, SubtractsWithinAUnit) {
  const auto difference =
      subtract(quantity(500, common::v1::UNIT_MU), quantity(2'000, common::v1::UNIT_MU));
  ASSERT_TRUE(difference);
  EXPECT_EQ(difference->milli(), -1'500);
  EXPECT_EQ(difference->unit(), common::v1::UNIT_MU);
}

TEST(Quantity, NeverMixesUnitsOrOverflows) {
  constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
  EXPECT_FALSE(
      subtract(quantity(1, common::v1::UNIT_PERSON), quantity(1, common::v1::UNIT_HOUSEHOLD)));
  EXPECT_FALSE(subtract(quantity(-kMax, common::v1::UNIT_MU), quantity(2, common::v1::UNIT_MU)));
}

}  // namespace
}  // namespace taizhang
