// Fairness, order and bounds of what waits to be decided.
#include "platform/writer/command_queue.h"

#include <gtest/gtest.h>

#include <limits>
#include <map>

namespace taizhang {
namespace {

class CommandQueueTest : public ::testing::Test {
 protected:
  CommandQueue::Put put(const std::string& ledger, int number, bool bulk = false,
                        int64_t deadline_us = 100) {
    Submission one;
    one.ledger = ledger;
    one.request_id = std::to_string(number);
    one.bulk = bulk;
    one.deadline_boot_us = deadline_us;
    return queue_.put(one);
  }
  static std::vector<std::string> text(const std::deque<Submission>& taken) {
    std::vector<std::string> all;
    for (const auto& one : taken) all.push_back(one.ledger + ":" + one.request_id);
    return all;
  }

  CommandQueue queue_{200, 120};
};

TEST_F(CommandQueueTest, OneLedgersFloodDoesNotHoldUpAnother) {
  for (int i = 0; i < 100; ++i) put("A", i);
  put("B", 0);
  const auto turn = text(queue_.take(32, 0).commands);
  EXPECT_EQ(turn.size(), 32u);
  EXPECT_NE(std::find(turn.begin(), turn.end(), "B:0"), turn.end());
}

TEST_F(CommandQueueTest, ALedgersOwnOrderIsKeptAlsoWhenPutBack) {
  for (int i = 0; i < 60; ++i) {
    put("A", i);
    put("B", i);
  }
  std::map<std::string, int> next;
  int rounds = 0;
  while (queue_.commands() > 0) {
    auto turn = queue_.take(17, 0);
    while (!turn.commands.empty() && turn.commands.size() > (rounds % 3 == 0 ? 9 : 0)) {
      const auto& one = turn.commands.front();
      EXPECT_EQ(one.request_id, std::to_string(next[one.ledger]++)) << one.ledger;
      turn.commands.pop_front();
    }
    queue_.put_back(std::move(turn));
    ++rounds;
  }
  EXPECT_EQ(next["A"], 60);
  EXPECT_EQ(next["B"], 60);
  EXPECT_TRUE(queue_.empty());
}

TEST_F(CommandQueueTest, InteractiveCommandsComeBeforeBulkAndBulkOnlyWhereThereIsRoom) {
  put("A", 0, true);
  put("A", 1, true);
  put("A", 2);
  EXPECT_EQ(text(queue_.take(10, 0).commands), std::vector<std::string>{"A:2"});
  EXPECT_EQ(text(queue_.take(10, 1).commands), std::vector<std::string>{"A:0"});
  EXPECT_EQ(text(queue_.take(10, 9).commands), std::vector<std::string>{"A:1"});
}

TEST_F(CommandQueueTest, BoundsAreOfTheLedgerAndOfAll) {
  for (int i = 0; i < 120; ++i) ASSERT_EQ(put("A", i), CommandQueue::Put::kTaken);
  EXPECT_EQ(put("A", 120), CommandQueue::Put::kLedgerFull);
  for (int i = 0; i < 80; ++i) ASSERT_EQ(put("B", i), CommandQueue::Put::kTaken);
  EXPECT_EQ(put("C", 0), CommandQueue::Put::kFull);
  queue_.take(1, 0);
  EXPECT_EQ(put("C", 0), CommandQueue::Put::kTaken);
  queue_.close();
  EXPECT_EQ(put("C", 1), CommandQueue::Put::kClosed);
}

TEST_F(CommandQueueTest, LateOnesComeOutAlone) {
  put("A", 0, false, 50);
  put("A", 1, false, 150);
  put("B", 2, true, 60);
  EXPECT_EQ(text(queue_.take_late(100).commands), (std::vector<std::string>{"A:0", "B:2"}));
  EXPECT_EQ(queue_.commands(), 1u);
  EXPECT_EQ(text(queue_.take_late(std::numeric_limits<int64_t>::max()).commands),
            std::vector<std::string>{"A:1"});
  EXPECT_TRUE(queue_.empty());
  EXPECT_EQ(put("A", 3), CommandQueue::Put::kTaken);
  EXPECT_EQ(text(queue_.take(9, 0).commands), std::vector<std::string>{"A:3"});
}

TEST_F(CommandQueueTest, AWaitEndsWithTheFirstPut) {
  EXPECT_FALSE(queue_.woken());
  put("A", 0);
  EXPECT_TRUE(queue_.woken());
  queue_.wait(absl::InfiniteDuration());
  EXPECT_FALSE(queue_.woken());
}

}  // namespace
}  // namespace taizhang
