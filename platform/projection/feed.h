// Reads the tail of one partition once for all views, in batches that they share.
//
// The feed runs where the fastest view is; a view that fell behind what is kept reads on its own up
// to meeting_point() and joins again. Thread-safe.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "platform/base/clock.h"
#include "platform/journal/log.h"
#include "platform/projection/batch_reader.h"
#include "platform/projection/journal_identity.h"
#include "platform/projection/signal.h"

namespace taizhang::projection {

struct FeedSettings {
  BatchLimits batch;
  int64_t kept_bytes_max = 0;   // of batches kept for views behind the fastest
  int64_t ahead_bytes_max = 0;  // of batches beyond the fastest
  int64_t gather_us = 0;        // live: between two batches
};

class Feed {
 public:
  // Begins where `fold` stands, or with the partition's first record. All references must outlive
  // it; `grown` is raised whenever a look at next() may be worth while.
  Feed(journal::Log& log, int partition, std::optional<journal::Fold> fold, Wanted wanted,
       FeedSettings settings, Clock& clock, JournalIdentity& identity, Signal& grown);
  ~Feed();

  void start();
  void stop();

  // Cheap: whether next() has more to say than nothing.
  bool has_news(int64_t offset) const { return end_ > offset || failed_; }

  struct Step {
    std::shared_ptr<const Batch> batch;  // starts at the offset asked; null: none so far
    int64_t meeting_point =
        0;                // above the offset asked: not kept any more, read on your own up to here
    absl::Status status;  // not OK: there will never be more
  };
  // The batch at `offset`; does not wait.
  Step next(int64_t offset) const;
  // Somebody has folded everything before `offset`.
  void folded(int64_t offset);

  struct KnownLedger {
    int64_t seq = 0;
    int64_t recorded_time_us = 0;
  };
  std::optional<KnownLedger> known(std::string_view ledger) const;
  // Every ledger that was met here. `visit` must not call back.
  void each_known(const std::function<void(const std::string&, const KnownLedger&)>& visit) const;
  // Recorded time of the first commit at or after `offset`; 0: none, or not kept.
  int64_t first_time_from(int64_t offset) const;

  // What the partition's fold says.
  struct State {
    int64_t position = 0;  // next offset
    int64_t void_records = 0;
    int64_t foreign_records = 0;
    uint64_t epoch = 0;
    std::string owner_address;  // empty: nobody holds the claim
  };
  State state() const;

 private:
  static State state_of(const journal::Fold& fold);
  // Of the feed's thread.
  void run();
  bool make_reader();
  bool wait_for_room();
  void publish(std::shared_ptr<const Batch> batch);
  void tell_of_foreign(int64_t now_us);
  void fail(absl::Status why);

  bool stopping() const;

  journal::Log& log_;
  const int partition_;
  const Wanted wanted_;
  const FeedSettings settings_;
  Clock& clock_;
  JournalIdentity& identity_;
  Signal& grown_;
  std::unique_ptr<BatchReader> reader_;  // of the feed's thread; null: the journal is not known yet
  int64_t foreign_told_ = 0;             // of the feed's thread
  int64_t foreign_told_us_ = 0;

  mutable std::mutex mutex_;
  std::condition_variable passed_;  // the feed waits here
  std::deque<std::shared_ptr<const Batch>> batches_;
  int64_t kept_bytes_ = 0;
  std::atomic<int64_t> end_{0};  // offset after the last batch
  int64_t fastest_ = 0;          // some view has folded everything before it
  std::map<std::string, KnownLedger, std::less<>> known_;
  State state_;
  absl::Status status_;
  std::atomic<bool> failed_{false};
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace taizhang::projection
