// Reads the journal's tail once for all views, in batches that they share.
//
// The feed runs where the fastest view is; a view that fell behind what is kept reads on its own up
// to meeting_point() and joins again. Thread-safe.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "platform/base/clock.h"
#include "platform/journal/log.h"
#include "platform/projection/batch_reader.h"

namespace taizhang::projection {

struct FeedSettings {
  int64_t kept_bytes_max = 0;   // of batches kept for views behind the fastest
  int64_t ahead_bytes_max = 0;  // of batches beyond the fastest
  int64_t gather_us = 0;        // live: between two batches
};

class Feed {
 public:
  // `log` and `clock` must outlive it. Known ledgers begin with those of the reader's fold.
  Feed(journal::Log& log, Clock& clock, std::unique_ptr<BatchReader> reader, FeedSettings settings);
  ~Feed();

  void start();
  void stop();

  struct Step {
    std::shared_ptr<const Batch> batch;  // starts at the offset asked; null: none so far
    int64_t meeting_point =
        0;                // above the offset asked: not kept any more, read on your own up to here
    absl::Status status;  // not OK: there will never be more
  };
  // Waits for the batch at `offset`, at most `timeout`. Whatever lies before `offset` counts as
  // folded by somebody.
  Step next(int64_t offset, absl::Duration timeout);
  // Ends every waiting next().
  void wake();

  struct KnownLedger {
    int64_t seq = 0;
    int64_t recorded_time_us = 0;
  };
  std::optional<KnownLedger> known(std::string_view ledger) const;
  // Events in batches at or after `offset`, as far as they are kept.
  int64_t events_from(int64_t offset) const;
  // Recorded time of the first commit at or after `offset`; 0: none, or not kept.
  int64_t first_time_from(int64_t offset) const;

 private:
  void run();
  bool wait_for_room(std::unique_lock<std::mutex>& lock);
  void publish(std::shared_ptr<const Batch> batch);

  journal::Log& log_;
  Clock& clock_;
  const FeedSettings settings_;
  std::unique_ptr<BatchReader> reader_;  // of the feed's thread

  mutable std::mutex mutex_;
  std::condition_variable grown_;   // views wait here
  std::condition_variable passed_;  // the feed waits here
  std::deque<std::shared_ptr<const Batch>> batches_;
  int64_t kept_bytes_ = 0;
  int64_t end_ = 0;      // offset after the last batch
  int64_t fastest_ = 0;  // some view has folded everything before it
  std::map<std::string, KnownLedger, std::less<>> known_;
  absl::Status status_;
  uint64_t wakes_ = 0;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace taizhang::projection
