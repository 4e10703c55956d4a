// The newest records of one partition in memory, and where it ends: what all readers of a process
// that are up to date share.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "platform/journal/kafka/block.h"

namespace taizhang::journal::kafka {

// Thread-safe.
class Tail {
 public:
  // Older blocks go when more than `bytes_max` are kept; the newest always stays.
  explicit Tail(int64_t bytes_max) : bytes_max_(bytes_max) {}

  // Where the follower begins: nothing below will be pushed.
  void begin_at(int64_t offset);
  // The next records the follower read; begins where the last ended.
  void push(BlockPtr block);
  // The log is known to reach up to here.
  void advance(int64_t end);
  // There is no record in [from, until), and the log ends there: markers of somebody's transaction
  // took the offsets. end() is behind the last record again.
  void mark_empty(int64_t from, int64_t until);
  // What was read is not what the log holds any more. Final; the first reason stays.
  void fail(const absl::Status& damage);

  // Nothing will be pushed any more: every wait ends, now and later.
  void close();

  // Behind the last record, as far as is known.
  int64_t end() const { return end_.load(std::memory_order_acquire); }
  // The follower reads on from here.
  int64_t next() const { return next_.load(std::memory_order_acquire); }
  absl::Status damage() const;
  // Holds the record at `offset`, or the next after it; null: it is not here (any more, or yet).
  BlockPtr find(int64_t offset) const;
  // The newest record there is; null: none was read yet.
  BlockPtr newest() const;

  // Until the log reaches beyond `offset`, it failed, was closed, or the time is over.
  int64_t wait_beyond(int64_t offset, absl::Duration timeout);
  // Until the follower has read beyond `offset`, or as above. False: it has not.
  bool wait_read(int64_t offset, absl::Duration timeout);

 private:
  void advance_locked(int64_t end);

  const int64_t bytes_max_;
  std::atomic<int64_t> end_{0};
  std::atomic<int64_t> next_{0};
  std::atomic<bool> failed_{false};
  mutable std::mutex mutex_;
  std::condition_variable grown_;
  std::deque<BlockPtr> blocks_;
  int64_t bytes_ = 0;
  int64_t empty_until_ = 0;
  bool closed_ = false;
  absl::Status damage_;
};

}  // namespace taizhang::journal::kafka
