// Which places lie within which.
#include "projections/common/place.h"

#include <gtest/gtest.h>

#include "projections/common/names.h"
#include "taizhang/assistance/v1/values.pb.h"

namespace taizhang {
namespace {

TEST(Place, IsWithinItsTownshipAndCounty) {
  const Place place = place_of("990101100201");
  EXPECT_EQ(place, (Place{"990101100", "990101100201"}));
  EXPECT_TRUE(place.is_within(""));
  EXPECT_TRUE(place.is_within("990101"));
  EXPECT_TRUE(place.is_within("990101100"));
  EXPECT_TRUE(place.is_within("990101100201"));
  EXPECT_FALSE(place.is_within("990101100202"));
  EXPECT_FALSE(place.is_within("990101101"));
}

TEST(Place, OfAGroupIsItsVillage) {
  EXPECT_EQ(place_of("990101100201001"), place_of("990101100201"));
  EXPECT_FALSE(place_of("990101100201").is_within("990101100201001"));
}

TEST(Place, OfACountyIsNowhereInIt) {
  EXPECT_EQ(place_of("990101"), Place{});
  EXPECT_TRUE(Place{}.is_within(""));
  EXPECT_FALSE(Place{}.is_within("990101"));
}

TEST(Place, PrefixIsTheLongestThatHoldsTheRegion) {
  size_t parts = 9;
  const auto count = [&](const auto&... part) { parts = sizeof...(part); };
  with_place_prefix("", count);
  EXPECT_EQ(parts, 0U);
  with_place_prefix("990101", count);
  EXPECT_EQ(parts, 0U);
  with_place_prefix("990101100", count);
  EXPECT_EQ(parts, 1U);
  with_place_prefix("990101100201", count);
  EXPECT_EQ(parts, 2U);
  with_place_prefix("990101100201001", count);
  EXPECT_EQ(parts, 2U);
}

TEST(Names, AreCodesWithoutTheEnumsPrefix) {
  EXPECT_EQ(code_of(assistance::v1::PAIRING_KIND_CADRE_HOUSEHOLD), "CADRE_HOUSEHOLD");
  EXPECT_EQ(code_of(assistance::v1::VISIT_CHANNEL_HOME), "HOME");
  EXPECT_EQ(code_of(static_cast<assistance::v1::VisitChannel>(99)), "");
}

}  // namespace
}  // namespace taizhang
