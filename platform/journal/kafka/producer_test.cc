// What a writer hears when the broker drops connections, refuses, or breaks the producer.
#include "platform/journal/kafka/producer.h"

#include <gtest/gtest.h>

#include <thread>

#include "platform/journal/kafka/testing/cluster.h"
#include "platform/journal/record.h"

namespace taizhang::journal::kafka {
namespace {

// A writer on the mock cluster, and the reports it heard.
class MockWriter : public ::testing::Test {
 protected:
  MockWriter() { open(cluster_.settings()); }
  ~MockWriter() override { journal_->close(); }

  void open(const KafkaSettings& settings) {
    if (journal_) journal_->close();
    auto journal = KafkaJournal::open_unchecked(settings, Access::kWriter);
    EXPECT_TRUE(journal.ok()) << journal.status();
    journal_ = *std::move(journal);
    log().set_report_sink([this](AppendReport report) {
      const std::lock_guard lock(mutex_);
      reports_.push_back(std::move(report));
    });
  }
  Log& log() { return journal_->partition(0); }
  void produce(int count) {
    for (int i = 0; i < count; ++i) {
      const absl::Status status = log().produce("record " + std::to_string(next_tag_), next_tag_);
      ASSERT_TRUE(status.ok()) << status;
      ++next_tag_;
    }
  }
  size_t heard() {
    const std::lock_guard lock(mutex_);
    return reports_.size();
  }
  // Until everything produced was reported; then: each once, in order.
  void settle() {
    for (int i = 0; i < 12'000 && heard() + 1 < next_tag_; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    ASSERT_EQ(heard() + 1, next_tag_);
    for (size_t i = 0; i < reports_.size(); ++i) EXPECT_EQ(reports_[i].tag, i + 1);
  }
  bool stored(uint64_t tag) const { return reports_.at(tag - 1).offset.ok(); }

  testing::MockCluster cluster_;
  std::unique_ptr<KafkaJournal> journal_;
  std::mutex mutex_;
  std::vector<AppendReport> reports_;
  uint64_t next_tag_ = 1;
};

TEST_F(MockWriter, ReportsInOrderOverALostConnection) {
  produce(1);
  settle();
  cluster_.next_produce_drops_the_connection();
  produce(200);
  settle();
  for (uint64_t tag = 1; tag < next_tag_; ++tag) EXPECT_TRUE(stored(tag)) << tag;
}

TEST_F(MockWriter, GoesOnWithANewProducerAfterAFatalError) {
  produce(1);
  settle();
  cluster_.next_produce_is_fatal();
  produce(50);
  settle();
  EXPECT_FALSE(stored(2));
  for (uint64_t tag = 2; tag < next_tag_; ++tag) {
    if (!stored(tag)) {
      EXPECT_EQ(reports_[tag - 1].offset.status().code(), absl::StatusCode::kUnavailable);
    }
  }
  produce(50);
  settle();
  EXPECT_TRUE(stored(next_tag_ - 1));
}

TEST_F(MockWriter, ARefusedRecordIsReportedAsFailed) {
  cluster_.next_produce_is_refused();
  produce(1);
  settle();
  EXPECT_FALSE(stored(1));
  produce(1);
  settle();
  EXPECT_TRUE(stored(2));
}

TEST_F(MockWriter, WaitsForABrokerThatComesBack) {
  produce(1);
  settle();
  cluster_.set_up(false);
  produce(20);
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  EXPECT_EQ(heard(), 1u);
  cluster_.set_up(true);
  settle();
  EXPECT_TRUE(stored(next_tag_ - 1));
}

TEST_F(MockWriter, IsUnreachableWhileTheBrokerIsGone) {
  produce(1);
  settle();
  const auto until_reachable_is = [this](bool wanted) {
    for (int i = 0; i < 12'000 && journal_->reachable() != wanted; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return journal_->reachable() == wanted;
  };
  EXPECT_TRUE(until_reachable_is(true));
  cluster_.set_up(false);
  EXPECT_TRUE(until_reachable_is(false));
  cluster_.set_up(true);
  EXPECT_TRUE(until_reachable_is(true));
  EXPECT_EQ(log().read(0)->next()->value().bytes, "record 1");
}

TEST_F(MockWriter, TakesNoMoreThanItsBounds) {
  KafkaSettings settings = cluster_.settings();
  settings.in_flight_records_max = 3;
  open(settings);
  cluster_.set_up(false);
  produce(3);
  EXPECT_EQ(log().room().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(log().produce("one more", 99).code(), absl::StatusCode::kResourceExhausted);
  cluster_.set_up(true);
  settle();
  EXPECT_TRUE(log().room().ok());

  settings.in_flight_records_max = 100;
  settings.in_flight_bytes_max = kRecordBytesMax;
  open(settings);
  cluster_.set_up(false);
  produce(1);
  EXPECT_EQ(log().room().code(), absl::StatusCode::kResourceExhausted);
  cluster_.set_up(true);
  settle();
}

TEST_F(MockWriter, ClosingReportsWhatIsInFlight) {
  cluster_.set_up(false);
  produce(5);
  journal_->close();
  ASSERT_EQ(heard(), 5u);
  for (uint64_t tag = 1; tag <= 5; ++tag) EXPECT_FALSE(stored(tag));
}

TEST_F(MockWriter, PartitionsOfOneProducerKeepTheirOwnOrder) {
  testing::MockCluster wide(10);
  const auto journal = wide.open();
  ASSERT_EQ(journal->partitions(), 10);
  std::mutex mutex;
  std::vector<std::vector<uint64_t>> tags(10);
  for (int p = 0; p < 10; ++p) {
    journal->partition(p).set_report_sink([&mutex, &tags, p](AppendReport report) {
      const std::lock_guard lock(mutex);
      EXPECT_TRUE(report.offset.ok());
      tags[static_cast<size_t>(p)].push_back(report.tag);
    });
  }
  for (uint64_t tag = 0; tag < 100; ++tag) {
    for (int p = 0; p < 10; ++p) ASSERT_TRUE(journal->partition(p).produce("r", tag).ok());
  }
  const auto all = [&] {
    const std::lock_guard lock(mutex);
    return std::all_of(tags.begin(), tags.end(), [](const auto& one) { return one.size() == 100; });
  };
  for (int i = 0; i < 12'000 && !all(); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  ASSERT_TRUE(all());
  for (const auto& one : tags) EXPECT_TRUE(std::is_sorted(one.begin(), one.end()));
}

TEST_F(MockWriter, AReaderCannotWrite) {
  const auto reader = cluster_.open(Access::kReader);
  EXPECT_EQ(reader->partition(0).produce("x", 1).code(), absl::StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace taizhang::journal::kafka
