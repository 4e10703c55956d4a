// Tests of region codes.
#include "domain/region.h"

#include <gtest/gtest.h>

#include "taizhang/common/v1/enums.pb.h"

namespace taizhang {
namespace {

TEST(RegionCode, HasTheDigitsOfItsLevel) {
  for (const auto* code :
       {"99", "9901", "990101", "990101100", "990101100201", "990101100201003", "990101599001"}) {
    EXPECT_TRUE(is_region_code(code)) << code;
  }
  for (const auto* code : {"", "9", "990", "99010", "9901011", "99010110020", "9901011002010",
                           "9901011002010031", "9a", "99 1", "９９"}) {
    EXPECT_FALSE(is_region_code(code)) << code;
  }
}

TEST(RegionCode, HasNoSegmentOfZerosAndATownshipTo599) {
  for (const auto* code : {"00", "9900", "990100", "990101000", "990101100000", "990101100201000",
                           "990001", "990101600", "990101999001"}) {
    EXPECT_FALSE(is_region_code(code)) << code;
  }
}

TEST(RegionCode, LevelFollowsFromItsLength) {
  EXPECT_EQ(level_of_region("99"), common::v1::ADMIN_LEVEL_PROVINCE);
  EXPECT_EQ(level_of_region("9901"), common::v1::ADMIN_LEVEL_PREFECTURE);
  EXPECT_EQ(level_of_region("990101"), common::v1::ADMIN_LEVEL_COUNTY);
  EXPECT_EQ(level_of_region("990101100"), common::v1::ADMIN_LEVEL_TOWNSHIP);
  EXPECT_EQ(level_of_region("990101100201"), common::v1::ADMIN_LEVEL_VILLAGE);
  EXPECT_EQ(level_of_region("990101100201001"), common::v1::ADMIN_LEVEL_GROUP);
  EXPECT_EQ(level_of_region("990"), common::v1::ADMIN_LEVEL_UNSPECIFIED);
}

TEST(RegionCode, ParentIsThePrefix) {
  EXPECT_EQ(parent_region("990101100201001"), "990101100201");
  EXPECT_EQ(parent_region("990101100201"), "990101100");
  EXPECT_EQ(parent_region("990101100"), "990101");
  EXPECT_EQ(parent_region("9901"), "99");
  EXPECT_EQ(parent_region("99"), "");
}

TEST(RegionCode, LiesInItsAncestorsAndItself) {
  EXPECT_TRUE(region_within("990101100201", "990101"));
  EXPECT_TRUE(region_within("990101", "990101"));
  EXPECT_FALSE(region_within("9901", "990101"));
  EXPECT_FALSE(region_within("990102100", "990101"));
}

TEST(RegionCode, VillageIsItsTwelveDigits) {
  EXPECT_EQ(village_of("990101100201001"), "990101100201");
  EXPECT_EQ(village_of("990101100201"), "990101100201");
  EXPECT_EQ(village_of("990101100"), "");
}

TEST(LedgerRoot, IsTheSignificantPartOfTheLedgerCode) {
  EXPECT_EQ(ledger_root("990000", common::v1::LEDGER_KIND_PROVINCE), "99");
  EXPECT_EQ(ledger_root("990100", common::v1::LEDGER_KIND_PREFECTURE), "9901");
  EXPECT_EQ(ledger_root("990101", common::v1::LEDGER_KIND_COUNTY), "990101");
}

}  // namespace
}  // namespace taizhang
