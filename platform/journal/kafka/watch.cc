// Comparing what was read with what the topic holds.
#include "platform/journal/kafka/watch.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

#include "absl/time/clock.h"
#include "platform/base/log.h"

namespace taizhang::journal::kafka {
namespace {

// How long a question may take, and with it the end of the thread.
constexpr int kAskMs = 2'000;
// How soon an unanswered question is asked again.
constexpr std::chrono::milliseconds kRetry{500};
// How long a record that must be there may take to be read.
constexpr absl::Duration kReadWait = absl::Seconds(2);
constexpr absl::Duration kReadSlice = absl::Milliseconds(200);

}  // namespace

Watch::Watch(const KafkaSettings& settings, std::shared_ptr<Client> admin,
             FetcherPool& point_readers, std::vector<Tail*> tails)
    : settings_(settings),
      admin_(std::move(admin)),
      point_readers_(point_readers),
      tails_(std::move(tails)),
      anchors_(tails_.size()),
      thread_([this] { run(); }) {}

Watch::~Watch() { stop(); }

void Watch::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Watch::suspect(bool lost) {
  {
    const std::lock_guard lock(mutex_);
    suspected_ = true;
  }
  if (lost) reachable_.store(false, std::memory_order_relaxed);
  changed_.notify_all();
}

void Watch::run() {
  std::chrono::milliseconds wait(settings_.verify_interval_ms);
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait_for(lock, wait, [this] { return stopping_ || suspected_; });
    if (stopping_) return;
    suspected_ = false;
    lock.unlock();
    const bool answered = !absl::IsUnavailable(verify());
    lock.lock();
    if (answered && !suspected_) reachable_.store(true, std::memory_order_relaxed);
    if (!answered) {
      reachable_.store(false, std::memory_order_relaxed);
      // Not woken by suspicions meanwhile: an unreachable broker would raise one after the other.
      changed_.wait_for(lock, kRetry, [this] { return stopping_; });
      suspected_ = true;
    }
  }
}

absl::Status Watch::verify() {
  const std::lock_guard verifying(verify_mutex_);
  // Before the question: what is known now can only be less than what is answered later.
  std::vector<int64_t> known_ends;
  for (const Tail* tail : tails_) known_ends.push_back(tail->end());
  const absl::StatusOr<std::vector<Bounds>> bounds = admin_->bounds_of(
      settings_.topic, static_cast<int>(tails_.size()), std::min(settings_.request_ms_max, kAskMs));
  if (!bounds.ok()) return absl::UnavailableError(std::string(bounds.status().message()));
  absl::Status result;
  for (size_t i = 0; i < tails_.size(); ++i) {
    absl::Status status = tails_[i]->damage();
    if (status.ok()) {
      status = verify_partition(static_cast<int32_t>(i), (*bounds)[i], known_ends[i]);
    }
    if (absl::IsDataLoss(status) || result.ok()) result = std::move(status);
  }
  return result;
}

absl::Status Watch::verify_partition(int32_t partition, const Bounds& bounds, int64_t known_end) {
  if (bounds.begin > 0) {
    return told(partition,
                absl::DataLossError("it begins at offset " + std::to_string(bounds.begin) +
                                    ": its first records were deleted"));
  }
  if (bounds.end < known_end) {
    return told(partition, absl::DataLossError("it ends at offset " + std::to_string(bounds.end) +
                                               " and reached to " + std::to_string(known_end) +
                                               ": it was rewound, recreated or truncated"));
  }
  Seen& anchor = anchors_[static_cast<size_t>(partition)];
  if (anchor.offset >= 0) {
    const absl::Status status = told(partition, compare(partition, anchor.offset, anchor.bytes));
    if (!status.ok()) return status;
  }
  Tail& tail = *tails_[static_cast<size_t>(partition)];
  if (const BlockPtr newest = tail.newest()) {
    const LogRecord seen = newest->record(newest->size() - 1);
    if (seen.offset != anchor.offset) {
      const absl::Status status = told(partition, compare(partition, seen.offset, seen.bytes));
      if (!status.ok()) return status;
      anchor = {seen.offset, std::string(seen.bytes)};
    }
  }
  tail.advance(bounds.end);
  return absl::OkStatus();
}

absl::Status Watch::verify_newest(int32_t partition) {
  const Tail& tail = *tails_[static_cast<size_t>(partition)];
  if (absl::Status damage = tail.damage(); !damage.ok()) return damage;
  const BlockPtr newest = tail.newest();
  if (!newest) return absl::OkStatus();
  const LogRecord seen = newest->record(newest->size() - 1);
  return told(partition, compare(partition, seen.offset, seen.bytes));
}

absl::Status Watch::compare(int32_t partition, int64_t offset, std::string_view bytes) {
  absl::StatusOr<std::unique_ptr<Fetcher>> fetcher = point_readers_.acquire();
  if (!fetcher.ok()) return absl::UnavailableError(std::string(fetcher.status().message()));
  absl::Status status = (*fetcher)->start(partition, offset);
  BlockPtr block;
  const absl::Time until = absl::Now() + kReadWait;
  while (status.ok() && !block && absl::Now() < until) {
    absl::StatusOr<BlockPtr> taken = (*fetcher)->take(kReadSlice);
    if (taken.ok()) {
      block = *taken;
    } else {
      status = taken.status();
    }
  }
  point_readers_.release(*std::move(fetcher));
  if (!block) {
    return absl::UnavailableError("offset " + std::to_string(offset) +
                                  " cannot be read: " + std::string(status.message()));
  }
  const LogRecord now = block->record(0);
  if (now.offset == offset && now.bytes == bytes) return absl::OkStatus();
  return absl::DataLossError("another record stands at offset " + std::to_string(offset) +
                             " than was read there: it was rewound, recreated or truncated");
}

// Damage is told to the tail, with its place.
absl::Status Watch::told(int32_t partition, absl::Status status) {
  if (!absl::IsDataLoss(status)) return status;
  status = absl::DataLossError("topic " + settings_.topic + ", partition " +
                               std::to_string(partition) + ": " + std::string(status.message()));
  log(LogLevel::kError, "journal_damaged", {{"why", std::string(status.message())}});
  tails_[static_cast<size_t>(partition)]->fail(status);
  return status;
}

}  // namespace taizhang::journal::kafka
