// The read side over several partitions in trouble: restarts and kills at any point, a partition
// that is damaged, rewound or cannot be read.
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <thread>

#include "platform/projection/test_partitions.h"
#include "platform/projection/store.h"

namespace taizhang {
namespace {

using testing::code_of;
using testing::PartitionsTest;
using testing::Reader;
using testing::sum_view;

TEST_F(PartitionsTest, GoesOnAfterARestartAtAnyPoint) {
  write_journal();
  settings_.batch_events_max = 4;
  int64_t folded = 0;
  for (int round = 0; round < 20; ++round) {
    const auto commits = static_cast<int>(random_() % 6);
    add_some(commits);
    Reader reader(topics_, settings_);
    ASSERT_TRUE(reader.started().ok()) << reader.started();
    add_some(2);
    if (round % 3 != 0) {
      ASSERT_TRUE(reader.catch_up());
      expect_all(reader);
    }
    reader.views().stop();
    folded += reader.status().events_folded;
  }
  Reader reader(topics_, settings_);
  ASSERT_TRUE(reader.catch_up());
  expect_all(reader);
  folded += reader.status().events_folded;
  int64_t events = 0;
  for (const auto& [ledger, seq] : seqs_) events += seq;
  EXPECT_EQ(folded, events);  // nothing twice
  reader.expect_equal_to_a_fold_from_nothing();
}

// What a kill leaves on the disk: the files as they are between two writes.
TEST_F(PartitionsTest, FoldsAgainWhatAKillLost) {
  write_journal();
  settings_.batch_events_max = 3;
  settings_.flush_events_max = 10;
  std::vector<std::string> images;
  {
    Reader reader(topics_, settings_);
    for (int i = 0; i < 12; ++i) {
      add_some(10);
      if (i % 2 == 0) {
        ASSERT_TRUE(reader.catch_up());
      }
      // Files that a compaction takes away meanwhile make a copy that is none.
      const std::string image = "image-" + std::to_string(i);
      std::error_code failed;
      std::filesystem::copy(settings_.directory, folder_.path() + "/" + image,
                            std::filesystem::copy_options::recursive, failed);
      if (!failed) images.push_back(image);
    }
  }
  ASSERT_GT(images.size(), 3u);
  int opened = 0;
  for (const auto& image : images) {
    Reader reader(topics_, settings_in(image));
    ASSERT_TRUE(reader.started().ok()) << reader.started();
    ASSERT_TRUE(reader.catch_up());
    if (!reader.status().status.ok()) continue;  // copied while a file changed
    ++opened;
    expect_all(reader);
    reader.expect_equal_to_a_fold_from_nothing();
  }
  EXPECT_GT(opened, 3);
}

TEST_F(PartitionsTest, AStopBeforeTheFirstRecordLosesNothing) {
  topics_[0]->append("somebody else's");
  topics_[1]->append("somebody else's");
  {
    Reader reader(topics_, settings_);
    ASSERT_TRUE(reader.started().ok());
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  write_journal();
  add_some(50);
  Reader reader(topics_, settings_);
  ASSERT_TRUE(reader.started().ok()) << reader.started();
  ASSERT_TRUE(reader.catch_up());
  expect_all(reader);
  reader.expect_equal_to_a_fold_from_nothing();
}

TEST_F(PartitionsTest, ADamagedPartitionStopsTheViewLoudly) {
  write_journal();
  add_some(30);
  Reader reader(topics_, settings_);
  ASSERT_TRUE(reader.catch_up());
  partitions_[1]->damage();
  Answer waiting = reader.ask_later(0, seqs_[0] + 1, 10'000'000).get();
  EXPECT_EQ(std::get<Error>(waiting).code, kDataLoss);
  const auto status = reader.status();
  EXPECT_EQ(status.status.code(), absl::StatusCode::kDataLoss) << status.status;
  EXPECT_EQ(std::get<Error>(reader.ask_later(1, 0).get()).reason, "VIEW_STOPPED");
  EXPECT_FALSE(reader.views().digests("sums", "", std::nullopt).ok());
}

TEST_F(PartitionsTest, RefusesAPartitionThatWasRewound) {
  write_journal();
  add_some(60);
  {
    Reader reader(topics_, settings_);
    ASSERT_TRUE(reader.catch_up());
  }
  topics_[2]->truncate(topics_[2]->end() - 1);
  Reader reader(topics_, settings_);
  EXPECT_EQ(reader.started().code(), absl::StatusCode::kDataLoss) << reader.started();
  EXPECT_NE(reader.started().message().find("partition 2"), std::string::npos);
}

TEST_F(PartitionsTest, RefusesAnotherNumberOfPartitions) {
  write_journal();
  add_some(30);
  {
    Reader all(topics_, settings_);
    ASSERT_TRUE(all.catch_up());
  }
  const std::vector<std::shared_ptr<journal::MemoryTopic>> two{topics_[0], topics_[1]};
  // With nothing on the disk it is found when the first record is read.
  Reader fresh(two, settings_in("fresh"));
  ASSERT_TRUE(fresh.catch_up());
  for (int i = 0; i < 12'000 && fresh.status().status.ok(); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  EXPECT_EQ(fresh.status().status.message(), "the journal has 3 partitions, this process reads 2");
  // With files it is found at the start, or they say themselves that they hold more.
  Reader old(two, settings_);
  EXPECT_FALSE(old.started().ok() && old.status().status.ok());
}

TEST_F(PartitionsTest, GoesOnByItselfWithStoppedLedgersOfSeveralPartitions) {
  write_journal();
  add_some(40);
  for (const int ledger : {0, 1, 3}) {
    of(ledger).commit_raw(code_of(ledger), "ledger.v1.LedgerFounded", "\xff");  // not a message
    ++seqs_[ledger];
    add(ledger, "a");
  }
  {
    Reader reader(topics_, settings_);
    ASSERT_TRUE(reader.catch_up());
    EXPECT_EQ(reader.status().stopped.size(), 3u);
    EXPECT_EQ(std::get<Error>(reader.ask_later(3, 0).get()).code, kDataLoss);
    EXPECT_EQ(reader.ask(2).freshness().seq(), seqs_[2]);
  }
  // The next program does not look at that event any more.
  View next("sums", 1);
  next.on<ledger::v1::LedgerPlaced>(testing::fold_placed).query(testing::list_rows);
  Reader reader(topics_, settings_, std::move(next));
  ASSERT_TRUE(reader.catch_up());
  EXPECT_TRUE(reader.status().stopped.empty());
  expect_all(reader);
  reader.expect_equal_to_a_fold_from_nothing();
}

TEST_F(PartitionsTest, AJournalThatCannotBeReadForAWhileIsReadAgain) {
  write_journal();
  add_some(300);
  of(1).commit_raw(code_of(1), "ledger.v1.LedgerFounded", "\xff");  // not a message
  ++seqs_[1];
  add(1, "a");
  settings_.batch_events_max = 10;
  settings_.shared_batches_bytes_max = 12'000;
  {
    Reader reader(topics_, settings_, sum_view(), 20);
    ASSERT_TRUE(reader.started().ok()) << reader.started();
    ASSERT_TRUE(reader.catch_up());
    EXPECT_EQ(reader.status().stopped.size(), 1u);
  }
  View next("sums", 1);
  next.on<ledger::v1::LedgerPlaced>(testing::fold_placed).query(testing::list_rows);
  Reader reader(topics_, settings_, std::move(next), 20);
  ASSERT_TRUE(reader.started().ok()) << reader.started();
  ASSERT_TRUE(reader.catch_up());
  expect_all(reader);
  // A rebuild reads on its own, and a comparison that could not read everything says so.
  ASSERT_TRUE(reader.views().rebuild("sums").ok());
  ASSERT_TRUE(reader.catch_up());
  expect_all(reader);
  const auto report = reader.views().verify("sums");
  EXPECT_EQ(report.status().code(), absl::StatusCode::kUnavailable) << report.status();
  View again("sums", 1);
  again.on<ledger::v1::LedgerPlaced>(testing::fold_placed).query(testing::list_rows);
  Reader steady(topics_, settings_in("steady"), std::move(again));
  ASSERT_TRUE(steady.catch_up());
  EXPECT_EQ(reader.digests(), steady.digests());
}

TEST_F(PartitionsTest, FilesOfAnotherFormatAreBuiltAnew) {
  write_journal();
  add_some(40);
  {
    Reader reader(topics_, settings_);
    ASSERT_TRUE(reader.catch_up());
  }
  {
    auto store = projection::Store::open(settings_.directory + "/sums-v1",
                                         projection::make_store_resources(1 << 20, 1 << 20));
    ASSERT_TRUE(store.ok()) << store.status();
    projection::Puts puts;
    puts.add(projection::store_key::meta("format"), "taizhang view 1");
    ASSERT_TRUE((*store)->write(puts).ok());
    ASSERT_TRUE((*store)->flush().ok());
  }
  Reader reader(topics_, settings_);
  ASSERT_TRUE(reader.started().ok()) << reader.started();
  ASSERT_TRUE(reader.catch_up());
  EXPECT_EQ(reader.status().events_folded, 40);
  expect_all(reader);
}

}  // namespace
}  // namespace taizhang
