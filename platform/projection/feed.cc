// The shared tail of a partition.
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
// Foreign records are an alarm, and somebody who writes many must not fill the log with it.
constexpr int64_t kForeignToldEveryUs = 60'000'000;

}  // namespace

Feed::Feed(journal::Log& log, int partition, std::optional<journal::Fold> fold, Wanted wanted,
           FeedSettings settings, Clock& clock, JournalIdentity& identity, Signal& grown)
    : log_(log),
      partition_(partition),
      wanted_(std::move(wanted)),
      settings_(settings),
      clock_(clock),
      identity_(identity),
      grown_(grown) {
  if (!fold) return;
  end_ = fastest_ = fold->offset();
  foreign_told_ = fold->foreign_count();
  for (const auto& [code, ledger] : fold->ledgers()) {
    if (ledger.open) known_[code] = {ledger.next_seq - 1, ledger.last_recorded_us};
  }
  reader_ = std::make_unique<BatchReader>(log_, std::move(*fold), settings_.batch, wanted_);
  state_ = state_of(reader_->fold());
}

Feed::~Feed() { stop(); }

Feed::State Feed::state_of(const journal::Fold& fold) {
  return {fold.offset(), fold.void_count(), fold.foreign_count(), fold.epoch(),
          fold.owner_address()};
}

void Feed::start() {
  thread_ = std::thread([this] { run(); });
}

void Feed::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  passed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

bool Feed::stopping() const {
  const std::lock_guard lock(mutex_);
  return stopping_;
}

bool Feed::make_reader() {
  while (!reader_) {
    if (stopping()) return false;
    auto fold = identity_.fold_from_start(partition_);
    if (!fold.ok()) {
      identity_.wait(kJournalWait);
      continue;
    }
    reader_ = std::make_unique<BatchReader>(log_, std::move(*fold), settings_.batch, wanted_);
  }
  return true;
}

bool Feed::wait_for_room() {
  std::unique_lock lock(mutex_);
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
  if (!make_reader()) return;
  int64_t published_us = 0;
  bool live = false;
  bool named = false;  // the others know from this partition which journal it is
  while (wait_for_room()) {
    // Near the end many small batches would cost more than they are worth: one per gather_us.
    const int64_t early_us = published_us + settings_.gather_us - clock_.boot_us();
    if (live && early_us > 0)
      absl::SleepFor(absl::Microseconds(std::min(early_us, settings_.gather_us)));
    auto batch = reader_->read(std::numeric_limits<int64_t>::max());
    if (batch.status().code() == absl::StatusCode::kUnavailable) {
      log(LogLevel::kWarning, "journal_unreachable",
          {{"partition", partition_}, {"why", std::string(batch.status().message())}});
      log_.wait_beyond(reader_->offset(), kJournalWait);
      continue;
    }
    if (!batch.ok()) return fail(batch.status());
    if (!named && reader_->fold().has_genesis()) {
      if (auto learned = identity_.learn(reader_->fold()); !learned.ok()) return fail(learned);
      named = true;
    }
    if (!*batch) {
      log_.wait_beyond(reader_->offset(), kJournalWait);
      continue;
    }
    live = (*batch)->events <= kLiveBatchEventsMax;
    published_us = clock_.boot_us();
    tell_of_foreign(published_us);
    publish(std::move(*batch));
  }
}

void Feed::fail(absl::Status why) {
  log(LogLevel::kError, "journal_reading_stopped",
      {{"partition", partition_}, {"why", std::string(why.message())}});
  {
    const std::lock_guard lock(mutex_);
    status_ = std::move(why);
    failed_ = true;
  }
  grown_.raise();
}

void Feed::tell_of_foreign(int64_t now_us) {
  const int64_t foreign = reader_->fold().foreign_count();
  if (foreign == foreign_told_) return;
  if (foreign_told_us_ != 0 && now_us - foreign_told_us_ < kForeignToldEveryUs) return;
  log(LogLevel::kError, "foreign_records",
      {{"partition", partition_}, {"records", foreign}, {"before", reader_->offset()}});
  foreign_told_ = foreign;
  foreign_told_us_ = now_us;
}

void Feed::publish(std::shared_ptr<const Batch> batch) {
  {
    const std::lock_guard lock(mutex_);
    for (const auto& commit : batch->commits) {
      auto found = known_.find(commit.meta.ledger);
      if (found == known_.end())
        found = known_.emplace(std::string(commit.meta.ledger), KnownLedger{}).first;
      found->second = {commit.meta.last_seq, commit.meta.recorded_time_us};
    }
    state_ = state_of(reader_->fold());
    kept_bytes_ += batch->bytes;
    batches_.push_back(batch);
    while (kept_bytes_ > settings_.kept_bytes_max && batches_.front()->end <= fastest_) {
      kept_bytes_ -= batches_.front()->bytes;
      batches_.pop_front();
    }
    end_ = batch->end;
  }
  grown_.raise();
}

Feed::Step Feed::next(int64_t offset) const {
  const std::lock_guard lock(mutex_);
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

void Feed::folded(int64_t offset) {
  const std::lock_guard lock(mutex_);
  if (offset <= fastest_) return;
  fastest_ = offset;
  passed_.notify_all();
}

std::optional<Feed::KnownLedger> Feed::known(std::string_view ledger) const {
  const std::lock_guard lock(mutex_);
  const auto found = known_.find(ledger);
  if (found == known_.end()) return std::nullopt;
  return found->second;
}

void Feed::each_known(
    const std::function<void(const std::string&, const KnownLedger&)>& visit) const {
  const std::lock_guard lock(mutex_);
  for (const auto& [code, known] : known_) visit(code, known);
}

int64_t Feed::first_time_from(int64_t offset) const {
  const std::lock_guard lock(mutex_);
  for (const auto& batch : batches_) {
    if (batch->end > offset && !batch->commits.empty())
      return batch->commits.front().meta.recorded_time_us;
  }
  return 0;
}

Feed::State Feed::state() const {
  const std::lock_guard lock(mutex_);
  return state_;
}

}  // namespace taizhang::projection
