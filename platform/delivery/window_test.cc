// Whose turn it is, and what is written down.
#include "platform/delivery/window.h"

#include <gtest/gtest.h>

#include <limits>

#include "platform/delivery/held_event.h"
#include "platform/delivery/room.h"

namespace taizhang::delivery {
namespace {

constexpr int64_t kDeadlineUs = 1'000;
constexpr int64_t kNever = std::numeric_limits<int64_t>::max();
const Rules kRules{2, kDeadlineUs, 4};

std::string text(const std::vector<Window::Taken>& taken) {
  std::string out;
  for (const auto& one : taken) {
    out += std::to_string(one.seq) + (one.replayed ? "r" : "") +
           (one.attempt > 1 ? "#" + std::to_string(one.attempt) : "") + " ";
  }
  return out;
}
std::string text(const std::vector<SeqSpan>& spans) {
  std::string out;
  for (const auto& span : spans)
    out += std::to_string(span.first) + "-" + std::to_string(span.last) + " ";
  return out;
}

std::string text(const std::vector<Window::FailedCount>& failed) {
  std::string out;
  for (const auto& one : failed)
    out += std::to_string(one.seq) + "x" + std::to_string(one.count) + " ";
  return out;
}

TEST(Window, CountsFailedDeliveriesOnFromWhatWasWrittenDown) {
  const Rules rules{3, kDeadlineUs, 4};
  Window before(rules, {});
  for (int64_t seq = 1; seq <= 4; ++seq) before.add(seq, std::to_string(seq), nullptr);
  EXPECT_FALSE(before.failures_moved());
  EXPECT_EQ(text(before.take(0, 9, 1)), "1 2 3 4 ");
  EXPECT_EQ(text(before.take_failures()), "");  // under way is not failed
  EXPECT_TRUE(before.retry(1, 0));
  EXPECT_TRUE(before.failures_moved());
  EXPECT_EQ(text(before.take(0, 9, 1)), "1#2 ");
  before.release(1);
  EXPECT_TRUE(before.acknowledge(3));
  EXPECT_EQ(text(before.take_failures()), "1x2 2x1 4x1 ");
  EXPECT_FALSE(before.failures_moved());

  Recorded recorded;
  recorded.done = {{3, 3}};
  recorded.failed = {{1, 2}, {2, 1}, {4, 3}, {9, 1}};
  Window after(rules, recorded);
  after.add(1, "1", nullptr);
  EXPECT_EQ(text(after.take_failures()), "1x2 2x1 4x3 9x1 ");  // also what was not looked at yet
  after.add(2, "2", nullptr);
  after.look_to(3);
  after.add(4, "4", nullptr);
  // What failed often enough is parked, not delivered once more; nobody has to wait for it.
  EXPECT_EQ(text(after.take(0, 9, 1)), "1#3 2#2 ");
  EXPECT_LE(after.next_due_us(), 1);
  const auto failed = after.expire(1);
  ASSERT_EQ(failed.size(), 1u);
  EXPECT_EQ(failed[0].seq, 4);
  EXPECT_EQ(failed[0].attempts, 3);
  // Of an event that turned out to be handled nothing is kept.
  after.look_to(10);
  EXPECT_EQ(text(after.take_failures()), "1x2 2x1 4x3 ");
}

// Else each of them would be a commit that says nothing.
TEST(Window, HasNothingToWriteDownOfAReplayThatFails) {
  Window window({9, kDeadlineUs, 4}, {});
  window.add(1, "a", nullptr);
  window.park("a", 1, 100);
  window.replay("a", 101);
  window.add_replayed("a", 1, nullptr);
  EXPECT_EQ(text(window.take(0, 9, 1)), "1r ");
  EXPECT_TRUE(window.retry(1, 0));
  EXPECT_FALSE(window.failures_moved());
  EXPECT_EQ(text(window.take(0, 9, 1)), "1r#2 ");
  window.release(1);
  EXPECT_FALSE(window.failures_moved());
  EXPECT_EQ(text(window.take(0, 9, 1)), "1r#3 ");
  EXPECT_TRUE(window.expire(kDeadlineUs).empty());
  EXPECT_FALSE(window.failures_moved());
  // Of an ordinary one there is.
  window.add(2, "b", nullptr);
  EXPECT_EQ(text(window.take(kDeadlineUs, 9, 1)), "1r#4 2 ");
  EXPECT_TRUE(window.expire(2 * kDeadlineUs).empty());
  EXPECT_TRUE(window.failures_moved());
}

TEST(Window, WritesDownAsManyFailuresAsMayBeOpen) {
  Recorded recorded;
  for (int64_t seq = 1; seq <= 9; ++seq) recorded.failed[seq] = 1;
  Window window(kRules, recorded);
  EXPECT_EQ(text(window.take_failures()), "1x1 2x1 3x1 4x1 ");
}

TEST(Window, BeginsAReplayWithTheFirstDelivery) {
  Recorded recorded;
  recorded.parked["a"] = {7, 0, false};
  recorded.failed = {{1, 2}};
  Window window(kRules, recorded);
  window.add(1, "a", nullptr);
  EXPECT_EQ(text(window.take(0, 9, 1)), "");
  window.replay("a", 8);
  window.add_replayed("a", 1, nullptr);
  EXPECT_EQ(text(window.take(0, 9, 1)), "1r ");
}

TEST(Window, TakesTheFirstOpenEventOfEachSubject) {
  Window window(kRules, {});
  window.add(1, "a", nullptr);
  window.add(2, "b", nullptr);
  window.add(4, "a", nullptr);
  window.look_to(6);
  EXPECT_EQ(text(window.take(0, 9, 1)), "1 2 ");
  EXPECT_EQ(text(window.take(0, 9, 1)), "");
  EXPECT_TRUE(window.acknowledge(2));
  EXPECT_EQ(window.position(), 0);
  EXPECT_EQ(text(window.done()), "2-3 5-6 ");
  EXPECT_TRUE(window.acknowledge(1));
  EXPECT_EQ(window.position(), 3);
  EXPECT_EQ(text(window.take(0, 9, 2)), "4 ");
  EXPECT_FALSE(window.acknowledge(1));
  EXPECT_TRUE(window.acknowledge(4));
  EXPECT_EQ(window.position(), 6);
  EXPECT_EQ(window.open(), 0u);
}

TEST(Window, IsFullAtItsBound) {
  Window window(kRules, {});
  for (int64_t seq = 1; seq <= 4; ++seq) {
    EXPECT_FALSE(window.is_full());
    window.add(seq, "a", nullptr);
  }
  EXPECT_TRUE(window.is_full());
}

// Nobody waits for room: what is not held has its turn all the same, and is read again then.
TEST(Window, HoldsEventsWhileThereIsRoomForThemUntilTheyAreTaken) {
  const auto event = [] { return std::make_shared<HeldEvent>(); };
  Room room{100};
  Window one(kRules, {}, &room);
  {
    Window other(kRules, {}, &room);
    one.add(1, "a", event(), 60);
    other.add(1, "a", event(), 60);
    other.add(2, "b", event(), 40);
    EXPECT_EQ(room.bytes, 100u);
    EXPECT_EQ(room.refused, 1);
    const auto taken = other.take(0, 9, 1);
    EXPECT_EQ(text(taken), "1 2 ");
    EXPECT_EQ(taken[0].event, nullptr);
    EXPECT_NE(taken[1].event, nullptr);
    EXPECT_EQ(room.bytes, 60u);
    other.add(3, "c", event(), 30);
    EXPECT_EQ(room.bytes, 90u);
  }
  EXPECT_EQ(room.bytes, 60u);
  // What comes again is not held meanwhile.
  EXPECT_NE(one.take(0, 9, 1)[0].event, nullptr);
  EXPECT_EQ(room.bytes, 0u);
  EXPECT_TRUE(one.retry(1, 0));
  const auto again = one.take(0, 9, 1);
  EXPECT_EQ(text(again), "1#2 ");
  EXPECT_EQ(again[0].event, nullptr);
}

TEST(Window, ThatHoldsNoEventsAnyMoreKnowsWhoseTurnItIs) {
  Room room{100};
  Window window(kRules, {}, &room);
  window.add(1, "a", std::make_shared<HeldEvent>(), 60);
  window.add(2, "b", std::make_shared<HeldEvent>(), 40);
  EXPECT_TRUE(window.acknowledge(2));
  EXPECT_EQ(room.bytes, 60u);
  window.let_go_events();
  EXPECT_EQ(room.bytes, 0u);
  EXPECT_EQ(text(window.take(0, 9, 1)), "1 ");
  EXPECT_TRUE(window.acknowledge(1));
  EXPECT_EQ(room.bytes, 0u);
  EXPECT_EQ(window.position(), 2);
}

TEST(Window, HoldsNoMoreThanItsOwnBytes) {
  Rules rules = kRules;
  rules.held_bytes_max = 100;
  Recorded recorded;
  recorded.parked["r"] = {100, 0, true};
  Room room{1'000};
  Window window(rules, recorded, &room);
  window.look_to(9);
  window.add(10, "a", std::make_shared<HeldEvent>(), 60);
  window.add_replayed("r", 1, std::make_shared<HeldEvent>(), 60);
  EXPECT_EQ(room.bytes, 60u);
  EXPECT_EQ(room.refused, 1);
  EXPECT_FALSE(window.is_full());
  EXPECT_EQ(text(window.take(0, 9, 1)), "1r 10 ");
}

TEST(Window, AReplayThatWaitsHoldsNoOtherBack) {
  Recorded recorded;
  recorded.parked["a"] = {100, 0, true};
  recorded.parked["b"] = {101, 0, true};
  Window window(kRules, recorded);
  window.look_to(9);
  EXPECT_EQ(window.wanted_loads().size(), 2u);
  for (int64_t seq = 1; seq <= 4; ++seq) window.add_replayed("a", seq, nullptr);
  EXPECT_TRUE(window.replays_full());
  EXPECT_EQ(text(window.take(0, 1, 1)), "1r ");
  EXPECT_TRUE(window.retry(1, kDeadlineUs));
  ASSERT_EQ(window.wanted_loads().size(), 1u);
  EXPECT_EQ(window.wanted_loads()[0].subject, "b");
  window.add_replayed("b", 5, nullptr);
  EXPECT_EQ(text(window.take(0, 9, 1)), "5r ");
  EXPECT_TRUE(window.acknowledge(5));
  window.loaded("b", 9);
  const auto moved = window.take_replays();
  ASSERT_EQ(moved.size(), 1u);
  EXPECT_TRUE(moved[0].finished);
}

TEST(Window, DeliversAgainAfterTheDeadlineAndFailsAfterItsAttempts) {
  Window window(kRules, {});
  window.add(1, "a", nullptr);
  EXPECT_EQ(window.next_due_us(), kNever);
  EXPECT_EQ(text(window.take(10, 9, 1)), "1 ");
  EXPECT_EQ(window.next_due_us(), 10 + kDeadlineUs);
  EXPECT_TRUE(window.expire(9 + kDeadlineUs).empty());
  EXPECT_EQ(text(window.take(9 + kDeadlineUs, 9, 1)), "");
  EXPECT_TRUE(window.expire(10 + kDeadlineUs).empty());
  EXPECT_EQ(text(window.take(10 + kDeadlineUs, 9, 1)), "1#2 ");
  const auto failed = window.expire(5 * kDeadlineUs);
  ASSERT_EQ(failed.size(), 1u);
  EXPECT_EQ(failed[0].seq, 1);
  EXPECT_EQ(failed[0].attempts, 2);
  EXPECT_EQ(text(window.take(5 * kDeadlineUs, 9, 1)), "");
  EXPECT_TRUE(window.expire(6 * kDeadlineUs).empty());
  window.unparkable(1, 7 * kDeadlineUs);
  EXPECT_EQ(window.expire(7 * kDeadlineUs).size(), 1u);
}

TEST(Window, RetriesNotBeforeTheDelay) {
  Window window(kRules, {});
  window.add(1, "a", nullptr);
  window.add(2, "a", nullptr);
  EXPECT_FALSE(window.retry(1, 50));
  window.take(0, 9, 1);
  EXPECT_TRUE(window.retry(1, 50));
  EXPECT_EQ(window.next_due_us(), 50);
  EXPECT_EQ(text(window.take(49, 9, 1)), "");
  EXPECT_EQ(text(window.take(50, 9, 1)), "1#2 ");
}

// Else the delivering thread would look again and again.
TEST(Window, IsNotWokenForWhatIsDueAndNobodyTakes) {
  Window window(kRules, {});
  window.add(1, "a", nullptr);
  window.take(0, 9, 1);
  EXPECT_TRUE(window.retry(1, 50));
  EXPECT_TRUE(window.expire(50).empty());
  EXPECT_EQ(window.next_due_us(), kNever);
  EXPECT_EQ(text(window.take(50, 9, 1)), "1#2 ");
}

TEST(Window, GivesBackWhatAConsumerHeld) {
  Window window(kRules, {});
  window.add(1, "a", nullptr);
  window.add(2, "b", nullptr);
  window.take(0, 1, 1);
  window.take(0, 1, 2);
  window.release(1);
  EXPECT_EQ(text(window.take(0, 9, 2)), "1#2 ");
}

TEST(Window, AcknowledgesUpToASeqWhatWasDelivered) {
  Window window(kRules, {});
  for (int64_t seq = 1; seq <= 3; ++seq) window.add(seq, std::to_string(seq), nullptr);
  window.take(0, 2, 1);
  window.acknowledge_up_to(3);
  EXPECT_EQ(window.position(), 2);
  EXPECT_EQ(window.open(), 1u);
}

TEST(Window, AcknowledgesUpToASeqNothingThatOnlyAnEarlierProcessDelivered) {
  Recorded recorded;
  recorded.failed = {{5, 1}};
  Window window(kRules, recorded);
  window.add(4, "s", nullptr);
  window.add(5, "s", nullptr);  // behind 4
  window.add(6, "t", nullptr);
  EXPECT_EQ(text(window.take(0, 9, 1)), "4 6 ");
  EXPECT_FALSE(window.all_delivered());
  window.acknowledge_up_to(6);
  EXPECT_EQ(window.position(), 4);
  EXPECT_EQ(text(window.take(0, 9, 1)), "5#2 ");
  EXPECT_TRUE(window.all_delivered());
  window.acknowledge_up_to(6);
  EXPECT_EQ(window.position(), 6);
}

TEST(Window, AcknowledgesUpToASeqNothingThatFailed) {
  Window window(kRules, {});
  for (int64_t seq = 1; seq <= 4; ++seq) window.add(seq, std::to_string(seq), nullptr);
  EXPECT_EQ(text(window.take(0, 1, 1)), "1 ");
  EXPECT_EQ(text(window.take(0, 2, 2)), "2 3 ");
  window.release(1);  // died with it
  EXPECT_TRUE(window.retry(2, 0));
  window.acknowledge_up_to(4);
  EXPECT_EQ(window.position(), 0);
  EXPECT_EQ(text(window.done()), "3-3 ");
  EXPECT_EQ(text(window.take(0, 9, 2)), "1#2 2#2 4 ");
}

TEST(Window, KeepsAParkedSubjectBackAndReplaysItInOrder) {
  Window window(kRules, {});
  window.add(1, "a", nullptr);
  window.add(2, "a", nullptr);
  window.add(3, "b", nullptr);
  window.park("a", 1, 100);
  EXPECT_EQ(text(window.take(0, 9, 1)), "3 ");
  window.acknowledge(3);
  window.add(4, "a", nullptr);
  EXPECT_EQ(window.position(), 4);
  EXPECT_TRUE(window.wanted_loads().empty());

  window.replay("a", 101);
  auto loads = window.wanted_loads();
  ASSERT_EQ(loads.size(), 1u);
  EXPECT_EQ(loads[0].after_seq, 0);
  EXPECT_EQ(loads[0].until_seq, 4);
  window.add_replayed("a", 1, nullptr);
  window.add_replayed("a", 2, nullptr);
  window.loaded("a", 2);
  EXPECT_EQ(text(window.take(0, 9, 1)), "1r ");
  window.add(5, "a", nullptr);  // behind those that are replayed
  EXPECT_EQ(text(window.take(0, 9, 1)), "");
  window.acknowledge(1);
  EXPECT_EQ(text(window.take(0, 9, 1)), "2r ");
  window.acknowledge(2);
  auto moved = window.take_replays();
  ASSERT_EQ(moved.size(), 1u);
  EXPECT_EQ(moved[0].version, 101);
  EXPECT_EQ(moved[0].after_seq, 2);
  EXPECT_FALSE(moved[0].finished);

  loads = window.wanted_loads();
  ASSERT_EQ(loads.size(), 1u);
  EXPECT_EQ(loads[0].after_seq, 2);
  EXPECT_EQ(loads[0].until_seq, 5);
  window.add_replayed("a", 4, nullptr);
  window.add_replayed("a", 5, nullptr);
  window.loaded("a", 5);
  for (const int64_t seq : {4, 5}) {
    EXPECT_EQ(text(window.take(0, 9, 1)), std::to_string(seq) + "r ");
    window.acknowledge(seq);
  }
  window.loaded("a", window.wanted_loads()[0].until_seq);
  moved = window.take_replays();
  ASSERT_EQ(moved.size(), 1u);
  EXPECT_TRUE(moved[0].finished);
  window.add(6, "a", nullptr);
  EXPECT_EQ(text(window.take(0, 9, 1)), "6 ");
}

TEST(Window, AReplayThatFailsIsParkedAgain) {
  Window window(kRules, {});
  window.add(1, "a", nullptr);
  window.add(2, "a", nullptr);
  window.park("a", 1, 100);
  window.replay("a", 101);
  window.add_replayed("a", 1, nullptr);
  window.add_replayed("a", 2, nullptr);
  window.take(0, 9, 1);
  window.acknowledge(1);
  window.take(0, 9, 1);
  window.park("a", 2, 102);
  EXPECT_EQ(window.open(), 0u);
  EXPECT_TRUE(window.wanted_loads().empty());
  window.replay("a", 103);
  EXPECT_EQ(window.wanted_loads()[0].after_seq, 1);
}

TEST(Window, SkipsWhatIsOpenToComeOrParked) {
  Window window(kRules, {});
  window.add(1, "a", nullptr);
  window.skip(1, "");
  EXPECT_EQ(window.position(), 1);
  window.skip(3, "");
  window.add(2, "a", nullptr);
  window.add(3, "a", nullptr);
  EXPECT_EQ(text(window.take(0, 9, 1)), "2 ");
  window.acknowledge(2);
  EXPECT_EQ(window.position(), 3);
  window.add(4, "a", nullptr);
  window.park("a", 4, 100);
  window.skip(4, "a");
  window.replay("a", 101);
  EXPECT_EQ(window.wanted_loads()[0].after_seq, 4);
}

TEST(Window, AReplayEndsOnlyBehindEverythingThatWasWrittenDown) {
  // 6 is of the subject and was kept back when 5 to 7 were written down as handled.
  Recorded recorded;
  recorded.position = 3;
  recorded.done = {{5, 7}};
  recorded.parked["a"] = {100, 3, true};
  Window window(kRules, recorded);
  EXPECT_TRUE(window.wanted_loads().empty());
  window.add(4, "b", nullptr);
  EXPECT_EQ(window.looked_at(), 7);
  const auto loads = window.wanted_loads();
  ASSERT_EQ(loads.size(), 1u);
  EXPECT_EQ(loads[0].until_seq, 7);
  window.add_replayed("a", 6, nullptr);
  window.loaded("a", 7);
  EXPECT_EQ(text(window.take(0, 9, 1)), "4 6r ");
}

TEST(Window, AReplayLeavesOutWhatWasSkipped) {
  Window window(kRules, {});
  window.add(1, "a", nullptr);
  window.add(2, "a", nullptr);
  window.skip(2, "");
  window.park("a", 1, 100);
  window.replay("a", 101);
  window.add_replayed("a", 1, nullptr);
  window.add_replayed("a", 2, nullptr);
  window.loaded("a", 2);
  EXPECT_EQ(text(window.take(0, 9, 1)), "1r ");
  window.acknowledge(1);
  EXPECT_EQ(text(window.take(0, 9, 1)), "");
  EXPECT_EQ(window.open(), 0u);
}

TEST(Window, GoesOnFromWhatWasWrittenDown) {
  Recorded recorded;
  recorded.position = 3;
  recorded.done = {{6, 7}, {9, 9}, {12, 14}};
  recorded.parked["a"] = {100, 4, false};
  Window window(kRules, recorded);
  EXPECT_EQ(window.looked_at(), 3);
  window.add(4, "a", nullptr);  // before the one that was parked
  window.add(5, "a", nullptr);  // that one
  EXPECT_EQ(window.looked_at(), 7);
  window.add(9, "b", nullptr);
  window.add(13, "b", nullptr);
  window.add(15, "b", nullptr);
  EXPECT_EQ(text(window.take(0, 9, 1)), "4 15 ");
  EXPECT_EQ(window.position(), 3);
  EXPECT_EQ(text(window.done()), "5-14 ");
}

}  // namespace
}  // namespace taizhang::delivery
