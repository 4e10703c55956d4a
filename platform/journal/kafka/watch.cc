// Comparing what was read with what the topic holds.
#include "platform/journal/kafka/watch.h"

#include <chrono>
#include <string>
#include <utility>

#include "platform/base/log.h"

namespace taizhang::journal::kafka {
namespace {

// How soon an unanswered question is asked again.
constexpr std::chrono::milliseconds kRetry{500};
// How long a record that must be there may take to be read.
constexpr absl::Duration kReadWait = absl::Seconds(3);
constexpr absl::Duration kReadSlice = absl::Milliseconds(200);

}  // namespace

Watch::Watch(const KafkaSettings& settings, std::shared_ptr<Client> admin,
             FetcherPool& point_readers, std::vector<Tail*> tails)
    : settings_(settings),
      admin_(std::move(admin)),
      point_readers_(point_readers),
      tails_(std::move(tails)),
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

void Watch::suspect() {
  {
    const std::lock_guard lock(mutex_);
    suspected_ = true;
  }
  reachable_.store(false, std::memory_order_relaxed);
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
  // Before the question: what is known now can only be less than what is answered later.
  std::vector<int64_t> known_ends;
  for (const Tail* tail : tails_) known_ends.push_back(tail->end());
  const absl::StatusOr<std::vector<Bounds>> bounds =
      admin_->bounds_of(settings_.topic, static_cast<int>(tails_.size()), settings_.request_ms_max);
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
  Tail& tail = *tails_[static_cast<size_t>(partition)];
  absl::Status status;
  if (bounds.begin > 0) {
    status = absl::DataLossError("it begins at offset " + std::to_string(bounds.begin) +
                                 ": its first records were deleted");
  } else if (bounds.end < known_end) {
    status =
        absl::DataLossError("it ends at offset " + std::to_string(bounds.end) + " and reached to " +
                            std::to_string(known_end) + ": it was rewound, recreated or truncated");
  } else {
    tail.advance(bounds.end);
    if (const BlockPtr newest = tail.newest()) status = verify_newest(partition, newest);
  }
  if (absl::IsDataLoss(status)) {
    status = absl::DataLossError("topic " + settings_.topic + ", partition " +
                                 std::to_string(partition) + ": " + std::string(status.message()));
    log(LogLevel::kError, "journal_damaged", {{"why", std::string(status.message())}});
    tail.fail(status);
  }
  return status;
}

absl::Status Watch::verify_newest(int32_t partition, const BlockPtr& newest) {
  const LogRecord seen = newest->record(newest->size() - 1);
  absl::StatusOr<std::unique_ptr<Fetcher>> fetcher = point_readers_.acquire();
  if (!fetcher.ok()) return absl::UnavailableError(std::string(fetcher.status().message()));
  absl::Status status = (*fetcher)->start(partition, seen.offset);
  BlockPtr block;
  for (absl::Duration waited; status.ok() && !block && waited < kReadWait; waited += kReadSlice) {
    absl::StatusOr<BlockPtr> taken = (*fetcher)->take(kReadSlice);
    if (taken.ok()) {
      block = *taken;
    } else {
      status = taken.status();
    }
  }
  point_readers_.release(*std::move(fetcher));
  if (!block) {
    return absl::UnavailableError("offset " + std::to_string(seen.offset) +
                                  " cannot be read: " + std::string(status.message()));
  }
  const LogRecord now = block->record(0);
  if (now.offset == seen.offset && now.bytes == seen.bytes) return absl::OkStatus();
  return absl::DataLossError("another record stands at offset " + std::to_string(seen.offset) +
                             " than was read there: it was rewound, recreated or truncated");
}

}  // namespace taizhang::journal::kafka
