// Tests of names of enum values.
#include "services/common/names.h"

#include <gtest/gtest.h>

#include "taizhang/common/v1/enums.pb.h"
#include "taizhang/common/v1/values.pb.h"

namespace taizhang {
namespace {

TEST(ShortName, IsTheValueWithoutItsEnumsPrefix) {
  EXPECT_EQ(short_name(common::v1::ADMIN_LEVEL_COUNTY), "COUNTY");
  EXPECT_EQ(short_name(common::v1::UNIT_SQUARE_METRE), "SQUARE_METRE");
  EXPECT_EQ(short_name(common::v1::SignOff::MARK_THUMB), "THUMB");
  EXPECT_EQ(short_name(static_cast<common::v1::Unit>(999)), "");
}

}  // namespace
}  // namespace taizhang
