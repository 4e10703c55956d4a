// The shared tail of the journal.
#include "platform/projection/feed.h"

#include <algorithm>
#include <limits>

#include "platform/base/log.h"

namespace taizhang::projection {
namespace {

// How long a wait for the journal may keep stop() waiting.
constexpr absl::Duration kJournalWait = absl::Milliseconds(100);
// A batch of so many events or fewer means that the journal's end is near.
constexpr int64_t kLiveBatchEventsMax = 256;

}  // namespace

Feed::Feed(journal::Log& log, Clock& clock, std::unique_ptr<BatchReader> reader,
           FeedSettings settings)
    : log_(log), clock_(clock), settings_(settings), reader_(std::move(reader)) {
  end_ = fastest_ = reader_->offset();
  for (const auto& [code, ledger] : reader_->fold().ledgers()) {
    if (ledger.open) known_[code] = {ledger.next_seq - 1, ledger.last_recorded_us};
  }
}

Feed::~Feed() { stop(); }

void Feed::start() {
  thread_ = std::thread([this] { run(); });
}

void Feed::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    ++wakes_;
  }
  passed_.notify_all();
  grown_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Feed::wake() {
  {
    const std::lock_guard lock(mutex_);
    ++wakes_;
  }
  grown_.notify_all();
}

bool Feed::wait_for_room(std::unique_lock<std::mutex>& lock) {
  passed_.wait(lock, [this] {
    if (stopping_) return true;
    int64_t ahead = 0;
    for (auto batch = batches_.rbegin(); batch != batches_.rend() && (*batch)->end > fastest_;
         ++batch) {
      ahead += (*batch)->bytes;
    }
    return ahead < settings_.ahead_bytes_max;
  });
  return !stopping_;
}

void Feed::run() {
  int64_t published_us = 0;
  bool live = false;
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      if (!wait_for_room(lock)) return;
    }
    // Near the end many small batches would cost more than they are worth: one per gather_us.
    const int64_t early_us = published_us + settings_.gather_us - clock_.boot_us();
    if (live && early_us > 0)
      absl::SleepFor(absl::Microseconds(std::min(early_us, settings_.gather_us)));
    auto batch = reader_->read(std::numeric_limits<int64_t>::max());
    if (!batch.ok()) {
      log(LogLevel::kError, "journal_reading_stopped",
          {{"why", std::string(batch.status().message())}});
      const std::lock_guard lock(mutex_);
      status_ = batch.status();
      grown_.notify_all();
      return;
    }
    if (!*batch) {
      log_.wait_beyond(reader_->offset(), kJournalWait);
      continue;
    }
    live = (*batch)->events <= kLiveBatchEventsMax;
    published_us = clock_.boot_us();
    publish(std::move(*batch));
  }
}

void Feed::publish(std::shared_ptr<const Batch> batch) {
  const std::lock_guard lock(mutex_);
  for (const auto& commit : batch->commits) {
    auto found = known_.find(commit.meta.ledger);
    if (found == known_.end())
      found = known_.emplace(std::string(commit.meta.ledger), KnownLedger{}).first;
    found->second = {commit.meta.last_seq, commit.meta.recorded_time_us};
  }
  end_ = batch->end;
  kept_bytes_ += batch->bytes;
  batches_.push_back(std::move(batch));
  while (kept_bytes_ > settings_.kept_bytes_max && batches_.front()->end <= fastest_) {
    kept_bytes_ -= batches_.front()->bytes;
    batches_.pop_front();
  }
  grown_.notify_all();
}

Feed::Step Feed::next(int64_t offset, absl::Duration timeout) {
  std::unique_lock lock(mutex_);
  if (offset > fastest_) {
    fastest_ = offset;
    passed_.notify_all();
  }
  const uint64_t wakes = wakes_;
  grown_.wait_for(lock, absl::ToChronoNanoseconds(timeout),
                  [&] { return end_ > offset || wakes_ != wakes || stopping_ || !status_.ok(); });
  Step step;
  if (end_ <= offset) {
    step.meeting_point = offset;
    step.status = status_;
    return step;
  }
  const auto found =
      std::lower_bound(batches_.begin(), batches_.end(), offset,
                       [](const auto& batch, int64_t at) { return batch->start < at; });
  if (found != batches_.end() && (*found)->start == offset) {
    step.batch = *found;
    step.meeting_point = offset;
  } else {
    step.meeting_point = end_;
  }
  return step;
}

std::optional<Feed::KnownLedger> Feed::known(std::string_view ledger) const {
  const std::lock_guard lock(mutex_);
  const auto found = known_.find(ledger);
  if (found == known_.end()) return std::nullopt;
  return found->second;
}

int64_t Feed::events_from(int64_t offset) const {
  const std::lock_guard lock(mutex_);
  int64_t events = 0;
  for (auto batch = batches_.rbegin(); batch != batches_.rend() && (*batch)->end > offset;
       ++batch) {
    events += (*batch)->events;
  }
  return events;
}

int64_t Feed::first_time_from(int64_t offset) const {
  const std::lock_guard lock(mutex_);
  for (const auto& batch : batches_) {
    if (batch->end > offset && !batch->commits.empty())
      return batch->commits.front().meta.recorded_time_us;
  }
  return 0;
}

}  // namespace taizhang::projection
