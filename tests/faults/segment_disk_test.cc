// Disks that are full, fail to sync, cannot be read, are locked or remote.
#include <gtest/gtest.h>

#include "tests/faults/segment_journal.h"

namespace taizhang::journal {
namespace {

using testing::SimulatedDisk;

class SegmentDisk : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(journal_.open().ok()); }
  // Returns how many were accepted before the first refusal.
  int append_until_refused(absl::Status& why) {
    for (int i = 0; i < 10'000; ++i) {
      why = journal_.append(std::string(100, 'r'));
      if (!why.ok()) return i;
      journal_.log().flush(true);
    }
    return -1;
  }
  SimulatedDisk disk_{1};
  SmallJournal journal_{disk_};
};

TEST_F(SegmentDisk, AFullDiskRefusesBeforeAnythingIsWrittenAndGoesOnWhenSpaceIsBack) {
  disk_.set_capacity_bytes(3 * kSmallSegmentBytes);
  absl::Status why;
  const int accepted = append_until_refused(why);
  EXPECT_EQ(why.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(journal_.acknowledged, accepted);
  EXPECT_EQ(journal_.log().room().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_TRUE(journal_.log().stats().disk_full);
  EXPECT_TRUE(journal_.fatal.ok()) << "a full disk does not end the process";
  EXPECT_EQ(journal_.read_all()->size(), static_cast<size_t>(accepted));

  disk_.set_capacity_bytes(-1);
  journal_.log().maintain();
  EXPECT_TRUE(journal_.log().room().ok());
  ASSERT_TRUE(journal_.append("again").ok());
  journal_.log().flush(true);
  EXPECT_EQ(journal_.acknowledged, accepted + 1);
  journal_.drop();
  ASSERT_TRUE(journal_.open().ok());
  EXPECT_EQ(journal_.read_all()->size(), static_cast<size_t>(accepted) + 1);
}

TEST_F(SegmentDisk, StartsOnAFullDiskAndTakesWhatStillFits) {
  ASSERT_TRUE(journal_.append("one").ok());
  journal_.log().flush(true);
  journal_.drop();
  disk_.set_capacity_bytes(kSmallSegmentBytes);
  ASSERT_TRUE(journal_.open().ok());
  EXPECT_TRUE(journal_.append("two").ok());
}

TEST_F(SegmentDisk, AFailedSyncEndsTheProcessAndAcknowledgesNothing) {
  ASSERT_TRUE(journal_.append("one").ok());
  journal_.log().flush(true);
  disk_.fail_sync();
  ASSERT_TRUE(journal_.append("two").ok());
  ASSERT_TRUE(journal_.append("three").ok());
  journal_.log().flush(true);
  EXPECT_FALSE(journal_.fatal.ok());
  EXPECT_EQ(journal_.acknowledged, 1);
  ASSERT_EQ(journal_.failed_reports.size(), 2u);
  EXPECT_EQ(journal_.failed_reports[0].code(), absl::StatusCode::kInternal);
  EXPECT_EQ(journal_.log().end(), 1) << "readers see only what is synced";
  EXPECT_EQ(journal_.append("four").code(), absl::StatusCode::kInternal);
}

TEST_F(SegmentDisk, WhatASyncFailedToStoreIsWrittenAgainAtTheNextStart) {
  // The trap: after the failure the pages read well and are clean, so that the next sync does
  // nothing for them.
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    SimulatedDisk disk(seed);
    SmallJournal journal(disk, seed);
    ASSERT_TRUE(journal.open().ok());
    disk.fail_sync();
    for (int i = 0; i < 20; ++i) ASSERT_TRUE(journal.append("record " + std::to_string(i)).ok());
    journal.log().flush(true);
    ASSERT_FALSE(journal.fatal.ok());
    journal.drop();
    disk.process_killed();

    ASSERT_TRUE(journal.open().ok());
    const auto seen = journal.read_all();
    ASSERT_TRUE(seen.ok());
    ASSERT_TRUE(journal.append("after").ok());
    journal.log().flush(true);
    journal.drop();
    disk.power_cut();

    ASSERT_TRUE(journal.open().ok());
    auto expected = *seen;
    expected.emplace_back("after");
    ASSERT_EQ(*journal.read_all(), expected);
  }
}

TEST_F(SegmentDisk, AReadErrorIsNeverTakenForDamage) {
  for (int i = 0; i < 40; ++i) ASSERT_TRUE(journal_.append(std::string(300, 'r')).ok());
  journal_.log().flush(true);
  journal_.drop();
  const auto image = disk_.image();
  ASSERT_GT(image.size(), 3u);
  for (const auto& [path, content] : image) {
    for (int64_t at = 0; at < static_cast<int64_t>(content.size()); at += 997) {
      disk_.set_readable();
      disk_.set_unreadable(path, at);
      const absl::Status status = journal_.open();
      EXPECT_NE(status.code(), absl::StatusCode::kDataLoss) << status;
      if (status.ok()) {
        const auto read = journal_.read_all();
        EXPECT_TRUE(read.ok() || read.status().code() == absl::StatusCode::kInternal)
            << read.status();
      } else {
        EXPECT_EQ(status.code(), absl::StatusCode::kInternal);
        EXPECT_TRUE(disk_.image() == image) << "nothing is cut because of it";
      }
      journal_.drop();
      disk_.load(image);
    }
  }
}

TEST_F(SegmentDisk, IsLockedAgainstASecondProcess) {
  SmallJournal second(disk_, 2);
  EXPECT_EQ(second.open().code(), absl::StatusCode::kFailedPrecondition);
  journal_.drop();
  EXPECT_TRUE(second.open().ok());
}

TEST_F(SegmentDisk, IsRefusedOnARemoteFileSystem) {
  journal_.drop();
  disk_.set_remote(true);
  EXPECT_EQ(journal_.open().code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(SegmentDisk, ACleanStopLeavesNothingUncovered) {
  ASSERT_TRUE(journal_.append("one").ok());
  journal_.log().close();
  journal_.drop();
  ASSERT_TRUE(journal_.open().ok());
  EXPECT_EQ(journal_.log().recovery().bytes_above_mark, segments::frame_bytes(0))
      << "only the mark itself";
  EXPECT_EQ(journal_.read_all()->size(), 1u);
}

TEST_F(SegmentDisk, AKilledProcessSaysHowMuchWasUncovered) {
  ASSERT_TRUE(journal_.append("one").ok());
  journal_.log().flush(true);
  journal_.drop();
  ASSERT_TRUE(journal_.open().ok());
  EXPECT_EQ(journal_.log().recovery().bytes_above_mark, segments::frame_bytes(3));
}

TEST_F(SegmentDisk, ARecordLargerThanASegmentIsRefused) {
  EXPECT_EQ(journal_.append(std::string(kSmallSegmentBytes, 'x')).code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(journal_.append("small").ok());
}

TEST_F(SegmentDisk, TheSegmentSizeMayChangeBetweenStarts) {
  std::vector<std::string> records;
  for (int64_t size : {8192, 16384, 12288, 8192}) {
    SmallJournal journal(disk_, static_cast<uint64_t>(size), size);
    journal_.drop();
    ASSERT_TRUE(journal.open().ok());
    for (int i = 0; i < 60; ++i) {
      records.push_back(std::to_string(size) + "/" + std::to_string(i) + std::string(200, '.'));
      ASSERT_TRUE(journal.append(records.back()).ok());
      if (i % 7 == 0) journal.log().flush(true);
    }
    journal.log().close();
    ASSERT_EQ(*journal.read_all(), records);
  }
}

}  // namespace
}  // namespace taizhang::journal
