// A reading thread with a short queue.
#include "platform/projection/read_ahead.h"

namespace taizhang::projection {
namespace {

constexpr size_t kBatchesAheadMax = 2;

}  // namespace

ReadAhead::ReadAhead(BatchReader& reader, int64_t end_offset)
    : reader_(reader), thread_([this, end_offset] { run(end_offset); }) {}

ReadAhead::~ReadAhead() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void ReadAhead::run(int64_t end_offset) {
  for (;;) {
    auto batch = reader_.read(end_offset);
    const bool last = !batch.ok() || !*batch;
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return stopping_ || ready_.size() < kBatchesAheadMax; });
    if (stopping_) return;
    ready_.push_back(std::move(batch));
    changed_.notify_all();
    if (last) return;
  }
}

absl::StatusOr<std::shared_ptr<const Batch>> ReadAhead::next() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return !ready_.empty(); });
  auto batch = std::move(ready_.front());
  // The last one stays: whoever asks again hears the same.
  const bool last = !batch.ok() || !*batch;
  if (last) {
    ready_.front() = batch;
  } else {
    ready_.pop_front();
    changed_.notify_all();
  }
  return batch;
}

}  // namespace taizhang::projection
