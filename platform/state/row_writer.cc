// Batches of rows, written in the background.
#include "platform/state/row_writer.h"

#include <algorithm>

#include "platform/base/log.h"
#include "platform/state/wire.h"

namespace taizhang {

RowWriter::RowWriter(RowStore& store, DigestSum digest, int64_t sync_us)
    : store_(store), sync_interval_(sync_us), digest_(digest) {
  thread_ = std::thread([this] { loop(); });
}

RowWriter::~RowWriter() {
  {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return phase_ != Phase::kStarted; });
    phase_ = Phase::kStopping;
  }
  changed_.notify_all();
  thread_.join();
}

void RowWriter::start(Batch batch) {
  {
    const std::lock_guard lock(mutex_);
    if (phase_ != Phase::kIdle) broken_invariant("two batches of rows at a time");
    batch_ = std::move(batch);
    phase_ = Phase::kStarted;
  }
  changed_.notify_all();
}

bool RowWriter::finished() const {
  const std::lock_guard lock(mutex_);
  return phase_ == Phase::kDone;
}

absl::Status RowWriter::take_result() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return phase_ != Phase::kStarted; });
  if (phase_ == Phase::kIdle) return absl::OkStatus();
  phase_ = Phase::kIdle;
  return std::move(result_);
}

DigestSum RowWriter::digest() const {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return phase_ != Phase::kStarted; });
  return digest_;
}

void RowWriter::loop() {
  std::unique_lock lock(mutex_);
  while (true) {
    const auto due = [this] {
      return sync_at_ && std::chrono::steady_clock::now() >= *sync_at_;
    };
    const auto work = [this] { return phase_ == Phase::kStarted || phase_ == Phase::kStopping; };
    if (sync_at_) {
      changed_.wait_until(lock, *sync_at_, work);
    } else {
      changed_.wait(lock, work);
    }
    if (phase_ == Phase::kStopping) return;
    if (due()) {
      // A journal that was cut is found by comparing it with what a process had read before: a
      // power cut must not take more of that than this.
      sync_at_.reset();
      lock.unlock();
      if (const auto synced = store_.sync(); !synced.ok())
        log(LogLevel::kWarning, "state_sync_failed", {{"why", std::string(synced.message())}});
      lock.lock();
    }
    if (phase_ != Phase::kStarted) continue;
    // Nobody else touches batch and digest while the phase is kStarted.
    lock.unlock();
    absl::Status written = write(batch_);
    batch_ = Batch();
    if (!sync_at_) sync_at_ = std::chrono::steady_clock::now() + sync_interval_;
    lock.lock();
    result_ = std::move(written);
    phase_ = Phase::kDone;
    changed_.notify_all();
  }
}

absl::Status RowWriter::write(Batch& batch) {
  // Neighbours one after another: the store's sorted memory finds their place faster.
  std::sort(batch.rows.begin(), batch.rows.end(),
            [](const Row& a, const Row& b) { return a.key < b.key; });
  RowBatch writes;
  std::string bytes;
  for (const Row& row : batch.rows) {
    digest_.subtract(*row.counted);
    if (row.row) {
      serialise_deterministic(*row.row, bytes);
      *row.counted = row_hash(row.key, bytes);
      writes.put(row.key, bytes);
    } else {
      *row.counted = RowHash{};
      writes.erase(row.key);
    }
    digest_.add(*row.counted);
  }
  for (const auto& [key, value] : batch.others) writes.put(key, value);
  const auto digest = digest_.bytes();
  writes.put(batch.digest_key, {reinterpret_cast<const char*>(digest.data()), digest.size()});
  return store_.write(writes);
}

}  // namespace taizhang
