// The journal in memory: a topic that several handles write to and read, with injectable faults.
// For tests.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "platform/base/clock.h"
#include "platform/journal/log.h"

namespace taizhang::journal {

// What is stored. Thread-safe.
class MemoryTopic {
 public:
  explicit MemoryTopic(Clock* clock = nullptr) : clock_(clock) {}
  int64_t append(std::string bytes);
  int64_t end() const;
  int64_t wait_beyond(int64_t offset, absl::Duration timeout);
  struct Stored {
    std::string bytes;
    int64_t time_us = 0;
  };
  // Nothing at or beyond the end.
  std::shared_ptr<const Stored> at(int64_t offset) const;
  // Drops everything from `offset` on, as a rewound topic does.
  void truncate(int64_t offset);

 private:
  Clock* clock_;
  mutable std::mutex mutex_;
  std::condition_variable grown_;
  std::vector<std::shared_ptr<const Stored>> records_;
};

enum class AppendFault {
  kNone,
  kRejected,         // produce() fails with UNAVAILABLE, nothing is stored
  kNoRoom,           // produce() fails with RESOURCE_EXHAUSTED, nothing is stored
  kFailedStored,     // stored, and reported as failed
  kFailedNotStored,  // not stored, and reported as failed
  kReportLost,       // stored, never reported
  kNoOffset,         // stored, reported with offset -1
  kDuplicated,       // stored twice, reported with the second offset
  kForeignBefore,    // another writer's record slips in before it
  kHeld,  // reported as failed; stored when deliver_held() is called: a zombie's late send
};

// One writer's handle. produce() and flush() as the port says; reports come from inside flush().
class MemoryLog : public Log {
 public:
  explicit MemoryLog(std::shared_ptr<MemoryTopic> topic, bool exclusive = false)
      : topic_(std::move(topic)), exclusive_(exclusive) {}

  absl::Status produce(std::string bytes, uint64_t tag) override;
  void flush(bool inline_ok) override;
  void set_report_sink(ReportSink sink) override { sink_ = std::move(sink); }
  std::unique_ptr<Cursor> read(int64_t offset) override;
  int64_t end() const override { return topic_->end(); }
  int64_t wait_beyond(int64_t offset, absl::Duration timeout) override {
    return topic_->wait_beyond(offset, timeout);
  }
  bool exclusive() const override { return exclusive_; }

  // Asked at every produce(). Default: no fault.
  void set_faults(std::function<AppendFault(std::string_view record)> faults) {
    faults_ = std::move(faults);
  }
  // True: flush() does nothing, until it is set back and flush() called again.
  void set_paused(bool paused) { paused_ = paused; }
  size_t deliver_held();

 private:
  struct Queued {
    std::string bytes;
    uint64_t tag = 0;
    AppendFault fault = AppendFault::kNone;
  };
  void store(Queued queued);

  std::shared_ptr<MemoryTopic> topic_;
  bool exclusive_;
  bool paused_ = false;
  ReportSink sink_ = [](AppendReport) {};
  std::function<AppendFault(std::string_view)> faults_;
  std::deque<Queued> queue_;
  std::vector<std::string> held_;
};

}  // namespace taizhang::journal
