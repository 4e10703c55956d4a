// A writing thread.
#include "platform/projection/bulk_writer.h"

#include <utility>

namespace taizhang::projection {

BulkWriter::BulkWriter(std::shared_ptr<Store> store)
    : store_(std::move(store)), thread_([this] { run(); }) {}

BulkWriter::~BulkWriter() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void BulkWriter::start(std::vector<const Puts*> puts) {
  {
    const std::lock_guard lock(mutex_);
    puts_ = std::move(puts);
    busy_ = true;
  }
  changed_.notify_all();
}

absl::Status BulkWriter::wait() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return !busy_; });
  if (status_.ok()) return status_;
  // The next wait() hears what becomes of another try.
  absl::Status failed = std::exchange(status_, absl::OkStatus());
  if (failed.code() != absl::StatusCode::kResourceExhausted) {
    status_ = failed;
    return failed;
  }
  busy_ = true;
  changed_.notify_all();
  return failed;
}

bool BulkWriter::idle() const {
  const std::lock_guard lock(mutex_);
  return !busy_;
}

void BulkWriter::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return busy_ || stopping_; });
    if (!busy_) return;
    lock.unlock();
    auto written = store_->ingest(sorted(puts_));
    lock.lock();
    status_ = std::move(written);
    busy_ = false;
    changed_.notify_all();
  }
}

}  // namespace taizhang::projection
