// The writer of one partition: claims it, numbers and chains what it appends, and says when an
// append is confirmed (design §3.2) and which recorded time the next one gets (§3.3).
//
// Single-threaded: every call comes from the one deciding loop. The engine's reports arrive on any
// thread, are queued inside and handled by poll(). Listener calls happen only inside follow(),
// claim(), abandon(), release() and poll().
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "platform/base/clock.h"
#include "platform/journal/fold.h"
#include "platform/journal/log.h"
#include "platform/journal/record.h"

namespace taizhang::journal {

struct OwnerSettings {
  // An empty log gets its Genesis from us; otherwise claiming one is FAILED_PRECONDITION.
  bool create = false;
  uint32_t partition_count = 1;  // of that Genesis
  // Written into the claim; raised by an operator only.
  uint32_t rule_version = kRuleVersion;
  // host:port where this process answers; empty on an embedded journal.
  std::string address;

  size_t in_flight_records_max = 16'384;
  size_t in_flight_bytes_max = 64 << 20;

  // How long claim() waits to read its own claim.
  int64_t claim_us_max = 30'000'000;
  // Called about every 50 ms while claim() waits; false: it gives up (CANCELLED).
  std::function<bool()> keep_waiting;
  // Called with the owner id of a claim just before it is produced.
  std::function<void(const Id128&)> on_attempt;
  // An append without a report for that long ends the epoch.
  int64_t stall_us_max = 30'000'000;

  // The clock against the boot-time clock since the claim, and against the time the engine stored
  // the claim at.
  int64_t clock_step_us_max = 5'000'000;
  // The clock behind the last recorded time at the start of an exclusive journal.
  int64_t clock_behind_us_max = 5'000'000;
  // The clock ahead of the last recorded time. A journal at rest is also "behind the clock", hence
  // weeks, not hours.
  int64_t clock_ahead_us_max = int64_t{30} * 86'400 * 1'000'000;
  // The operator's word that the clock is right although it is behind, or far ahead.
  bool clock_behind_confirmed = false;
  bool clock_ahead_confirmed = false;
};

// What the deciding loop hears. Must not call back into the Owner, except for getters.
class OwnerListener {
 public:
  virtual ~OwnerListener() = default;
  // A valid record that on_confirmed() did not tell of: the tail read while claiming (also own ones
  // of an epoch that ended), Genesis, claims. In log order, each once. An error stops the claim.
  virtual absl::Status on_record(const Folded& record) = 0;
  // Append `n` of this epoch is in the log for ever. Ascending, each once. fold() stands after it.
  virtual void on_confirmed(uint64_t n, int64_t offset) = 0;
  // Nothing later of this epoch will be confirmed here; what was not confirmed is in doubt until
  // claim() has read the log. DATA_LOSS: the log was rewound or replaced, another claim() will not
  // help.
  virtual void on_epoch_ended(const absl::Status& why) = 0;
};

class Owner {
 public:
  // `fold` stands where the caller's state stands (fresh, or restored from a derived store).
  // `waker` is called from any thread when poll() has something to do. All references must outlive
  // the Owner.
  Owner(Log& log, Clock& clock, Random& random, OwnerListener& listener, Fold fold,
        OwnerSettings settings, std::function<void()> waker);
  ~Owner();
  Owner(const Owner&) = delete;
  Owner& operator=(const Owner&) = delete;

  // Whether the log still holds what was folded, as Fold::check_resume(). Asked once: follow() and
  // claim() begin with it where nobody did.
  absl::Status resume();

  // While nothing is held: folds what the log holds, at most `records_max` records, so that a later
  // claim has little left to read. True: the end was reached. Errors: stop the partition.
  absl::StatusOr<bool> follow(size_t records_max);

  // Folds the log to its end, writes Genesis when the log is empty and the settings say so, claims,
  // and reads until the own claim is valid. After an epoch ended the caller has discarded what it
  // decided and was not confirmed. `only_after`: claims only where that owner (all zero: nobody)
  // is the last one. ABORTED: another process claimed first; try again later. FAILED_PRECONDITION:
  // the clock, or an empty log. DEADLINE_EXCEEDED, CANCELLED: the claim was not seen in time; a
  // later claim() serves from it if it appears. Other codes: stop the partition.
  absl::Status claim(std::optional<Id128> only_after = std::nullopt);

  // An own claim whose wait ran out has become valid: claim() serves from it at once, and until
  // then nobody serves.
  bool abandoned_claim_is_current() const { return phase_ == Phase::kIdle && claim_is_current(); }
  // As far as the log was read, the partition is another process's.
  bool held_by_another() const {
    return fold_.has_owner() && fold_.owner() != owner_ && !claim_is_current();
  }
  // The claim that is served from, or that has been produced and not been judged yet; epoch 0: none.
  std::pair<uint64_t, Id128> claimed() const;
  // The one served from last; all zero: none.
  const Id128& own_last() const { return served_; }

  bool serving() const { return phase_ == Phase::kServing; }

  // OK: append() has room for a record of any size. RESOURCE_EXHAUSTED: too much in flight, or no
  // disk space; nothing should be decided now.
  absl::Status room() const;

  // Numbers, chains and produces; returns n. The record is decided on fold state `speculative()`,
  // which moves past it. RESOURCE_EXHAUSTED: no room, nothing was written, the epoch goes on.
  // UNAVAILABLE: not serving. INVALID_ARGUMENT: larger than kRecordBytesMax. INTERNAL: it does not
  // fit the state; nothing was written. Any other failure ends the epoch (heard in the next
  // poll()). Durable only after flush() and on_confirmed().
  absl::StatusOr<uint64_t> append(Draft draft);
  absl::StatusOr<uint64_t> append(Kind kind, std::string_view body);

  // See Log::flush().
  void flush(bool inline_ok) { log_.flush(inline_ok); }

  // Handles the engine's reports and the clocks. Returns how many appends it confirmed.
  size_t poll();

  // Ends the epoch without a record: the caller will not serve any more, whoever comes claims over
  // it.
  void abandon(absl::Status why) { end_epoch(std::move(why)); }

  // Gives the claim up after everything in flight is confirmed, waiting at most `timeout`.
  absl::Status release(absl::Duration timeout);

  uint64_t last_appended_n() const { return speculative_ ? speculative_->n() : 0; }
  uint64_t last_confirmed_n() const { return confirmed_n_; }
  size_t in_flight_records() const { return pending_.size(); }
  size_t in_flight_bytes() const { return in_flight_bytes_; }

  // Recorded time for the next record of `ledger` (empty: of none): strictly above everything
  // recorded here.
  int64_t next_recorded_time_us(std::string_view ledger) const;
  // The clock that is read once at claim and advanced by the boot-time clock.
  int64_t now_us() const;

  // State after everything confirmed / after everything appended.
  const Fold& fold() const { return fold_; }
  const Fold& speculative() const { return *speculative_; }

  // Of fold(): the ledgers whose rows a derived store has to write again.
  std::vector<std::string> take_touched_ledgers() { return fold_.take_touched_ledgers(); }

  // A refusal needs a confirmed append of its own epoch, produced after the call arrived (design
  // §3.2 (b)).
  bool refusal_needs_append() const { return !log_.exclusive(); }

 private:
  enum class Phase { kIdle, kServing, kEnded, kStopped };
  struct Pending {
    uint64_t tag = 0;
    RecordHeader header;
    Effect effect;
    Sha256Digest hash{};
    Sha256Digest head{};
    size_t bytes = 0;
    int64_t produced_boot_us = 0;
  };
  struct Inbox;

  // An own claim that the fold made current.
  struct SeenClaim {
    Id128 owner{};
    int64_t stored_time_us = 0;
  };

  absl::Status leave_epoch();
  absl::StatusOr<bool> fold_available(size_t records_max = SIZE_MAX);
  absl::StatusOr<bool> fold_record(const LogRecord& record);
  absl::Status write_genesis();
  absl::Status check_clock_before_claim() const;
  absl::StatusOr<uint64_t> produce_claim(const Id128& attempt);
  absl::Status await(uint64_t tag, const std::function<bool()>& done);
  absl::Status serve();
  bool claim_is_current() const { return claim_seen_ && fold_.owner() == claim_seen_->owner; }
  bool epoch_is_current() const { return fold_.epoch() == epoch_ && fold_.owner() == owner_; }
  absl::StatusOr<uint64_t> produce(Draft draft);
  void handle(const AppendReport& report);
  void confirm_front(int64_t offset);
  absl::Status fold_up_to(int64_t offset);
  void end_epoch(absl::Status why);
  void stop(absl::Status why);
  void check_clock_and_stall();

  Log& log_;
  Clock& clock_;
  Random& random_;
  OwnerListener& listener_;
  OwnerSettings settings_;
  std::shared_ptr<Inbox> inbox_;

  Phase phase_ = Phase::kIdle;
  absl::Status ended_;        // why, once the phase is kEnded or kStopped
  bool end_to_tell_ = false;  // append() ended the epoch; poll() will say so
  bool resumed_ = false;
  Fold fold_;
  std::unique_ptr<Cursor> cursor_;  // at fold_.offset(), while claiming
  std::optional<Fold> speculative_;
  std::vector<Id128> attempts_;  // own claims whose fate is not known
  std::optional<SeenClaim> claim_seen_;
  uint64_t epoch_ = 0;  // ours, while serving
  Id128 owner_{};
  Id128 served_{};  // see own_last(); not of a claim that was given back at once
  std::deque<Pending> pending_;
  size_t in_flight_bytes_ = 0;
  size_t confirmed_in_poll_ = 0;
  uint64_t confirmed_n_ = 0;
  uint64_t next_tag_ = 1;
  int64_t wall_at_claim_us_ = 0;
  int64_t boot_at_claim_us_ = 0;
};

}  // namespace taizhang::journal
