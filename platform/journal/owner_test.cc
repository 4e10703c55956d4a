// The writer of a partition beside rivals, zombies, duplicates, failed and lost reports, and clocks
// that step.
#include "platform/journal/owner.h"

#include <gtest/gtest.h>

#include "platform/journal/memory/memory_log.h"
#include "platform/journal/testing/history.h"
#include "taizhang/journal/v1/records.pb.h"

namespace taizhang::journal {
namespace {

using testing::ManualClock;
using testing::SeededRandom;

constexpr char kLedger[] = "510101";
constexpr int64_t kSecondUs = 1'000'000;

// A process: its handle of the log, its owner, and what it heard.
class Process : public OwnerListener {
 public:
  Process(std::shared_ptr<MemoryTopic> topic, Clock& clock, uint64_t seed,
          OwnerSettings settings = creating(), bool exclusive = false,
          std::optional<Fold> fold = std::nullopt)
      : log(std::move(topic), exclusive),
        random_(seed),
        owner(log, clock, random_, *this, fold ? *std::move(fold) : Fold(0), std::move(settings),
              [this] { ++wakes; }) {}

  static OwnerSettings creating() {
    OwnerSettings settings;
    settings.create = true;
    settings.claim_us_max = 200'000;
    return settings;
  }

  absl::Status on_record(const Folded& record) override {
    read.push_back({record.kind(), record.header.n});
    return absl::OkStatus();
  }
  void on_confirmed(uint64_t n, int64_t /*offset*/) override { confirmed.push_back(n); }
  void on_epoch_ended(const absl::Status& why) override { ended.push_back(why); }

  absl::StatusOr<uint64_t> barrier() {
    v1::Barrier body;
    body.set_recorded_time_us(owner.next_recorded_time_us(""));
    return owner.append(*Draft::of(Kind::kBarrier, body));
  }
  absl::StatusOr<uint64_t> open(const char* ledger) {
    v1::LedgerOpened body;
    body.set_ledger(ledger);
    body.set_generation(1);
    body.set_next_seq(1);
    body.set_recorded_time_us(owner.next_recorded_time_us(ledger));
    return owner.append(*Draft::of(Kind::kLedgerOpened, body));
  }
  absl::StatusOr<uint64_t> commit(const char* ledger, size_t payload_bytes = 10) {
    v1::Commit body;
    body.set_ledger(ledger);
    const LedgerState* state = owner.speculative().ledger(ledger);
    body.set_first_seq(state ? state->next_seq : 1);
    body.set_recorded_time_us(owner.next_recorded_time_us(ledger));
    body.add_events()->set_payload(std::string(payload_bytes, 'x'));
    return owner.append(*Draft::of(Kind::kCommit, body));
  }
  // Flushes what was appended and handles the reports.
  void settle() {
    owner.flush(true);
    owner.poll();
  }
  // The next appends get these faults.
  void fault(std::vector<AppendFault> faults) {
    log.set_faults([faults, at = size_t{0}](std::string_view) mutable {
      return at < faults.size() ? faults[at++] : AppendFault::kNone;
    });
  }
  bool read_kind(Kind kind) const {
    for (const auto& [seen, n] : read) {
      if (seen == kind) return true;
    }
    return false;
  }

  MemoryLog log;
  int wakes = 0;
  std::vector<std::pair<Kind, uint64_t>> read;
  std::vector<uint64_t> confirmed;
  std::vector<absl::Status> ended;

 private:
  SeededRandom random_;

 public:
  Owner owner;
};

class OwnerTest : public ::testing::Test {
 protected:
  // What a reader that starts from nothing makes of the log.
  Fold reader() {
    Fold fold(0);
    MemoryLog log(topic_);
    const auto cursor = log.read(0);
    while (true) {
      const auto record = cursor->next();
      EXPECT_TRUE(record.ok());
      if (!record.ok() || !*record) return fold;
      const auto folded = fold.apply((*record)->offset, (*record)->bytes);
      EXPECT_TRUE(folded.ok()) << folded.status();
    }
  }

  ManualClock clock_;
  std::shared_ptr<MemoryTopic> topic_ = std::make_shared<MemoryTopic>();
};

TEST_F(OwnerTest, CreatesClaimsAppendsAndConfirms) {
  Process process(topic_, clock_, 1);
  ASSERT_TRUE(process.owner.claim().ok());
  EXPECT_EQ(process.read,
            (std::vector<std::pair<Kind, uint64_t>>{{Kind::kGenesis, 0}, {Kind::kClaim, 0}}));
  EXPECT_EQ(*process.open(kLedger), 1u);
  EXPECT_EQ(*process.commit(kLedger), 2u);
  EXPECT_EQ(*process.commit(kLedger), 3u);
  EXPECT_EQ(process.owner.last_confirmed_n(), 0u);
  EXPECT_EQ(process.owner.in_flight_records(), 3u);
  process.settle();
  EXPECT_EQ(process.confirmed, (std::vector<uint64_t>{1, 2, 3}));
  EXPECT_EQ(process.owner.in_flight_bytes(), 0u);
  EXPECT_GT(process.wakes, 0);
  EXPECT_EQ(reader().partition_row(), process.owner.fold().partition_row());
  EXPECT_EQ(process.owner.fold().head(), process.owner.speculative().head());
}

TEST_F(OwnerTest, DoesNotCreateUnlessTold) {
  Process process(topic_, clock_, 1, OwnerSettings{});
  EXPECT_EQ(process.owner.claim().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(topic_->end(), 0);
}

TEST_F(OwnerTest, TwoThatCreateAtOnceAgreeOnOneGenesis) {
  Process one(topic_, clock_, 1);
  Process two(topic_, clock_, 2);
  ASSERT_TRUE(one.owner.claim().ok());
  ASSERT_TRUE(two.owner.claim().ok());
  EXPECT_EQ(one.owner.fold().uuid(), two.owner.fold().uuid());
}

TEST_F(OwnerTest, ATakeoverEndsTheOldEpochAndVoidsWhatItStillSends) {
  Process old(topic_, clock_, 1);
  ASSERT_TRUE(old.owner.claim().ok());
  ASSERT_TRUE(old.open(kLedger).ok());
  old.settle();
  Process rival(topic_, clock_, 2);
  ASSERT_TRUE(rival.owner.claim().ok());
  EXPECT_TRUE(rival.read_kind(Kind::kLedgerOpened));

  ASSERT_TRUE(old.commit(kLedger).ok());
  old.settle();
  EXPECT_EQ(old.confirmed, (std::vector<uint64_t>{1}));
  ASSERT_EQ(old.ended.size(), 1u);
  EXPECT_EQ(old.ended[0].code(), absl::StatusCode::kAborted);
  EXPECT_EQ(old.barrier().status().code(), absl::StatusCode::kUnavailable);

  ASSERT_TRUE(rival.commit(kLedger).ok());
  rival.settle();
  EXPECT_EQ(rival.confirmed, (std::vector<uint64_t>{1})) << "the zombie's record between is void";
  EXPECT_EQ(reader().ledger(kLedger)->next_seq, 2);
  EXPECT_EQ(reader().void_count(), 1);
}

TEST_F(OwnerTest, AnswersWhatTheFoldHoldsWhenTheEpochEndsInBetween) {
  Process old(topic_, clock_, 1);
  ASSERT_TRUE(old.owner.claim().ok());
  old.fault({AppendFault::kForeignBefore});
  ASSERT_TRUE(old.barrier().ok());
  ASSERT_TRUE(old.barrier().ok());
  old.log.flush(true);  // both are stored, their reports wait
  Process rival(topic_, clock_, 2);
  ASSERT_TRUE(rival.owner.claim().ok());
  ASSERT_TRUE(old.barrier().ok());
  old.settle();
  EXPECT_EQ(old.confirmed, (std::vector<uint64_t>{1, 2}));
  EXPECT_EQ(old.ended.size(), 1u);
}

TEST_F(OwnerTest, AForeignRecordBetweenDoesNotUnconfirm) {
  Process process(topic_, clock_, 1);
  ASSERT_TRUE(process.owner.claim().ok());
  process.fault({AppendFault::kNone, AppendFault::kForeignBefore});
  ASSERT_TRUE(process.barrier().ok());
  ASSERT_TRUE(process.barrier().ok());
  ASSERT_TRUE(process.barrier().ok());
  process.settle();
  EXPECT_EQ(process.confirmed, (std::vector<uint64_t>{1, 2, 3}));
  EXPECT_EQ(process.owner.fold().foreign_count(), 1);
}

TEST_F(OwnerTest, ADuplicateOfAnAppendCountsOnce) {
  Process process(topic_, clock_, 1);
  ASSERT_TRUE(process.owner.claim().ok());
  process.fault({AppendFault::kDuplicated});
  ASSERT_TRUE(process.barrier().ok());
  ASSERT_TRUE(process.barrier().ok());
  process.settle();
  EXPECT_EQ(process.confirmed, (std::vector<uint64_t>{1, 2}));
  EXPECT_EQ(process.owner.fold().void_count(), 1);
  EXPECT_EQ(reader().partition_row(), process.owner.fold().partition_row());
}

// After each of these nothing later of the epoch is confirmed, and the next claim reads what the
// log holds.
struct EndingCase {
  const char* name;
  AppendFault fault;
  bool stored;
};

class OwnerEnding : public OwnerTest, public ::testing::WithParamInterface<EndingCase> {};

TEST_P(OwnerEnding, EndsTheEpochAndTheNextClaimReadsTheTruth) {
  Process process(topic_, clock_, 1);
  ASSERT_TRUE(process.owner.claim().ok());
  ASSERT_TRUE(process.open(kLedger).ok());
  process.settle();
  process.fault({AppendFault::kNone, GetParam().fault});
  ASSERT_TRUE(process.commit(kLedger).ok());
  (void)process.commit(kLedger);
  (void)process.commit(kLedger);
  process.settle();
  process.owner.poll();
  EXPECT_LE(process.confirmed.size(), 2u);
  EXPECT_EQ(process.ended.size(), 1u);
  EXPECT_FALSE(process.owner.serving());

  process.fault({});
  process.read.clear();
  const size_t confirmed_before = process.confirmed.size();
  ASSERT_TRUE(process.owner.claim().ok());
  size_t commits = confirmed_before - 1;  // one of them was the opening
  for (const auto& [kind, n] : process.read) commits += kind == Kind::kCommit;
  EXPECT_EQ(static_cast<int64_t>(commits) + 1, process.owner.fold().ledger(kLedger)->next_seq)
      << "each stored commit is told exactly once, by on_confirmed or by on_record";
  EXPECT_EQ(commits >= 2, GetParam().stored);
  ASSERT_TRUE(process.commit(kLedger).ok());
  process.settle();
  EXPECT_EQ(process.confirmed.size(), confirmed_before + 1);
  EXPECT_EQ(reader().partition_row(), process.owner.fold().partition_row());
}

INSTANTIATE_TEST_SUITE_P(
    Faults, OwnerEnding,
    ::testing::Values(EndingCase{"FailedButStored", AppendFault::kFailedStored, true},
                      EndingCase{"FailedAndNotStored", AppendFault::kFailedNotStored, false},
                      EndingCase{"ReportLost", AppendFault::kReportLost, true},
                      EndingCase{"NoOffset", AppendFault::kNoOffset, true},
                      EndingCase{"Rejected", AppendFault::kRejected, false},
                      EndingCase{"Held", AppendFault::kHeld, false}),
    [](const auto& each) { return each.param.name; });

TEST_F(OwnerTest, ALateSendOfAnEndedEpochIsVoid) {
  Process process(topic_, clock_, 1);
  ASSERT_TRUE(process.owner.claim().ok());
  process.fault({AppendFault::kHeld});
  ASSERT_TRUE(process.barrier().ok());
  process.settle();
  process.fault({});
  ASSERT_TRUE(process.owner.claim().ok());
  EXPECT_EQ(process.log.deliver_held(), 1u);
  ASSERT_TRUE(process.barrier().ok());
  process.settle();
  EXPECT_EQ(process.confirmed, (std::vector<uint64_t>{1}));
  EXPECT_EQ(reader().void_count(), 1);
  EXPECT_EQ(reader().n(), 1u);
}

TEST_F(OwnerTest, ALostReportWithNothingBehindEndsTheEpochInTime) {
  Process process(topic_, clock_, 1);
  ASSERT_TRUE(process.owner.claim().ok());
  process.fault({AppendFault::kReportLost});
  ASSERT_TRUE(process.barrier().ok());
  process.settle();
  EXPECT_TRUE(process.ended.empty());
  clock_.advance_us(31 * kSecondUs);
  process.owner.poll();
  ASSERT_EQ(process.ended.size(), 1u);
  EXPECT_EQ(process.ended[0].code(), absl::StatusCode::kDeadlineExceeded);
}

TEST_F(OwnerTest, ARewoundLogStopsForGood) {
  Process process(topic_, clock_, 1);
  ASSERT_TRUE(process.owner.claim().ok());
  ASSERT_TRUE(process.barrier().ok());
  process.settle();
  topic_->truncate(1);
  ASSERT_TRUE(process.barrier().ok());
  process.settle();
  ASSERT_EQ(process.ended.size(), 1u);
  EXPECT_EQ(process.ended[0].code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(process.owner.claim().code(), absl::StatusCode::kDataLoss);
}

TEST_F(OwnerTest, ALostRaceIsAborted) {
  Process one(topic_, clock_, 1);
  ASSERT_TRUE(one.owner.claim().ok());
  ASSERT_TRUE(one.owner.release(absl::Seconds(1)).ok());
  EXPECT_FALSE(one.owner.serving());
  Process two(topic_, clock_, 2);
  // The rival's claim reaches the log while ours is on its way.
  two.log.set_faults([&](std::string_view) {
    EXPECT_TRUE(one.owner.claim().ok());
    return AppendFault::kNone;
  });
  EXPECT_EQ(two.owner.claim().code(), absl::StatusCode::kAborted);
  two.log.set_faults({});
  EXPECT_TRUE(two.owner.claim().ok());
}

TEST_F(OwnerTest, ServesFromAnAbandonedClaimThatBecameValid) {
  Process process(topic_, clock_, 1);
  process.fault({AppendFault::kNone, AppendFault::kHeld});
  EXPECT_EQ(process.owner.claim().code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(process.log.deliver_held(), 1u);
  process.fault({});
  const int64_t end = topic_->end();
  ASSERT_TRUE(process.owner.claim().ok());
  EXPECT_EQ(topic_->end(), end) << "no second claim";
  ASSERT_TRUE(process.barrier().ok());
  process.settle();
  EXPECT_EQ(process.confirmed, (std::vector<uint64_t>{1}));
}

TEST_F(OwnerTest, NoRoomChangesNothing) {
  Process process(topic_, clock_, 1);
  ASSERT_TRUE(process.owner.claim().ok());
  process.fault({AppendFault::kNoRoom});
  EXPECT_EQ(process.barrier().status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(*process.barrier(), 1u);
  process.settle();
  EXPECT_EQ(process.confirmed, (std::vector<uint64_t>{1}));
}

TEST_F(OwnerTest, InFlightIsBoundedByCountAndBytes) {
  OwnerSettings settings = Process::creating();
  settings.in_flight_records_max = 2;
  Process counted(topic_, clock_, 1, settings);
  ASSERT_TRUE(counted.owner.claim().ok());
  EXPECT_TRUE(counted.owner.room().ok());
  ASSERT_TRUE(counted.barrier().ok());
  ASSERT_TRUE(counted.barrier().ok());
  EXPECT_EQ(counted.owner.room().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(counted.barrier().status().code(), absl::StatusCode::kResourceExhausted);
  counted.settle();
  EXPECT_TRUE(counted.owner.room().ok());
  EXPECT_TRUE(counted.barrier().ok());

  settings = Process::creating();
  settings.in_flight_bytes_max = kRecordBytesMax + 200;
  Process weighed(topic_, clock_, 2, settings);
  ASSERT_TRUE(weighed.owner.claim().ok());
  ASSERT_TRUE(weighed.open(kLedger).ok());
  ASSERT_TRUE(weighed.commit(kLedger, 500'000).ok());
  EXPECT_EQ(weighed.owner.room().code(), absl::StatusCode::kResourceExhausted);
}

TEST_F(OwnerTest, WhatWouldStopEveryReaderIsNotWritten) {
  Process process(topic_, clock_, 1);
  ASSERT_TRUE(process.owner.claim().ok());
  EXPECT_EQ(process.commit("999999").status().code(), absl::StatusCode::kInternal);
  EXPECT_EQ(process.owner.append(Kind::kBarrier, v1::Barrier().SerializeAsString()).status().code(),
            absl::StatusCode::kInternal);
  EXPECT_EQ(process.owner.in_flight_records(), 0u);
}

TEST_F(OwnerTest, ACallerCannotAppendWhatMovesTheClaim) {
  Process process(topic_, clock_, 1);
  ASSERT_TRUE(process.owner.claim().ok());
  EXPECT_EQ(process.owner.append(Kind::kRelease, "").status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST_F(OwnerTest, RecordedTimesStrictlyIncreaseWhileTheClockStandsStill) {
  Process process(topic_, clock_, 1);
  ASSERT_TRUE(process.owner.claim().ok());
  ASSERT_TRUE(process.open(kLedger).ok());
  const int64_t first_us = process.owner.next_recorded_time_us(kLedger);
  ASSERT_TRUE(process.commit(kLedger).ok());
  EXPECT_EQ(process.owner.next_recorded_time_us(kLedger), first_us + 1)
      << "speculative, before any report";
  clock_.advance_us(10 * kSecondUs);
  EXPECT_EQ(process.owner.next_recorded_time_us(kLedger), clock_.wall_us());
}

TEST_F(OwnerTest, AClockThatStepsDropsTheClaim) {
  Process process(topic_, clock_, 1);
  ASSERT_TRUE(process.owner.claim().ok());
  clock_.step_wall_us(-4 * kSecondUs);
  process.owner.poll();
  EXPECT_TRUE(process.owner.serving());
  EXPECT_EQ(process.owner.now_us(), clock_.wall_us() + 4 * kSecondUs) << "the boot clock leads";
  clock_.step_wall_us(-2 * kSecondUs);
  process.owner.poll();
  ASSERT_EQ(process.ended.size(), 1u);
  EXPECT_EQ(process.ended[0].code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(OwnerTest, AnExclusiveJournalIsNotStartedWithAClockThatIsBehindOrFarAhead) {
  {
    Process process(topic_, clock_, 1, Process::creating(), /*exclusive=*/true);
    ASSERT_TRUE(process.owner.claim().ok());
    ASSERT_TRUE(process.barrier().ok());
    process.settle();
  }
  const auto start = [&](bool behind_ok, bool ahead_ok) {
    OwnerSettings settings = Process::creating();
    settings.clock_behind_confirmed = behind_ok;
    settings.clock_ahead_confirmed = ahead_ok;
    Process process(topic_, clock_, 7, settings, /*exclusive=*/true);
    return process.owner.claim().code();
  };
  clock_.step_wall_us(-6 * kSecondUs);
  EXPECT_EQ(start(false, true), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(start(true, false), absl::StatusCode::kOk);
  clock_.step_wall_us(6 * kSecondUs + 31 * int64_t{86'400} * kSecondUs);
  EXPECT_EQ(start(true, false), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(start(false, true), absl::StatusCode::kOk);
}

TEST_F(OwnerTest, AClockThatDiffersFromTheBrokersIsGivenNoClaim) {
  ManualClock brokers;
  auto topic = std::make_shared<MemoryTopic>(&brokers);
  clock_.step_wall_us(20 * kSecondUs);
  Process wrong(topic, clock_, 1);
  EXPECT_EQ(wrong.owner.claim().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(wrong.owner.own_last(), Id128{}) << "its Release is no append of a served epoch";
  Process right(topic, brokers, 2);
  ASSERT_TRUE(right.owner.claim().ok());
  EXPECT_TRUE(right.read_kind(Kind::kRelease)) << "the wrong one gave its claim back";
}

TEST_F(OwnerTest, GoesOnFromARestoredFold) {
  std::string partition;
  std::map<std::string, std::string> ledgers;
  {
    Process process(topic_, clock_, 1);
    ASSERT_TRUE(process.owner.claim().ok());
    ASSERT_TRUE(process.open(kLedger).ok());
    process.settle();
    partition = process.owner.fold().partition_row();
    ledgers[kLedger] = process.owner.fold().ledger_row(kLedger);
    ASSERT_TRUE(process.commit(kLedger).ok());
    process.settle();
  }
  auto restored = Fold::restore(partition, ledgers);
  ASSERT_TRUE(restored.ok());
  Process process(topic_, clock_, 2, OwnerSettings{}, false, *std::move(restored));
  ASSERT_TRUE(process.owner.claim().ok());
  EXPECT_EQ(process.read,
            (std::vector<std::pair<Kind, uint64_t>>{{Kind::kCommit, 2}, {Kind::kClaim, 0}}));

  topic_->truncate(2);
  auto again = Fold::restore(partition, ledgers);
  Process beyond(topic_, clock_, 3, OwnerSettings{}, false, *std::move(again));
  EXPECT_EQ(beyond.owner.claim().code(), absl::StatusCode::kDataLoss) << "a store beyond the tail";
}

}  // namespace
}  // namespace taizhang::journal
