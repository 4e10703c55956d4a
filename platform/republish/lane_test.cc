// One partition mirrored: the rule, restarts, failed appends, topics that are not what they should
// be.
#include "platform/republish/lane.h"

#include <gtest/gtest.h>

#include <map>

#include "platform/journal/testing/history.h"
#include "platform/republish/test_clean_topic.h"

namespace taizhang::republish {
namespace {

using journal::AppendFault;
using journal::MemoryTopic;
using journal::testing::ManualClock;
using taizhang::testing::accepted;
using taizhang::testing::EventJournal;
using taizhang::testing::header_of;
using taizhang::testing::stored;

constexpr int kStepsMax = 10'000;

class LaneTest : public ::testing::Test {
 protected:
  LaneTest() {
    journal_.open("510101");
    journal_.open("510102");
  }

  void record(int commits) {
    for (int i = 0; i < commits; ++i) {
      journal_.record(i % 2 == 0 ? "510101" : "510102", 1 + i % 3);
      if (i % 4 == 3) journal_.barrier();
    }
  }

  std::unique_ptr<Lane> lane(Checkpoint from = {}) {
    return std::make_unique<Lane>(0, std::nullopt, journal_.log, clean_, clock_, settings_,
                                  std::move(from));
  }

  // Until everything is produced; OK, or the first error.
  static absl::Status run(Lane& lane) {
    for (int i = 0; i < kStepsMax; ++i) {
      const auto step = lane.step();
      if (!step.ok()) return step.status();
      if (*step == Lane::Step::kWaitsForJournal) return absl::OkStatus();
    }
    return absl::DeadlineExceededError("it never came to rest");
  }
  absl::Status run_one(Checkpoint from = {}) { return run(*lane(std::move(from))); }

  // The topic takes records and reports none of them.
  void hold_topic() {
    clean_.log().set_faults([this](std::string_view) {
      ++produced_;
      return AppendFault::kNone;
    });
    clean_.log().set_paused(true);
  }

  int produced_ = 0;  // since hold_topic()
  EventJournal journal_;
  std::shared_ptr<MemoryTopic> topic_ = std::make_shared<MemoryTopic>();
  MemoryCleanPartition clean_{topic_};
  ManualClock clock_;
  LaneSettings settings_;
};

TEST_F(LaneTest, MirrorsEachEventOfEachValidCommitOnceAndInOrder) {
  record(3);
  journal_.topic->append("somebody else's bytes");
  journal_.topic->append(journal_.topic->at(journal_.topic->end() - 2)->bytes);  // void: a copy
  record(6);
  const auto made = lane();
  ASSERT_TRUE(run(*made).ok());
  EXPECT_EQ(accepted(*topic_), journal_.events);
  EXPECT_EQ(topic_->end(), static_cast<int64_t>(journal_.events.size()));
  const auto status = made->status();
  EXPECT_EQ(status.k, topic_->end());
  EXPECT_EQ(status.journal_k, topic_->end());
  EXPECT_EQ(status.journal_offset, journal_.topic->end());
  EXPECT_EQ(status.phase, Phase::kRepublishing);
  EXPECT_EQ(status.lag_us, 0);
}

TEST_F(LaneTest, GoesOnWithWhatComesLater) {
  record(2);
  const auto made = lane();
  ASSERT_TRUE(run(*made).ok());
  record(5);
  ASSERT_TRUE(run(*made).ok());
  EXPECT_EQ(accepted(*topic_), journal_.events);
}

TEST_F(LaneTest, ARestartWithoutACheckpointAddsNothingTwice) {
  record(9);
  ASSERT_TRUE(run_one().ok());
  const int64_t end = topic_->end();
  ASSERT_TRUE(run_one().ok());
  EXPECT_EQ(topic_->end(), end);
  record(3);
  ASSERT_TRUE(run_one().ok());
  EXPECT_EQ(accepted(*topic_), journal_.events);
  EXPECT_EQ(topic_->end(), static_cast<int64_t>(journal_.events.size()));
}

TEST_F(LaneTest, ARestartReadsOnlyWhatComesAfterTheCheckpoint) {
  record(9);
  auto made = lane();
  ASSERT_TRUE(run(*made).ok());
  const Checkpoint from = made->checkpoint();
  EXPECT_EQ(from.clean_k, topic_->end());
  EXPECT_EQ(from.clean_offset, topic_->end());
  EXPECT_EQ(from.journal_k, topic_->end());
  record(3);
  // What lies before is not looked at: a record of another mapping there would stop it.
  auto other = std::make_shared<MemoryTopic>();
  other->append(encode({"k", {{"ce_k", "1"}, {"taizhangmapping", "9"}}, ""}));
  for (int64_t offset = 1; offset < topic_->end(); ++offset) {
    other->append(topic_->at(offset)->bytes);
  }
  MemoryCleanPartition clean(other);
  Lane second(0, std::nullopt, journal_.log, clean, clock_, settings_, from);
  ASSERT_TRUE(run(second).ok());
  EXPECT_EQ(other->end(), static_cast<int64_t>(journal_.events.size()));
}

TEST_F(LaneTest, EveryCheckpointOnTheWayIsARightPlaceToBegin) {
  settings_.batch_events_max = 3;
  settings_.in_flight_records_max = 2;
  record(8);
  std::vector<Checkpoint> checkpoints;
  const auto made = lane();
  for (int i = 0; i < kStepsMax; ++i) {
    const auto step = made->step();
    ASSERT_TRUE(step.ok()) << step.status();
    checkpoints.push_back(made->checkpoint());
    if (*step == Lane::Step::kWaitsForJournal) break;
  }
  record(4);
  for (const Checkpoint& from : checkpoints) {
    auto copy = std::make_shared<MemoryTopic>();
    for (int64_t offset = 0; offset < topic_->end(); ++offset) {
      copy->append(topic_->at(offset)->bytes);
    }
    MemoryCleanPartition clean(copy);
    Lane second(0, std::nullopt, journal_.log, clean, clock_, settings_, from);
    ASSERT_TRUE(run(second).ok());
    EXPECT_EQ(accepted(*copy), journal_.events);
    EXPECT_EQ(copy->end(), static_cast<int64_t>(journal_.events.size()));
  }
}

TEST_F(LaneTest, TwoOfThemGiveTheSameBytes) {
  record(9);
  ASSERT_TRUE(run_one().ok());
  auto second = std::make_shared<MemoryTopic>();
  MemoryCleanPartition clean(second);
  Lane other(0, std::nullopt, journal_.log, clean, clock_, settings_, {});
  ASSERT_TRUE(run(other).ok());
  EXPECT_EQ(stored(*second), stored(*topic_));
}

TEST_F(LaneTest, AFailedAppendEndsTheAttemptAndTheNextOneFillsWhatIsMissing) {
  record(4);
  for (const auto fault : {AppendFault::kRejected, AppendFault::kFailedStored,
                           AppendFault::kFailedNotStored, AppendFault::kHeld}) {
    topic_->truncate(0);
    int produced = 0;
    // The third fails, what was queued behind it goes through.
    clean_.log().set_faults(
        [&](std::string_view) { return ++produced == 3 ? fault : AppendFault::kNone; });
    const auto made = lane();
    EXPECT_FALSE(run(*made).ok());
    EXPECT_LT(made->status().k, static_cast<int64_t>(journal_.events.size()));
    EXPECT_FALSE(made->status().status.ok());
    ASSERT_TRUE(run(*made).ok());
    clean_.log().deliver_held();
    EXPECT_EQ(accepted(*topic_), journal_.events);
    EXPECT_EQ(made->status().k, static_cast<int64_t>(journal_.events.size()));
    EXPECT_TRUE(made->status().status.ok());
  }
}

TEST_F(LaneTest, AReportWithoutAnOffsetConfirms) {
  record(4);
  clean_.log().set_faults([](std::string_view) { return AppendFault::kNoOffset; });
  const auto made = lane();
  ASSERT_TRUE(run(*made).ok());
  EXPECT_EQ(made->status().k, static_cast<int64_t>(journal_.events.size()));
  clean_.log().set_faults({});
  ASSERT_TRUE(run_one(made->checkpoint()).ok());
  EXPECT_EQ(topic_->end(), static_cast<int64_t>(journal_.events.size()));
}

TEST_F(LaneTest, NoRoomIsAWaitNotAnError) {
  record(2);
  int refused = 0;
  clean_.log().set_faults(
      [&](std::string_view) { return ++refused <= 3 ? AppendFault::kNoRoom : AppendFault::kNone; });
  const auto made = lane();
  ASSERT_TRUE(run(*made).ok());
  EXPECT_GT(refused, 3);
  EXPECT_EQ(made->status().attempts, 1);
  EXPECT_EQ(topic_->end(), static_cast<int64_t>(journal_.events.size()));
}

TEST_F(LaneTest, FillsAGapThatAFailedSendLeft) {
  record(4);
  ASSERT_TRUE(run_one().ok());
  const auto all = stored(*topic_);
  ASSERT_GT(all.size(), 4u);
  topic_->truncate(0);
  for (const size_t k : {1, 2, 4, 5}) topic_->append(encode(all[k - 1]));
  const auto made = lane();
  ASSERT_TRUE(run(*made).ok());
  EXPECT_EQ(accepted(*topic_), journal_.events);
  EXPECT_EQ(decode(topic_->at(4)->bytes), all[2])
      << "it goes on after the k reached, not the largest";
}

TEST_F(LaneTest, KeepsWhatIsInFlightBounded) {
  record(20);
  settings_.in_flight_records_max = 3;
  hold_topic();
  const auto made = lane();
  absl::StatusOr<Lane::Step> step = Lane::Step::kWorked;
  for (int i = 0; i < 20; ++i) {
    step = made->step();
    ASSERT_TRUE(step.ok()) << step.status();
  }
  EXPECT_EQ(*step, Lane::Step::kWaitsForTopic);
  EXPECT_EQ(produced_, 3);
  clock_.step_wall_us(journal_.time_us + 5'000'000 - clock_.wall_us());
  EXPECT_GE(made->status().lag_us, 5'000'000);
  EXPECT_LT(made->status().lag_us, 5'001'000);
  EXPECT_EQ(made->status().k, 0);
  clean_.log().set_paused(false);
  clean_.log().flush(true);
  ASSERT_TRUE(run(*made).ok());
  EXPECT_EQ(accepted(*topic_), journal_.events);
}

TEST_F(LaneTest, KeepsTheBytesInFlightBoundedAndStillSendsALargeRecord) {
  record(6);
  settings_.in_flight_bytes_max = 1;
  hold_topic();
  const auto made = lane();
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(made->step().ok());
  EXPECT_EQ(produced_, 1);
}

TEST_F(LaneTest, IgnoresAndCountsWhatSomebodyElseWroteThere) {
  record(2);
  topic_->append(encode({"?", {}, "a stranger's"}));
  const auto made = lane();
  ASSERT_TRUE(run(*made).ok());
  EXPECT_EQ(made->status().foreign_records, 1);
  EXPECT_EQ(accepted(*topic_), journal_.events);
}

TEST_F(LaneTest, RefusesATopicOfAnotherMapping) {
  record(2);
  topic_->append(encode({"510101", {{"ce_k", "1"}, {"taizhangmapping", "2"}}, ""}));
  const auto refused = run_one();
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(is_final(refused));
  EXPECT_EQ(topic_->end(), 1);
}

TEST_F(LaneTest, RefusesATopicOfAnotherJournal) {
  EventJournal other;
  other.open("510101");
  other.record("510101", 3);
  Lane first(0, std::nullopt, other.log, clean_, clock_, settings_, {});
  ASSERT_TRUE(run(first).ok());
  record(6);
  const auto refused = run_one();
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_NE(refused.message().find("record 3 of partition 0"), std::string::npos) << refused;
  EXPECT_EQ(topic_->end(), 3);
}

TEST_F(LaneTest, SaysThatTheTopicIsAheadOfTheJournalAndGoesOnWhenItIsNotAnyMore) {
  record(4);
  ASSERT_TRUE(run_one().ok());
  const int64_t end = topic_->end();
  // A copy of the journal that was made earlier, and catches up.
  auto behind = std::make_shared<MemoryTopic>();
  for (int64_t i = 0; i < 5; ++i) behind->append(journal_.topic->at(i)->bytes);
  journal::MemoryLog log(behind);
  Lane second(0, std::nullopt, log, clean_, clock_, settings_, {});
  ASSERT_TRUE(run(second).ok());
  EXPECT_EQ(second.status().status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(second.status().phase, Phase::kReadingJournal);
  for (int64_t i = 5; i < journal_.topic->end(); ++i) behind->append(journal_.topic->at(i)->bytes);
  ASSERT_TRUE(run(second).ok());
  EXPECT_TRUE(second.status().status.ok());
  EXPECT_EQ(topic_->end(), end);
}

TEST_F(LaneTest, FillsATopicThatWasMadeAnew) {
  record(9);
  const auto made = lane();
  ASSERT_TRUE(run(*made).ok());
  const auto all = stored(*topic_);
  topic_->truncate(0);
  ASSERT_TRUE(run_one(made->checkpoint()).ok());
  EXPECT_EQ(stored(*topic_), all);
  // As long as before, with something else where the checkpoint points.
  topic_->truncate(0);
  for (const auto& record : all) topic_->append(encode({"?", {}, record.value}));
  ASSERT_TRUE(run_one(made->checkpoint()).ok());
  EXPECT_EQ(accepted(*topic_), journal_.events);
}

TEST_F(LaneTest, SendsAgainWhatATopicLostAtItsEnd) {
  record(9);
  const auto made = lane();
  ASSERT_TRUE(run(*made).ok());
  topic_->truncate(2);
  ASSERT_TRUE(run_one(made->checkpoint()).ok());
  EXPECT_EQ(accepted(*topic_), journal_.events);
}

TEST_F(LaneTest, GoesOnInATopicWhoseBeginningRetentionDropped) {
  record(6);
  ASSERT_TRUE(run_one().ok());
  const int64_t end = topic_->end();
  clean_.set_first(4);
  record(6);
  ASSERT_TRUE(run_one().ok());
  EXPECT_EQ(accepted(*topic_), journal_.events);
  EXPECT_EQ(topic_->end(), static_cast<int64_t>(journal_.events.size()));
  EXPECT_GT(topic_->end(), end);
}

TEST_F(LaneTest, PassesOffsetsWithoutARecordAtTheEnd) {
  record(6);
  ASSERT_TRUE(run_one().ok());
  const int64_t end = topic_->end();
  clean_.set_empty_offsets(2);
  record(2);
  ASSERT_TRUE(run_one().ok());
  EXPECT_GT(topic_->end(), end);
  EXPECT_EQ(topic_->end(), static_cast<int64_t>(journal_.events.size()));
}

TEST_F(LaneTest, BelievesNoCheckpointWhoseRecordItDoesNotSee) {
  record(6);
  const auto made = lane();
  ASSERT_TRUE(run(*made).ok());
  const int64_t end = topic_->end();
  topic_->truncate(end - 1);
  clean_.set_empty_offsets(1);
  const auto second = lane(made->checkpoint());
  EXPECT_EQ(run(*second).code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(topic_->end(), end - 1);
}

TEST_F(LaneTest, StopsAtAnEventItCannotMap) {
  record(2);
  journal_.commit_raw("510101", "assistance.v1.NobodyKnowsThis", "x");
  const auto stopped = run_one();
  EXPECT_EQ(stopped.code(), absl::StatusCode::kUnimplemented);
  EXPECT_TRUE(is_final(stopped));
  EXPECT_NE(stopped.message().find("510101/2"), std::string::npos) << stopped;
}

TEST_F(LaneTest, RefusesToGoOnWithAJournalThatWasRewound) {
  record(6);
  const auto made = lane();
  ASSERT_TRUE(run(*made).ok());
  journal_.topic->truncate(5);
  const auto refused = run_one(made->checkpoint());
  EXPECT_EQ(refused.code(), absl::StatusCode::kDataLoss);
  EXPECT_TRUE(is_final(refused));
}

TEST_F(LaneTest, ACheckpointOfAnotherFormatIsDropped) {
  record(6);
  const auto made = lane();
  ASSERT_TRUE(run(*made).ok());
  Checkpoint from = made->checkpoint();
  from.partition_row[0] = '\x7f';
  const auto second = lane(from);
  EXPECT_FALSE(run(*second).ok());
  ASSERT_TRUE(run(*second).ok());
  EXPECT_EQ(topic_->end(), static_cast<int64_t>(journal_.events.size()));
}

}  // namespace
}  // namespace taizhang::republish
