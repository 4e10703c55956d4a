// The journal in memory.
#include "platform/journal/memory/memory_log.h"

#include "absl/time/time.h"

namespace taizhang::journal {
namespace {

class MemoryCursor : public Cursor {
 public:
  MemoryCursor(std::shared_ptr<MemoryTopic> topic, int64_t offset)
      : topic_(std::move(topic)), offset_(offset) {}

  absl::StatusOr<std::optional<LogRecord>> next() override {
    if (offset_ < 0 || offset_ > topic_->end()) {
      return absl::DataLossError("offset " + std::to_string(offset_) +
                                 " is beyond the end of the journal");
    }
    current_ = topic_->at(offset_);
    if (!current_) return std::nullopt;
    return LogRecord{
        .offset = offset_++, .stored_time_us = current_->time_us, .bytes = current_->bytes};
  }

 private:
  std::shared_ptr<MemoryTopic> topic_;
  int64_t offset_;
  std::shared_ptr<const MemoryTopic::Stored> current_;
};

}  // namespace

int64_t MemoryTopic::append(std::string bytes) {
  const int64_t time_us = clock_ ? clock_->wall_us() : 0;
  const std::lock_guard lock(mutex_);
  records_.push_back(std::make_shared<const Stored>(Stored{std::move(bytes), time_us}));
  grown_.notify_all();
  return static_cast<int64_t>(records_.size()) - 1;
}

int64_t MemoryTopic::end() const {
  const std::lock_guard lock(mutex_);
  return static_cast<int64_t>(records_.size());
}

int64_t MemoryTopic::wait_beyond(int64_t offset, absl::Duration timeout) {
  std::unique_lock lock(mutex_);
  grown_.wait_for(lock, absl::ToChronoMicroseconds(timeout),
                  [&] { return static_cast<int64_t>(records_.size()) > offset; });
  return static_cast<int64_t>(records_.size());
}

std::shared_ptr<const MemoryTopic::Stored> MemoryTopic::at(int64_t offset) const {
  const std::lock_guard lock(mutex_);
  if (offset < 0 || offset >= static_cast<int64_t>(records_.size())) return nullptr;
  return records_[static_cast<size_t>(offset)];
}

void MemoryTopic::truncate(int64_t offset) {
  const std::lock_guard lock(mutex_);
  records_.resize(static_cast<size_t>(offset));
}

absl::Status MemoryLog::produce(std::string bytes, uint64_t tag) {
  const AppendFault fault = faults_ ? faults_(bytes) : AppendFault::kNone;
  if (fault == AppendFault::kRejected) return absl::UnavailableError("injected: rejected");
  if (fault == AppendFault::kNoRoom) return absl::ResourceExhaustedError("injected: no room");
  queue_.push_back({std::move(bytes), tag, fault});
  return absl::OkStatus();
}

void MemoryLog::flush(bool /*inline_ok*/) {
  while (!paused_ && !queue_.empty()) {
    Queued queued = std::move(queue_.front());
    queue_.pop_front();
    store(std::move(queued));
  }
}

void MemoryLog::store(Queued queued) {
  const absl::Status failed = absl::UnavailableError("injected: failed");
  switch (queued.fault) {
    case AppendFault::kFailedNotStored: sink_({queued.tag, failed}); return;
    case AppendFault::kHeld:
      held_.push_back(std::move(queued.bytes));
      sink_({queued.tag, failed});
      return;
    case AppendFault::kForeignBefore: topic_->append("a record of somebody else"); break;
    case AppendFault::kDuplicated: topic_->append(queued.bytes); break;
    default: break;
  }
  const int64_t offset = topic_->append(std::move(queued.bytes));
  if (queued.fault == AppendFault::kReportLost) return;
  if (queued.fault == AppendFault::kFailedStored) {
    sink_({queued.tag, failed});
  } else {
    sink_({queued.tag, queued.fault == AppendFault::kNoOffset ? -1 : offset});
  }
}

size_t MemoryLog::deliver_held() {
  const size_t count = held_.size();
  for (std::string& bytes : held_) topic_->append(std::move(bytes));
  held_.clear();
  return count;
}

std::unique_ptr<Cursor> MemoryLog::read(int64_t offset) {
  return std::make_unique<MemoryCursor>(topic_, offset);
}

}  // namespace taizhang::journal
