// When an owner is suspected, and when not.
#include "platform/journal/liveness.h"

#include <gtest/gtest.h>

namespace taizhang::journal {
namespace {

constexpr Id128 kObserver = {1};
constexpr Id128 kOther = {2};
constexpr Id128 kOwner = {3};
constexpr Id128 kNext = {4};

class LivenessTest : public ::testing::Test {
 protected:
  LivenessTest() { liveness_.watch(0, 7, kOwner); }
  void own(int beats) {
    for (int i = 0; i < beats; ++i) liveness_.hear({{}, kObserver, 0, 0, {}, 0, false});
  }
  void owner(uint64_t progress, bool waiting, uint64_t epoch = 7, Id128 id = kOwner) {
    liveness_.hear({{}, kOther, 0, epoch, id, progress, waiting});
  }
  Liveness liveness_{kObserver, {6, 20}};
};

TEST_F(LivenessTest, SilenceCountsInOwnBeatsThatCameBack) {
  own(5);
  EXPECT_FALSE(liveness_.suspected(0));
  own(1);
  EXPECT_TRUE(liveness_.suspected(0));
}

TEST_F(LivenessTest, WithoutOwnBeatsNobodyIsSuspected) {
  for (int i = 0; i < 100; ++i) liveness_.hear({{}, kOther, 0, 0, {}, 0, false});
  EXPECT_FALSE(liveness_.suspected(0));
}

TEST_F(LivenessTest, ASignOfLifeOfTheCurrentClaimStartsTheCountAnew) {
  own(5);
  owner(1, false);
  own(5);
  EXPECT_FALSE(liveness_.suspected(0));
}

TEST_F(LivenessTest, OtherClaimsAreNoSignOfThisOne) {
  own(5);
  owner(1, false, 6, kOwner);
  owner(1, false, 7, kNext);
  own(1);
  EXPECT_TRUE(liveness_.suspected(0));
}

TEST_F(LivenessTest, WorkWithoutProgressIsStuck) {
  for (int i = 0; i < 19; ++i) {
    owner(5, true);
    own(1);
  }
  EXPECT_FALSE(liveness_.suspected(0));
  owner(5, true);
  own(1);
  EXPECT_TRUE(liveness_.suspected(0));
  owner(6, true);
  EXPECT_FALSE(liveness_.suspected(0));
}

TEST_F(LivenessTest, NoProgressWithoutWorkIsRest) {
  for (int i = 0; i < 50; ++i) {
    owner(5, false);
    own(1);
  }
  EXPECT_FALSE(liveness_.suspected(0));
}

TEST_F(LivenessTest, ANewClaimGetsTheWholeTime) {
  own(6);
  liveness_.watch(0, 8, kNext);
  EXPECT_FALSE(liveness_.suspected(0));
  own(6);
  EXPECT_TRUE(liveness_.suspected(0));
}

TEST_F(LivenessTest, AHigherEpochIsToldOnce) {
  owner(1, false);
  EXPECT_FALSE(liveness_.take_outrun(0));
  owner(1, false, 8, kNext);
  EXPECT_TRUE(liveness_.take_outrun(0));
  EXPECT_FALSE(liveness_.take_outrun(0));
}

}  // namespace
}  // namespace taizhang::journal
