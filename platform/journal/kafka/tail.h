// The newest records of one partition in memory, and where it ends: what all readers of a process
// that are up to date share.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "platform/journal/kafka/block.h"

namespace taizhang::journal::kafka {

// How a record was sent and reported: by which producer, over which of its connections.
struct Route {
  uint64_t producer = 0;
  uint64_t connections = 0;  // Client::connections(), the same before sending and after the report
  bool operator==(const Route&) const = default;
};

// The follower brings what was read of the log. Own records need not be read again: they come from
// their reports, if nothing foreign lies before them, and if an own record that took the same route
// was read where it was reported; so a route to another log (rewound, recreated) brings nothing.
//
// Thread-safe.
class Tail {
 public:
  // Older blocks go when more than `bytes_max` are kept; the newest always stays.
  explicit Tail(int64_t bytes_max) : bytes_max_(bytes_max) {}

  // Where the follower begins: nothing below will be pushed.
  void begin_at(int64_t offset);
  // The next records the follower read; begins where the last ended, or before.
  void push(BlockPtr block);
  // Own records as they were reported, neighbours, ascending.
  void feed(std::vector<OwnRecord> records, const Route& route);
  // Own records that need not be read, so far.
  uint64_t fed() const { return fed_.load(std::memory_order_acquire); }
  // Called when an own record lies beyond next(), so that the follower is needed. Must not call
  // back into the tail.
  void on_gap(std::function<void()> wake);
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
  BlockPtr find_locked(int64_t offset) const;
  void push_locked(BlockPtr block);
  void advance_locked(int64_t end);
  void judge_probe_locked();

  const int64_t bytes_max_;
  std::atomic<int64_t> end_{0};
  std::atomic<int64_t> next_{0};
  std::atomic<bool> failed_{false};
  std::atomic<uint64_t> fed_{0};
  mutable std::mutex mutex_;
  std::condition_variable grown_;
  std::deque<BlockPtr> blocks_;
  int64_t bytes_ = 0;
  int64_t empty_until_ = 0;
  // The route over which the log is known to be this one, and an own record that may make another
  // one known.
  struct Probe {
    Route route;
    OwnRecord record;
  };
  std::optional<Route> trusted_;
  std::optional<Probe> probe_;
  std::function<void()> wake_ = [] {};
  bool closed_ = false;
  absl::Status damage_;
};

}  // namespace taizhang::journal::kafka
