// Ranges of handled seqs: what was added is handled, nothing else is, and the row stays small.
#include "domain/subscription.h"

#include <gtest/gtest.h>

#include <random>
#include <set>

namespace taizhang {
namespace {

using subscriptions::state::v1::Parked;
using subscriptions::state::v1::Subscription;

std::string text(const Subscription& row) {
  std::string out = std::to_string(row.position());
  for (const auto& range : row.done())
    out += " " + std::to_string(range.first()) + "-" + std::to_string(range.last());
  return out;
}

TEST(SubscriptionRanges, JoinTheirNeighboursAndThePosition) {
  Subscription row;
  row.set_position(10);
  add_handled(row, 15, 16);
  add_handled(row, 20, 20);
  add_handled(row, 12, 12);
  EXPECT_EQ(text(row), "10 12-12 15-16 20-20");
  add_handled(row, 13, 14);
  EXPECT_EQ(text(row), "10 12-16 20-20");
  add_handled(row, 14, 18);
  EXPECT_EQ(text(row), "10 12-18 20-20");
  add_handled(row, 11, 11);
  EXPECT_EQ(text(row), "18 20-20");
  add_handled(row, 3, 5);
  EXPECT_EQ(text(row), "18 20-20");
  move_position(row, 19);
  EXPECT_EQ(text(row), "20");
  move_position(row, 7);
  EXPECT_EQ(text(row), "20");
}

TEST(SubscriptionRanges, HoldExactlyWhatWasAdded) {
  for (uint32_t seed = 1; seed <= 200; ++seed) {
    std::mt19937 random(seed);
    Subscription row;
    std::set<int64_t> handled;
    int64_t moved_to = 0;
    for (int step = 0; step < 60; ++step) {
      const int64_t first = 1 + random() % 100;
      const int64_t last = first + random() % 4;
      if (random() % 8 == 0) {
        moved_to = std::max(moved_to, first);
        move_position(row, first);
      } else {
        for (int64_t seq = first; seq <= last; ++seq) handled.insert(seq);
        add_handled(row, first, last);
      }
      int64_t before = row.position();
      for (const auto& range : row.done()) {
        ASSERT_GT(range.first(), before + 1) << "seed " << seed << ": " << text(row);
        ASSERT_GE(range.last(), range.first());
        before = range.last();
      }
      for (int64_t seq = 1; seq <= 110; ++seq) {
        ASSERT_EQ(is_handled(row, seq), seq <= moved_to || handled.contains(seq))
            << "seed " << seed << ", seq " << seq << ": " << text(row);
      }
    }
  }
}

TEST(SkippedEvents, AreRememberedWhileASubjectIsParkedOrThePositionIsBeforeThem) {
  Subscription row;
  subscriptions::v1::EventSkipped skipped;
  for (const int64_t seq : {9, 3, 6}) {
    skipped.set_seq(seq);
    apply(skipped, row);
  }
  EXPECT_EQ(text(row), "0 3-3 6-6 9-9");
  EXPECT_EQ(row.skipped_size(), 3);
  row.set_parked_subjects(1);
  move_position(row, 7);
  EXPECT_EQ(row.skipped_size(), 3);
  count_unparked(row);
  ASSERT_EQ(row.skipped_size(), 1);
  EXPECT_EQ(row.skipped(0), 9);
  move_position(row, 8);
  EXPECT_EQ(text(row), "9");
  EXPECT_EQ(row.skipped_size(), 0);
}

TEST(SubscriptionNames, AreTakenApartAgain) {
  const auto name = subscription_name(subscription_id("610328", "to.province"));
  EXPECT_EQ(name.ledger, "610328");
  EXPECT_EQ(name.name, "to.province");
}

TEST(ParkedSubject, KeepsWhatWasHandledOfItWhenItIsParkedAgain) {
  Parked row;
  subscriptions::v1::SubjectParked parked;
  parked.set_seq(7);
  apply(parked, 100, row);
  EXPECT_EQ(row.after_seq(), 6);
  subscriptions::v1::ReplayProgress replay;
  replay.set_parked_version(100);
  replay.set_after_seq(9);
  EXPECT_FALSE(apply(replay, row));
  parked.set_seq(12);
  apply(parked, 101, row);
  EXPECT_EQ(row.after_seq(), 9);
  // Found before it was parked again: it ends nothing, and is not forgotten either.
  replay.set_after_seq(11);
  replay.set_finished(true);
  EXPECT_FALSE(apply(replay, row));
  EXPECT_EQ(row.after_seq(), 11);
  replay.set_parked_version(101);
  EXPECT_TRUE(apply(replay, row));
}

}  // namespace
}  // namespace taizhang
