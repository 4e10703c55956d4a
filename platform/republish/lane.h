// Mirrors one partition of the journal into one partition of the clean topic.
//
// An attempt reads the clean topic by the consumer rule (accept k = last + 1, ignore everything
// else), which tells the k it reached, folds the journal up to that event and produces the ones
// after it, in order. Any failed append ends the attempt and the next one begins again the same
// way. It needs no fence: whatever two republishers, a late send or a repeat add are copies of
// records that stand there already or come in order, and the rule ignores copies.
//
// Why the k reached is right: the rule's state is a fold over the topic, so continuing it from a
// (offset, k) it went through gives what reading from the start gives. A checkpoint is such a pair,
// or lower: then copies are added, and no record can be left out. The largest k seen would not do:
// a failed send followed by one that went through leaves it above the k reached.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "platform/base/clock.h"
#include "platform/journal/fold.h"
#include "platform/journal/log.h"
#include "platform/projection/batch_reader.h"
#include "platform/republish/checkpoint.h"
#include "platform/republish/clean_topic.h"

namespace taizhang::republish {

struct LaneSettings {
  // Records produced and not confirmed.
  int64_t in_flight_records_max = 10'000;
  // Their bytes. One record may exceed it alone.
  int64_t in_flight_bytes_max = 16 << 20;
  // Of the journal read at once.
  int64_t batch_events_max = 1'000;
  int64_t batch_bytes_max = 4 << 20;
  // Records of the clean topic read in one step.
  int64_t clean_records_per_step = 10'000;
  // After so many fruitless waits in a row the clean topic counts as read: its last offsets can be
  // without a record (somebody's transaction). Too early a guess only adds copies.
  int64_t silent_reads_max = 50;
};

enum class Phase {
  kStarting,
  kReadingTopic,    // folds the clean topic
  kReadingJournal,  // folds the journal up to what the topic holds
  kRepublishing,
};

std::string_view name_of(Phase phase);

struct LaneStatus {
  uint32_t partition = 0;
  Phase phase = Phase::kStarting;
  // Every event up to this ordinal is known to stand in the clean topic.
  int64_t k = 0;
  // Ordinal of the last event read from the journal, the offset to read next, and its end.
  int64_t journal_k = 0;
  int64_t journal_offset = 0;
  int64_t journal_end = 0;
  // Microseconds since the oldest event read and not yet confirmed was recorded; 0: none waits.
  int64_t lag_us = 0;
  int64_t attempts = 0;
  // Read in the clean topic and no record of it: somebody else writes there.
  int64_t foreign_records = 0;
  // Why it does not go on. FAILED_PRECONDITION, DATA_LOSS, UNIMPLEMENTED: an operator must act.
  absl::Status status;
};

// Whether a status of step() is one that trying again does not change.
bool is_final(const absl::Status& status);

// step() on one thread; reports, wait() and status() on any.
class Lane {
 public:
  // `expected`: as Fold wants it; required for every partition but 0. All must outlive the lane.
  Lane(uint32_t partition, std::optional<journal::GenesisExpectation> expected,
       journal::Log& journal, CleanPartition& clean, Clock& clock, LaneSettings settings,
       Checkpoint checkpoint);
  ~Lane();

  enum class Step {
    kWorked,
    kWaitsForJournal,  // everything read is produced
    kWaitsForTopic,    // in flight is full, or the topic does not give what it says it holds
  };
  // A bounded amount of work. Error: the attempt is over, the next step begins another. Errors:
  // UNAVAILABLE: the topic. FAILED_PRECONDITION: the topic is of another mapping or another
  // journal. DATA_LOSS, INTERNAL, UNIMPLEMENTED: the journal, or an event this program cannot map.
  absl::StatusOr<Step> step();

  // Until half of what is in flight is reported, or the time is over.
  void wait(absl::Duration timeout);

  LaneStatus status() const;
  Checkpoint checkpoint() const;

 private:
  struct Pending {
    int64_t k = 0;
    int64_t recorded_time_us = 0;
    bool ends_batch = false;
    CleanRecord record;
  };
  struct InFlight {
    uint64_t tag = 0;
    int64_t k = 0;
    int64_t recorded_time_us = 0;
    int64_t bytes = 0;
    std::optional<Sha256Digest> digest;  // of the last record of a batch
  };
  // The fold's rows after a batch of the journal: they count once all its events are confirmed.
  struct BatchEnd {
    int64_t last_k = 0;
    std::string partition_row;
    std::vector<std::pair<std::string, std::string>> ledger_rows;
  };

  absl::Status begin();
  absl::StatusOr<Step> read_topic();
  absl::StatusOr<Step> republish();
  absl::StatusOr<bool> read_journal();
  absl::StatusOr<Step> produce_pending();
  absl::StatusOr<Step> guarded(absl::StatusOr<Step> result);
  absl::Status take(CleanRecord& record);
  void drop_checkpoint(std::string_view why);
  absl::Status check_reached(const CleanRecord& mapped) const;
  void settle_topic();
  void on_report(const journal::AppendReport& report);
  void confirm_batches();

  const uint32_t partition_;
  const std::optional<journal::GenesisExpectation> expected_;
  journal::Log& journal_;
  CleanPartition& clean_;
  Clock& clock_;
  const LaneSettings settings_;

  // Of the stepping thread.
  std::unique_ptr<CleanCursor> topic_cursor_;
  CleanPartition::Extent extent_;
  int64_t silent_reads_ = 0;
  int64_t topic_offset_ = 0;        // next to read
  bool verify_checkpoint_ = false;  // the next record read must be the one of the checkpoint
  int64_t reached_ = 0;             // by the consumer rule
  int64_t reached_offset_ = 0;      // after the accepted copy of it
  std::optional<CleanRecord> reached_record_;   // as read, or
  std::optional<Sha256Digest> reached_digest_;  // once the topic is read
  std::unique_ptr<projection::BatchReader> reader_;
  std::deque<Pending> pending_;
  uint64_t next_tag_ = 0;

  mutable std::mutex mutex_;
  std::condition_variable reported_;
  Checkpoint checkpoint_;
  LaneStatus status_;
  std::deque<InFlight> in_flight_;
  int64_t in_flight_bytes_ = 0;
  std::deque<BatchEnd> batch_ends_;
  std::optional<int64_t> oldest_pending_us_;
  absl::Status failure_;  // of an append of this attempt
};

}  // namespace taizhang::republish
