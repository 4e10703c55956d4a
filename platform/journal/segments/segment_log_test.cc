// The engine's own threads: idle marks, the segment ahead, the digest, the end of the process.
// Damage and crashes: tests/faults; what every engine keeps: tests/contract.
#include "platform/journal/segments/segment_log.h"

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <thread>

#include "platform/base/log.h"
#include "platform/journal/testing/history.h"
#include "platform/journal/testing/simulated_disk.h"

namespace taizhang::journal::segments {
namespace {

using testing::SeededRandom;
using testing::SimulatedDisk;

bool soon(const std::function<bool()>& condition) {
  for (int i = 0; i < 120'000; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return false;
}

class SegmentThreads : public ::testing::Test {
 protected:
  void SetUp() override { set_log_level(LogLevel::kError); }
  void open() {
    log_.reset();
    SegmentOptions options;
    options.directory = "/journal";
    options.segment_bytes = 8192;
    options.group_bytes_max = 1024;
    options.disk_full_retry_us = 1'000;
    options.files = &disk_;
    options.random = &random_;
    options.on_fatal = [this](const absl::Status&) { ++fatal_; };
    auto log = SegmentLog::open(std::move(options));
    ASSERT_TRUE(log.ok()) << log.status();
    log_ = *std::move(log);
    log_->set_report_sink(
        [this](AppendReport report) { report.offset.ok() ? ++confirmed_ : ++failed_; });
  }
  absl::Status append(size_t bytes = 100) { return log_->produce(std::string(bytes, 'r'), ++tag_); }

  SimulatedDisk disk_{1};
  SeededRandom random_{1};
  std::unique_ptr<SegmentLog> log_;
  uint64_t tag_ = 0;
  std::atomic<int> confirmed_{0};
  std::atomic<int> failed_{0};
  std::atomic<int> fatal_{0};
};

TEST_F(SegmentThreads, AnIdleJournalGetsOneMarkAndThenRests) {
  open();
  for (const bool inline_ok : {false, true}) {
    const int64_t marks = log_->stats().marks;
    ASSERT_TRUE(append().ok());
    log_->flush(inline_ok);
    EXPECT_TRUE(soon([&] { return log_->stats().marks == marks + 1; })) << "inline " << inline_ok;
    std::this_thread::sleep_for(std::chrono::milliseconds(30));
    EXPECT_EQ(log_->stats().marks, marks + 1) << "nothing new, nothing written";
  }
}

TEST_F(SegmentThreads, AStopCoversTheLastGroup) {
  open();
  ASSERT_TRUE(append().ok());
  log_->flush(true);
  open();
  EXPECT_LE(log_->recovery().bytes_above_mark, frame_bytes(0));
  EXPECT_EQ(log_->end(), 1);
}

TEST_F(SegmentThreads, WhatWasProducedButNotFlushedIsStoredByAStop) {
  open();
  ASSERT_TRUE(append().ok());
  log_->close();
  EXPECT_EQ(confirmed_, 1);
  EXPECT_EQ(append().code(), absl::StatusCode::kUnavailable);
}

TEST_F(SegmentThreads, TriesAFullDiskAgainByItself) {
  disk_.set_capacity_bytes(2 * 8192);
  open();
  absl::Status why;
  int accepted = 0;
  for (; accepted < 1000 && (why = append()).ok(); ++accepted) log_->flush(true);
  EXPECT_EQ(why.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(confirmed_, accepted);
  disk_.set_capacity_bytes(-1);
  EXPECT_TRUE(soon([&] { return log_->room().ok(); }));
  EXPECT_TRUE(append().ok());
  EXPECT_EQ(fatal_, 0);
}

TEST_F(SegmentThreads, ManySegmentsUnderReadersAndBothWaysOfFlushing) {
  open();
  constexpr int kRecords = 3'000;
  std::atomic<bool> wrong{false};
  std::thread reader([&] {
    const auto cursor = log_->read(0);
    for (int64_t i = 0; i < kRecords;) {
      const auto next = cursor->next();
      if (!next.ok() || (*next && (*next)->offset != i)) {
        wrong = true;
        return;
      }
      *next ? ++i : log_->wait_beyond(i, absl::Milliseconds(5));
    }
  });
  for (int i = 0; i < kRecords; ++i) {
    ASSERT_TRUE(append(static_cast<size_t>(i % 300)).ok());
    if (i % 5 == 0) log_->flush(i % 3 == 0);
  }
  log_->flush(false);
  EXPECT_TRUE(soon([&] { return confirmed_ == kRecords; }));
  reader.join();
  EXPECT_FALSE(wrong);
  EXPECT_GT(log_->stats().sealed, 20);
  EXPECT_EQ(verify(disk_, "/journal")->records, kRecords);
}

TEST_F(SegmentThreads, AnySegmentCanBeReadFromItsMiddle) {
  open();
  for (int i = 0; i < 500; ++i) ASSERT_TRUE(append(static_cast<size_t>(i)).ok());
  log_->flush(true);
  ASSERT_TRUE(soon([&] { return confirmed_ == 500; }));
  for (int64_t from = 0; from < 500; from += 7) {
    const auto record = log_->read(from)->next();
    ASSERT_TRUE(record.ok() && *record) << from;
    EXPECT_EQ((*record)->offset, from);
  }
}

TEST_F(SegmentThreads, AFooterCarriesTheSha256OfItsSegment) {
  open();
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(append().ok());
  log_->close();
  const std::string file = disk_.image().at("/journal/00000001.segment");
  const auto header = decode_segment_header(file);
  ASSERT_TRUE(header.ok());
  const auto footer = decode_footer(
      *header, std::string_view(file).substr(static_cast<size_t>(header->frames_end())));
  ASSERT_TRUE(footer.has_value());
  EXPECT_EQ(footer->digest,
            sha256(std::string_view(file).substr(0, static_cast<size_t>(footer->frames_end))));
}

TEST_F(SegmentThreads, AFailedSyncIsNeverTriedAgain) {
  open();
  // Not the helper's sync shall fail, but the group's.
  EXPECT_TRUE(soon([&] { return disk_.image().contains("/journal/00000002.segment"); }));
  disk_.fail_sync();
  ASSERT_TRUE(append().ok());
  log_->flush(false);
  EXPECT_TRUE(soon([&] { return fatal_ == 1 && failed_ == 1; }));
  EXPECT_EQ(confirmed_, 0);
  EXPECT_FALSE(append().ok());
}

TEST(SegmentLogDeathTest, EndsTheProcessWhenTheDiskFails) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        SimulatedDisk disk(1);
        SegmentOptions options;
        options.directory = "/journal";
        options.segment_bytes = 8192;
        options.files = &disk;
        options.threads = false;
        auto log = *SegmentLog::open(std::move(options));
        disk.fail_sync();
        (void)log->produce("record", 1);
        log->flush(true);
      },
      ::testing::ExitedWithCode(74), "journal_disk_failed");
}

}  // namespace
}  // namespace taizhang::journal::segments
