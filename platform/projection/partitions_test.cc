// The read side over a journal of several partitions: any interleaving, digests, waiting, what is
// final.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <future>
#include <thread>

#include "platform/projection/test_partitions.h"

namespace taizhang {
namespace {

using ledger::v1::ReadEventsResponse;
using testing::code_of;
using testing::kLedgers;
using testing::kPartitions;
using testing::PartitionsTest;
using testing::Reader;
using testing::sum_view;

std::atomic<int> g_slow_us{0};

void fold_slowly(Ledger& rows, const EventMeta& meta, const ledger::v1::LedgerPlaced& event) {
  std::this_thread::sleep_for(std::chrono::microseconds(g_slow_us.load()));
  testing::fold_placed(rows, meta, event);
}

TEST_F(PartitionsTest, FoldsTheLedgersOfAllPartitions) {
  write_journal();
  add_some(300);
  Reader reader(topics_, settings_);
  ASSERT_TRUE(reader.started().ok()) << reader.started();
  ASSERT_TRUE(reader.catch_up());
  expect_all(reader);
  const auto status = reader.status();
  ASSERT_EQ(status.partitions.size(), static_cast<size_t>(kPartitions));
  for (int i = 0; i < kPartitions; ++i) {
    EXPECT_EQ(status.partitions[i].position, topics_[i]->end());
    EXPECT_EQ(status.partitions[i].journal_end, topics_[i]->end());
  }
  EXPECT_EQ(status.lag_events, 0);
  EXPECT_EQ(status.events_folded, 300);
  reader.expect_equal_to_a_fold_from_nothing();
}

TEST_F(PartitionsTest, TwoReadersAndARebuiltOneHaveTheSameDigests) {
  write_journal();
  Reader live(topics_, settings_in("live"));
  add_some(200);
  settings_.batch_events_max = 3;  // other batches, other order between the partitions
  Reader late(topics_, settings_in("late"));
  add_some(200);
  ASSERT_TRUE(live.catch_up());
  ASSERT_TRUE(late.catch_up());
  const auto digests = live.digests();
  ASSERT_EQ(digests.size(), static_cast<size_t>(kLedgers));
  for (int ledger = 0; ledger < kLedgers; ++ledger) {
    EXPECT_EQ(digests.at(code_of(ledger)).first, seqs_[ledger]);
    for (int64_t seq = 0; seq <= seqs_[ledger]; seq += 5)
      EXPECT_EQ(late.digest_at(ledger, seq), live.digest_at(ledger, seq));
    // The one kept beside the rows is that of the rows.
    EXPECT_EQ(live.digest_at(ledger, seqs_[ledger]), digests.at(code_of(ledger)).second);
    EXPECT_NE(live.digest_at(ledger, seqs_[ledger] - 1), digests.at(code_of(ledger)).second);
  }
  EXPECT_EQ(late.digests(), digests);
  ASSERT_TRUE(late.views().rebuild("sums").ok());
  ASSERT_TRUE(late.catch_up());
  EXPECT_EQ(late.digests(), digests);
}

TEST_F(PartitionsTest, ADigestOfWhatIsNotHeldIsRefused) {
  write_journal();
  add(0, "a");
  Reader reader(topics_, settings_);
  ASSERT_TRUE(reader.catch_up());
  const auto code = [&](std::string_view view, std::string_view ledger, int64_t seq) {
    return reader.views().digests(view, ledger, seq).status().code();
  };
  EXPECT_EQ(code("sums", code_of(0), 1), absl::StatusCode::kOk);
  EXPECT_EQ(code("sums", code_of(0), 2), absl::StatusCode::kOutOfRange);
  EXPECT_EQ(code("sums", "110000", 1), absl::StatusCode::kNotFound);
  EXPECT_EQ(code("nothing", code_of(0), 1), absl::StatusCode::kNotFound);
}

TEST_F(PartitionsTest, WaitsForASeqInEachPartition) {
  write_journal();
  Reader reader(topics_, settings_);
  ASSERT_TRUE(reader.catch_up());
  std::vector<std::future<Answer>> answers;
  for (int ledger = 0; ledger < kLedgers; ++ledger) answers.push_back(reader.ask_later(ledger, 3));
  for (int i = 0; i < 3; ++i) {
    for (int ledger = 0; ledger < kLedgers; ++ledger) add(ledger, "a");
  }
  for (auto& answer : answers) {
    Answer got = answer.get();
    ASSERT_EQ(got.index(), 0u);
    const auto& response = static_cast<const ReadEventsResponse&>(*std::get<0>(got));
    EXPECT_GE(response.freshness().seq(), 3);
  }
  Answer late = reader.ask_later(1, 4, 100'000).get();
  EXPECT_EQ(std::get<Error>(late).reason, "SEQ_NOT_REACHED");
}

TEST_F(PartitionsTest, AnAnswerIsFinalByTheClosedTimeOfItsOwnPartition) {
  write_journal();
  add(0, "a");
  add(1, "a");
  const int64_t later_us = std::max(of(0).time_us, of(1).time_us) + 10;
  Reader reader(topics_, settings_);
  ASSERT_TRUE(reader.catch_up());
  EXPECT_FALSE(reader.ask(0, 0, later_us).freshness().final());
  of(1).time_us = later_us;
  of(1).barrier();
  ASSERT_TRUE(reader.catch_up());
  EXPECT_TRUE(reader.ask(1, 0, later_us).freshness().final());
  EXPECT_FALSE(reader.ask(0, 0, later_us).freshness().final());
}

TEST_F(PartitionsTest, AReaderMayStartBeforeTheJournalHasARecord) {
  Reader reader(topics_, settings_);
  ASSERT_TRUE(reader.started().ok()) << reader.started();
  ASSERT_TRUE(reader.catch_up());
  topics_[2]->append("somebody else's");
  // Whose partition 1 is cannot be known before partition 0 says it.
  write_partition(1);
  of(1).open(code_of(1));
  add(1, "a");
  auto early = reader.ask_later(1, 1);
  EXPECT_EQ(early.wait_for(std::chrono::milliseconds(200)), std::future_status::timeout);
  EXPECT_EQ(reader.status().partitions[1].position, 0);
  write_partition(2);
  write_partition(0);
  EXPECT_EQ(early.get().index(), 0u);
  for (int ledger = 0; ledger < kLedgers; ++ledger) {
    if (ledger != 1) of(ledger).open(code_of(ledger));
  }
  add_some(50);
  ASSERT_TRUE(reader.catch_up());
  expect_all(reader);
  reader.expect_equal_to_a_fold_from_nothing();
}

TEST_F(PartitionsTest, CountsForeignRecordsOfEachPartition) {
  write_journal();
  add(0, "a");
  topics_[1]->append("somebody else's");
  topics_[1]->append("somebody else's");
  Reader reader(topics_, settings_);
  ASSERT_TRUE(reader.catch_up());
  const auto partitions = reader.views().partitions();
  ASSERT_EQ(partitions.size(), static_cast<size_t>(kPartitions));
  EXPECT_EQ(partitions[0].foreign_records, 0);
  EXPECT_EQ(partitions[1].foreign_records, 2);
  EXPECT_EQ(partitions[1].position, topics_[1]->end());
  EXPECT_EQ(partitions[2].epoch, 1u);
}

TEST_F(PartitionsTest, ABuildSaysHowFarItIsAndHowLongItTakes) {
  write_journal();
  add_some(300);
  settings_.batch_events_max = 5;
  g_slow_us = 50'000;
  View slow("slow", 1);
  slow.on<ledger::v1::LedgerPlaced>(fold_slowly).query(testing::list_rows);
  Reader reader(topics_, settings_, std::move(slow));
  ViewStatus status;
  for (int i = 0; i < 12'000 && !status.build_seconds_left; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    status = reader.status();
  }
  EXPECT_TRUE(status.building);
  EXPECT_GT(status.position, 0);
  EXPECT_LT(status.position, status.journal_end);
  EXPECT_GT(status.events_per_second, 0);
  EXPECT_LT(status.events_per_second, 1'000);
  ASSERT_TRUE(status.build_seconds_left);
  EXPECT_GT(*status.build_seconds_left, 0);
  EXPECT_EQ(std::get<Error>(reader.ask_later(0, 0).get()).reason, "VIEW_BUILDING");
  g_slow_us = 0;
  ASSERT_TRUE(reader.catch_up());
  status = reader.status();
  EXPECT_FALSE(status.building);
  EXPECT_FALSE(status.build_seconds_left);
  expect_all(reader);
}

TEST_F(PartitionsTest, ASlowViewFallsBehindInSeveralPartitionsAndJoinsAgain) {
  write_journal();
  settings_.batch_events_max = 20;
  settings_.shared_batches_bytes_max = 12'000;
  g_slow_us = 50'000;  // behind for longer than the rest takes anywhere
  View slow("slow", 1);
  slow.on<ledger::v1::LedgerPlaced>(fold_slowly);
  journal::MemoryLog logs[] = {journal::MemoryLog(topics_[0]), journal::MemoryLog(topics_[1]),
                               journal::MemoryLog(topics_[2])};
  Views views({&logs[0], &logs[1], &logs[2]}, system_clock(), settings_,
              [](std::string_view number) { return std::string(number); });
  views.add(sum_view());
  views.add(std::move(slow));
  ASSERT_TRUE(views.start().ok());
  add_some(2'000);
  for (int i = 0; i < 12'000 && views.status()[0].events_folded < 2'000; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  EXPECT_GT(views.status()[1].lag_events, 0);
  g_slow_us = 0;
  ASSERT_TRUE(views.catch_up(120'000'000));
  EXPECT_EQ(views.status()[1].lag_events, 0);
  EXPECT_EQ(views.status()[1].events_folded, 2'000);
  EXPECT_EQ(views.digests("slow", code_of(0), std::nullopt)->front().digest,
            views.digests("sums", code_of(0), std::nullopt)->front().digest);
}

}  // namespace
}  // namespace taizhang
