// A follower beside a writer of the same process: what comes from reports is not read once more,
// and what others write is seen all the same.
#include "platform/journal/kafka/follower.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/time/clock.h"
#include "platform/journal/kafka/producer.h"
#include "platform/journal/kafka/testing/cluster.h"

namespace taizhang::journal::kafka {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(120);

class FollowerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_FALSE(testing::broker().empty()) << "TAIZHANG_KAFKA names no broker";
    settings_ = testing::trial_topic(1);
    settings_.tail_bytes_max = 64 << 20;
    tail_ = std::make_unique<Tail>(settings_.tail_bytes_max);
    line_ = std::make_unique<Line>(0, *tail_, 10'000, 64 << 20, /*gather=*/true);
    points_ = std::make_unique<FetcherPool>(settings_, Use::kPointReader);
    watch_ = std::make_unique<Watch>(settings_, *Client::make(settings_, Use::kAdmin), *points_,
                                     std::vector<Tail*>{tail_.get()});
    follower_ = *Follower::start(settings_, {tail_.get()}, *watch_);
    producer_ = *Producer::open(settings_, {line_.get()});
    rival_ = testing::open_trial(settings_);
  }
  void TearDown() override {
    end_writing();
    if (rival_) rival_->close();
    producer_ = nullptr;
    follower_ = nullptr;
    if (watch_) watch_->stop();
  }

  // As a busy writer does.
  void begin_writing() {
    writer_ = std::thread([this] {
      while (!enough_) {
        EXPECT_TRUE(producer_->produce(*line_, "own " + std::to_string(written_), 0).ok());
        ++written_;
        absl::SleepFor(absl::Milliseconds(2));
      }
    });
  }
  void end_writing() {
    enough_ = true;
    if (writer_.joinable()) writer_.join();
  }
  void rival_writes(const std::string& bytes) {
    EXPECT_TRUE(rival_->partition(0).produce(bytes, 0).ok());
    ++rivals_;
  }
  static bool eventually(const std::function<bool()>& found) {
    for (const absl::Time until = absl::Now() + kPatience; absl::Now() < until;) {
      if (found()) return true;
      absl::SleepFor(absl::Milliseconds(5));
    }
    return false;
  }
  // All of the tail, by offset.
  std::vector<std::string> held() const {
    std::vector<std::string> records;
    for (int64_t at = 0; at < tail_->next(); ++at) {
      const BlockPtr block = tail_->find(at);
      records.emplace_back(block ? block->record(block->index_of(at)).bytes : "nothing");
    }
    return records;
  }
  bool holds(const std::string& bytes) const {
    const std::vector<std::string> records = held();
    return std::find(records.begin(), records.end(), bytes) != records.end();
  }

  KafkaSettings settings_;
  std::unique_ptr<Tail> tail_;
  std::unique_ptr<Line> line_;
  std::unique_ptr<FetcherPool> points_;
  std::unique_ptr<Watch> watch_;
  std::unique_ptr<Follower> follower_;
  std::unique_ptr<Producer> producer_;
  std::unique_ptr<KafkaJournal> rival_;
  std::atomic<bool> enough_{false};
  std::atomic<int> written_{0};
  int rivals_ = 0;
  std::thread writer_;
};

TEST_F(FollowerTest, RestsWhileOnlyOwnRecordsComeAndMissesNothing) {
  begin_writing();
  ASSERT_TRUE(eventually([&] { return follower_->resting() == 1; }));
  // In between, while the writer goes on: seen, and then it may rest again.
  rival_writes("rival amid");
  EXPECT_TRUE(eventually([&] { return holds("rival amid"); }));
  EXPECT_TRUE(eventually([&] { return follower_->resting() == 1; }));
  end_writing();
  EXPECT_TRUE(eventually([&] { return follower_->resting() == 0; }));
  // When the writer is still, nothing tells that another one is not.
  rival_writes("rival after");
  EXPECT_TRUE(eventually([&] { return holds("rival after"); }));
  EXPECT_GT(tail_->fed(), 0u);

  const std::vector<std::string> all = held();
  EXPECT_EQ(all.size(), static_cast<size_t>(written_ + rivals_));
  EXPECT_EQ(std::set<std::string>(all.begin(), all.end()).size(), all.size());
  int next_own = 0;
  for (const std::string& record : all) {
    if (!record.starts_with("own")) continue;
    EXPECT_EQ(record, "own " + std::to_string(next_own++));
  }
  EXPECT_EQ(next_own, written_);
}

}  // namespace
}  // namespace taizhang::journal::kafka
