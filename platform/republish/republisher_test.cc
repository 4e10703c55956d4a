// The threads: catching up, following, two at once, restarts, what is refused.
#include "platform/republish/republisher.h"

#include <gtest/gtest.h>

#include <functional>

#include "platform/base/test_folder.h"
#include "platform/republish/test_clean_topic.h"

namespace taizhang::republish {
namespace {

using journal::AppendFault;
using journal::MemoryTopic;
using taizhang::testing::accepted;
using taizhang::testing::EventJournal;

bool eventually(const std::function<bool()>& holds) {
  for (int i = 0; i < 12'000; ++i) {
    if (holds()) return true;
    absl::SleepFor(absl::Milliseconds(10));
  }
  return false;
}

class RepublisherTest : public ::testing::Test {
 protected:
  RepublisherTest() {
    settings_.checkpoint_interval_us = 1'000;
    settings_.retry_us_min = 1'000;
    settings_.retry_us_max = 10'000;
    journal_.open("510101");
  }

  std::unique_ptr<Republisher> start(const std::string& name) {
    auto topic = std::make_unique<MemoryCleanTopic>(std::vector{topic_});
    last_ = &topic->partition(0);
    auto settings = settings_;
    settings.directory = folder_.path() + "/" + name;
    auto made = std::make_unique<Republisher>(std::vector<journal::Log*>{&journal_.log},
                                              std::move(topic), system_clock(), settings);
    EXPECT_TRUE(made->start().ok());
    return made;
  }
  bool mirrored() const { return accepted(*topic_) == journal_.events; }

  const taizhang::testing::TestFolder folder_;
  EventJournal journal_;
  std::shared_ptr<MemoryTopic> topic_ = std::make_shared<MemoryTopic>();
  RepublisherSettings settings_;
  MemoryCleanPartition* last_ = nullptr;  // of the republisher started last
};

TEST_F(RepublisherTest, FollowsTheJournal) {
  const auto republisher = start("a");
  for (int i = 0; i < 20; ++i) journal_.record("510101", 1 + i % 3);
  EXPECT_TRUE(eventually([&] { return mirrored(); }));
  EXPECT_TRUE(eventually([&] {
    const auto status = republisher->status();
    return status.size() == 1 && status[0].k == topic_->end() &&
           status[0].journal_end == status[0].journal_offset;
  }));
}

TEST_F(RepublisherTest, TwoAtOnceAndRestartsLoseAndDoubleNothing) {
  auto first = start("a");
  auto second = start("b");
  for (int i = 0; i < 40; ++i) {
    journal_.record("510101", 1 + i % 3);
    if (i % 10 == 5) {
      first->stop();
      first = start("a");
    }
    if (i % 10 == 9) {
      second.reset();
      second = start("b");
    }
  }
  EXPECT_TRUE(eventually([&] { return mirrored(); }));
}

TEST_F(RepublisherTest, BeginsAtItsCheckpoint) {
  for (int i = 0; i < 5; ++i) journal_.record("510101");
  auto republisher = start("a");
  ASSERT_TRUE(eventually([&] { return republisher->status()[0].k == 5; }));
  republisher->stop();
  const auto saved = load_checkpoint(folder_.path() + "/a/0.checkpoint");
  ASSERT_TRUE(saved.ok()) << saved.status();
  EXPECT_EQ(saved->clean_k, 5);
  republisher = start("a");
  journal_.record("510101");
  EXPECT_TRUE(eventually([&] { return mirrored(); }));
  EXPECT_EQ(topic_->end(), 6);
}

TEST_F(RepublisherTest, TriesAgainWhatFailed) {
  const auto republisher = start("a");
  std::atomic<int> produced = 0;
  journal_.record("510101");
  ASSERT_TRUE(eventually([&] { return mirrored(); }));
  republisher->stop();
  const auto again = start("b");
  last_->log().set_faults([&](std::string_view) {
    return ++produced % 3 == 0 ? AppendFault::kFailedNotStored : AppendFault::kNone;
  });
  for (int i = 0; i < 10; ++i) journal_.record("510101");
  EXPECT_TRUE(eventually([&] { return mirrored(); }));
  EXPECT_TRUE(eventually([&] { return again->status()[0].status.ok(); }));
  EXPECT_GT(again->status()[0].attempts, 1);
}

TEST_F(RepublisherTest, StaysStoppedAtWhatTryingAgainDoesNotChange) {
  journal_.commit_raw("510101", "assistance.v1.NobodyKnowsThis", "x");
  const auto republisher = start("a");
  ASSERT_TRUE(eventually([&] { return !republisher->status()[0].status.ok(); }));
  absl::SleepFor(absl::Milliseconds(100));
  EXPECT_EQ(republisher->status()[0].attempts, 1);
  EXPECT_EQ(republisher->status()[0].status.code(), absl::StatusCode::kUnimplemented);
}

TEST_F(RepublisherTest, MirrorsEveryPartitionIntoItsOwn) {
  // Partition 1 has records before partition 0 says which journal it is.
  auto topics = std::vector{std::make_shared<MemoryTopic>(), std::make_shared<MemoryTopic>()};
  auto late = std::make_shared<MemoryTopic>();
  journal::MemoryLog first_log(late);
  EventJournal second(1, 2);
  second.open("510102");
  second.record("510102", 3);
  settings_.directory = folder_.path() + "/d";
  Republisher republisher({&first_log, &second.log}, std::make_unique<MemoryCleanTopic>(topics),
                          system_clock(), settings_);
  ASSERT_TRUE(republisher.start().ok());
  EventJournal first(0, 2, late);
  first.open("510101");
  first.record("510101", 2);
  EXPECT_TRUE(eventually([&] {
    return accepted(*topics[0]) == first.events && accepted(*topics[1]) == second.events;
  }));
}

TEST_F(RepublisherTest, NeedsAsManyPartitionsAsTheJournalHas) {
  auto topic =
      std::make_unique<MemoryCleanTopic>(std::vector{topic_, std::make_shared<MemoryTopic>()});
  settings_.directory = folder_.path() + "/c";
  Republisher republisher({&journal_.log}, std::move(topic), system_clock(), settings_);
  const auto refused = republisher.start();
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(refused.message(),
            "the clean topic has 2 partitions, the journal 1: they must be as many");
}

}  // namespace
}  // namespace taizhang::republish
