// What every engine of the journal port keeps, run over each of them.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "platform/base/test_folder.h"
#include "platform/journal/kafka/testing/cluster.h"
#include "platform/journal/log.h"
#include "platform/journal/memory/memory_log.h"
#include "platform/journal/owner.h"
#include "platform/journal/segments/segment_log.h"
#include "platform/journal/testing/history.h"
#include "platform/journal/testing/simulated_disk.h"
#include "taizhang/journal/v1/records.pb.h"

namespace taizhang::journal {
namespace {

// One journal of an engine; may be opened again and again, by one handle at a time.
class Engine {
 public:
  virtual ~Engine() = default;
  virtual std::unique_ptr<Log> open() = 0;
};

class MemoryEngine : public Engine {
 public:
  std::unique_ptr<Log> open() override { return std::make_unique<MemoryLog>(topic_); }

 private:
  std::shared_ptr<MemoryTopic> topic_ = std::make_shared<MemoryTopic>();
};

std::unique_ptr<Log> opened(segments::SegmentOptions options) {
  auto log = segments::SegmentLog::open(std::move(options));
  EXPECT_TRUE(log.ok()) << log.status();
  return log.ok() ? *std::move(log) : nullptr;
}

class SegmentsEngine : public Engine {
 public:
  SegmentsEngine() {}
  std::unique_ptr<Log> open() override {
    segments::SegmentOptions options;
    options.directory = folder_.path();
    options.segment_bytes = 4 << 20;
    options.group_bytes_max = 256 * 1024;
    return opened(std::move(options));
  }

 private:
  const taizhang::testing::TestFolder folder_;
};

class SimulatedSegmentsEngine : public Engine {
 public:
  std::unique_ptr<Log> open() override {
    segments::SegmentOptions options;
    options.directory = "/journal";
    options.segment_bytes = 2 << 20;
    options.group_bytes_max = 64 * 1024;
    options.files = &disk_;
    options.random = &random_;
    options.threads = false;
    return opened(std::move(options));
  }

 private:
  testing::SimulatedDisk disk_{1};
  testing::SeededRandom random_{1};
};

// The only partition of a Kafka journal, together with the journal.
class KafkaLog : public Log {
 public:
  explicit KafkaLog(std::unique_ptr<kafka::KafkaJournal> journal)
      : journal_(std::move(journal)), log_(journal_->partition(0)) {}
  absl::Status produce(std::string bytes, uint64_t tag) override {
    return log_.produce(std::move(bytes), tag);
  }
  void flush(bool inline_ok) override { log_.flush(inline_ok); }
  void set_report_sink(ReportSink sink) override { log_.set_report_sink(std::move(sink)); }
  std::unique_ptr<Cursor> read(int64_t offset) override { return log_.read(offset); }
  int64_t end() const override { return log_.end(); }
  int64_t wait_beyond(int64_t offset, absl::Duration timeout) override {
    return log_.wait_beyond(offset, timeout);
  }
  absl::Status room() const override { return log_.room(); }
  bool exclusive() const override { return log_.exclusive(); }

 private:
  std::unique_ptr<kafka::KafkaJournal> journal_;
  Log& log_;
};

std::unique_ptr<Log> only_log_of(std::unique_ptr<kafka::KafkaJournal> journal) {
  return journal ? std::make_unique<KafkaLog>(std::move(journal)) : nullptr;
}

class MockKafkaEngine : public Engine {
 public:
  std::unique_ptr<Log> open() override { return only_log_of(cluster_.open()); }

 private:
  kafka::testing::MockCluster cluster_;
};

class KafkaEngine : public Engine {
 public:
  std::unique_ptr<Log> open() override {
    return only_log_of(kafka::testing::open_trial(settings_));
  }

 private:
  kafka::KafkaSettings settings_ = kafka::testing::trial_topic(1);
};

struct EngineCase {
  const char* name;
  std::function<std::unique_ptr<Engine>()> make;
  // Nothing leaves the process before flush(). A broker takes records as they are produced.
  bool waits_for_flush = true;
};

class JournalContract : public ::testing::TestWithParam<EngineCase> {
 protected:
  void SetUp() override {
    engine_ = GetParam().make();
    open();
  }
  void open() {
    log_.reset();
    log_ = engine_->open();
    ASSERT_NE(log_, nullptr);
    log_->set_report_sink([this](AppendReport report) {
      const std::lock_guard lock(mutex_);
      reports_.push_back(std::move(report));
    });
  }
  void append(const std::string& bytes) { ASSERT_TRUE(log_->produce(bytes, next_tag_++).ok()); }
  // Until everything produced is reported.
  void settle() {
    log_->flush(true);
    for (int i = 0; i < 120'000 && reported() + 1 < next_tag_; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    ASSERT_EQ(reported() + 1, next_tag_);
  }
  uint64_t reported() {
    const std::lock_guard lock(mutex_);
    return reports_.size();
  }
  static std::string record(int i) {
    return "record " + std::to_string(i) + std::string(static_cast<size_t>(i % 97), '.');
  }
  void append_many(int from, int to) {
    for (int i = from; i < to; ++i) append(record(i));
    settle();
  }
  std::vector<std::string> read_from(int64_t offset) {
    std::vector<std::string> records;
    const auto cursor = log_->read(offset);
    while (true) {
      const auto next = cursor->next();
      EXPECT_TRUE(next.ok()) << next.status();
      if (!next.ok() || !*next) return records;
      EXPECT_EQ((*next)->offset, offset + static_cast<int64_t>(records.size()));
      records.emplace_back((*next)->bytes);
    }
  }

  std::unique_ptr<Engine> engine_;
  std::unique_ptr<Log> log_;
  std::mutex mutex_;
  std::vector<AppendReport> reports_;
  uint64_t next_tag_ = 1;
};

TEST_P(JournalContract, BeginsEmpty) {
  EXPECT_EQ(log_->end(), 0);
  EXPECT_TRUE(read_from(0).empty());
  EXPECT_TRUE(log_->room().ok());
}

TEST_P(JournalContract, ReportsEachAppendOnceInOrderWithDenseOffsets) {
  append_many(0, 500);
  for (size_t i = 0; i < reports_.size(); ++i) {
    EXPECT_EQ(reports_[i].tag, i + 1);
    ASSERT_TRUE(reports_[i].offset.ok());
    EXPECT_EQ(*reports_[i].offset, static_cast<int64_t>(i));
  }
  EXPECT_EQ(log_->end(), 500);
}

TEST_P(JournalContract, NothingIsSeenBeforeItIsFlushed) {
  append("a");
  if (GetParam().waits_for_flush) {
    EXPECT_EQ(log_->end(), 0);
    EXPECT_TRUE(read_from(0).empty());
  }
  settle();
  EXPECT_EQ(read_from(0), std::vector<std::string>{"a"});
}

TEST_P(JournalContract, ReadsFromAnywhere) {
  append_many(0, 3000);
  for (const int64_t from : {0, 1, 1499, 2999, 3000}) {
    const auto records = read_from(from);
    ASSERT_EQ(records.size(), static_cast<size_t>(3000 - from));
    if (records.empty()) continue;
    EXPECT_EQ(records.front(), record(static_cast<int>(from)));
    EXPECT_EQ(records.back(), record(2999));
  }
}

TEST_P(JournalContract, ACursorSeesWhatComesLater) {
  const auto cursor = log_->read(0);
  for (int i = 0; i < 50; ++i) {
    const auto none = cursor->next();
    ASSERT_TRUE(none.ok() && !*none);
    append_many(i, i + 1);
    const auto one = cursor->next();
    ASSERT_TRUE(one.ok() && *one);
    EXPECT_EQ((*one)->bytes, record(i));
  }
}

TEST_P(JournalContract, BeyondTheEndIsDataLoss) {
  append_many(0, 2);
  EXPECT_EQ(log_->read(3)->next().status().code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(log_->read(-1)->next().status().code(), absl::StatusCode::kDataLoss);
  EXPECT_TRUE(log_->read(2)->next().ok());
}

TEST_P(JournalContract, RecordsOfAnySizeAndContentComeBack) {
  testing::SeededRandom random(7);
  std::vector<std::string> records = {"", std::string(1, '\0'), std::string(100, '\0'),
                                      std::string(kRecordBytesMax, 'x')};
  for (int i = 0; i < 40; ++i) records.push_back(random.bytes(random.below(70'000)));
  for (const std::string& record : records) append(record);
  settle();
  EXPECT_EQ(read_from(0), records);
}

TEST_P(JournalContract, KeepsEverythingOverAReopening) {
  append_many(0, 1000);
  for (int round = 1; round <= 3; ++round) {
    open();
    ASSERT_EQ(log_->end(), 1000 * round);
    append_many(1000 * round, 1000 * (round + 1));
  }
  const auto records = read_from(0);
  ASSERT_EQ(records.size(), 4000u);
  for (int i = 0; i < 4000; ++i) ASSERT_EQ(records[static_cast<size_t>(i)], record(i));
}

TEST_P(JournalContract, WaitsForMoreButNotForLong) {
  append_many(0, 1);
  EXPECT_EQ(log_->wait_beyond(0, absl::Seconds(10)), 1);
  EXPECT_EQ(log_->wait_beyond(1, absl::Milliseconds(5)), 1);
}

TEST_P(JournalContract, TheSinkCanBeReplaced) {
  append_many(0, 1);
  std::atomic<int> others{0};
  log_->set_report_sink([&](AppendReport) { ++others; });
  ASSERT_TRUE(log_->produce("b", 99).ok());
  log_->flush(true);
  for (int i = 0; i < 120'000 && others == 0; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  EXPECT_EQ(others, 1);
  EXPECT_EQ(reported(), 1u);
}

TEST_P(JournalContract, ReadersRunBesideTheWriter) {
  constexpr int kRecords = 5'000;
  std::atomic<bool> wrong{false};
  std::vector<std::thread> readers;
  for (int r = 0; r < 3; ++r) {
    readers.emplace_back([&] {
      const auto cursor = log_->read(0);
      for (int i = 0; i < kRecords;) {
        const auto next = cursor->next();
        if (!next.ok()) {
          wrong = true;
          return;
        }
        if (!*next) {
          log_->wait_beyond(i, absl::Milliseconds(20));
          continue;
        }
        if ((*next)->bytes != record(i) || (*next)->offset != i) wrong = true;
        ++i;
      }
    });
  }
  for (int i = 0; i < kRecords; ++i) {
    append(record(i));
    if (i % 64 == 63) log_->flush(i % 128 == 127);
  }
  settle();
  for (std::thread& reader : readers) reader.join();
  EXPECT_FALSE(wrong);
}

class Listener : public OwnerListener {
 public:
  absl::Status on_record(const Folded&) override { return absl::OkStatus(); }
  void on_confirmed(uint64_t n, int64_t) override { confirmed = n; }
  void on_epoch_ended(const absl::Status& why) override { ended = why; }
  uint64_t confirmed = 0;
  absl::Status ended;
};

TEST_P(JournalContract, CarriesAWriterOverReopenings) {
  // The machine's: an engine that stores times of its own is compared with them.
  Clock& clock = system_clock();
  testing::SeededRandom random(3);
  for (int round = 1; round <= 3; ++round) {
    open();
    Listener listener;
    OwnerSettings settings;
    settings.create = true;
    Owner owner(*log_, clock, random, listener, Fold(0), settings, [] {});
    ASSERT_TRUE(owner.claim().ok());
    EXPECT_EQ(owner.fold().epoch(), static_cast<uint64_t>(round));
    for (int i = 0; i < 100; ++i) {
      v1::Barrier barrier;
      barrier.set_recorded_time_us(owner.next_recorded_time_us(""));
      ASSERT_TRUE(owner.append(*Draft::of(Kind::kBarrier, barrier)).ok());
      if (i % 10 == 0) owner.flush(i % 20 == 0);
      owner.poll();
    }
    ASSERT_TRUE(owner.release(absl::Seconds(10)).ok());
    EXPECT_EQ(listener.confirmed, 101u);
    EXPECT_TRUE(listener.ended.ok());
  }
}

std::vector<EngineCase> engines() {
  std::vector<EngineCase> engines = {
      {"Memory", [] { return std::make_unique<MemoryEngine>(); }},
      {"Segments", [] { return std::make_unique<SegmentsEngine>(); }},
      {"SimulatedSegments", [] { return std::make_unique<SimulatedSegmentsEngine>(); }}};
  // librdkafka starts its threads by C11's thrd_create(), which the thread sanitizer does not know:
  // it ends the process at the first of them.
#ifndef __SANITIZE_THREAD__
  engines.push_back({"MockKafka", [] { return std::make_unique<MockKafkaEngine>(); }, false});
  engines.push_back({"Kafka", [] { return std::make_unique<KafkaEngine>(); }, false});
#endif
  return engines;
}

INSTANTIATE_TEST_SUITE_P(Engines, JournalContract, ::testing::ValuesIn(engines()),
                         [](const auto& each) { return each.param.name; });

}  // namespace
}  // namespace taizhang::journal
