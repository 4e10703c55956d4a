// A view's thread: folds what the feeds have, or reads on its own where it fell behind them.
#include <algorithm>
#include <chrono>
#include <limits>

#include "platform/base/log.h"
#include "platform/projection/read_ahead.h"
#include "platform/projection/view_runner.h"

namespace taizhang::projection {
namespace {

// A view that has nothing to fold looks that often whether it shall end.
constexpr absl::Duration kIdleWait = absl::Seconds(1);
constexpr char kFoldedAndSkipped[] =
    "an event that was folded is passed over from now on, as decided";
constexpr auto kDiskRetryWait = std::chrono::milliseconds(500);

// Records before `ends` that are not folded yet.
int64_t behind(const Folder& folder, const std::vector<int64_t>& ends) {
  int64_t records = 0;
  for (size_t partition = 0; partition < ends.size(); ++partition)
    records += ends[partition] - folder.position(static_cast<int>(partition));
  return records;
}

}  // namespace

void ViewRunner::run() {
  absl::Status status = resuming_ ? resume_stopped() : absl::OkStatus();
  if (status.ok()) status = finish_building();
  if (status.ok() && !built_marked_) status = begin_build();
  while (status.ok() && !stopping() && healthy()) {
    const uint64_t seen = shared_->grown.count();
    bool moved = false;
    // One batch of each in turn: a busy partition does not hold the others back.
    for (int partition = 0; status.ok() && partition < shared_->partitions(); ++partition) {
      const auto followed = follow(partition);
      if (!followed.ok()) {
        status = followed.status();
      } else if (*followed) {
        moved = true;
      }
    }
    if (status.ok()) status = flush_when_due();
    if (status.ok() && !moved && !stopping()) shared_->grown.wait_beyond(seen, kIdleWait);
  }
  if (absl::IsAborted(status)) return want_mending(std::string(status.message()));
  if (status.ok()) status = until_room([this] { return folder_->write_positions(); });
  // Also of a view that stands still: how far it had read is what a journal that was cut is found
  // by. Rows and positions are in it only together.
  const auto flushed = store_->flush();
  if (status.ok()) status = flushed;
  if (!status.ok()) fail(std::move(status), journal_failed_ ? Mending::kNone : Mending::kRebuild);
}

absl::Status ViewRunner::of_journal(absl::Status status) {
  if (!status.ok()) journal_failed_ = true;
  return status;
}

absl::StatusOr<bool> ViewRunner::follow(int partition) {
  const int64_t position = folder_->position(partition);
  const Feed& feed = *shared_->feeds[partition];
  if (!feed.has_news(position)) return false;
  const Feed::Step step = feed.next(position);
  absl::Status status = of_journal(step.status);
  if (step.batch) {
    status = take(*step.batch);
  } else if (step.meeting_point > position) {
    status = read_alone(partition, step.meeting_point);
  }
  if (!status.ok()) return status;
  return true;
}

absl::Status ViewRunner::write() {
  return until_room([this] { return folder_->write(); });
}

absl::Status ViewRunner::until_room(const std::function<absl::Status()>& write_once) {
  bool told = false;
  for (;;) {
    auto written = write_once();
    if (written.code() != absl::StatusCode::kResourceExhausted || stopping()) {
      if (told) {
        const std::lock_guard lock(mutex_);
        disk_full_ = false;
      }
      return written;
    }
    if (!told) log(LogLevel::kError, "view_disk_full", {{"view", view_.name()}});
    told = true;
    // Nothing is lost: the batch is kept, and the view goes on when there is room.
    std::unique_lock lock(mutex_);
    disk_full_ = true;
    published_changed_.wait_for(lock, kDiskRetryWait);
    const auto store = store_;
    lock.unlock();
    if (const auto resumed = store->resume(); !resumed.ok()) continue;
  }
}

absl::Status ViewRunner::take(const Batch& batch) {
  if (auto folded = folder_->fold(batch); !folded.ok()) return folded;
  const auto wanted = folder_->take_wanted();
  if (wanted == Folder::Wanted::kRebuild) return absl::AbortedError(std::string(kFoldedAndSkipped));
  if (auto written = write(); !written.ok()) return written;
  shared_->feeds[batch.partition]->folded(batch.end);
  if (wanted == Folder::Wanted::kResume) resuming_ = true;
  deciding_ = decisions_seen_ != folder_->decisions().changes();
  publish();
  if (deciding_) publish_decisions();
  if (wanted == Folder::Wanted::kResume) {
    if (auto resumed = resume_stopped(); !resumed.ok()) return resumed;
  }
  if (unflushed_events_ == 0) unflushed_since_us_ = shared_->clock.boot_us();
  unflushed_events_ += batch.events;
  return finish_building();
}

absl::Status ViewRunner::flush_when_due() {
  if (unflushed_events_ == 0) return absl::OkStatus();
  const int64_t waited_us = shared_->clock.boot_us() - unflushed_since_us_;
  if (unflushed_events_ < shared_->settings.flush_events_max &&
      waited_us < shared_->settings.flush_us) {
    return absl::OkStatus();
  }
  unflushed_events_ = 0;
  return store_->flush();
}

absl::Status ViewRunner::begin_build() {
  // So little is sooner folded than sorted: the views of a new journal answer at once.
  if (behind(*folder_, shared_->ends()) <= shared_->settings.batch_events_max)
    return absl::OkStatus();
  {
    // From here on what was folded is not in the files at once, however near the end it is.
    const std::lock_guard lock(mutex_);
    building_ = true;
  }
  return folder_->begin_build(shared_->build_memory);
}

absl::Status ViewRunner::finish_building() {
  if (built_marked_) return absl::OkStatus();
  for (int partition = 0; partition < shared_->partitions(); ++partition) {
    if (folder_->position(partition) < build_until_[partition]) return absl::OkStatus();
  }
  // What was written during a long build is folded as well, until the end is as near as a batch.
  auto ends = shared_->ends();
  if (behind(*folder_, ends) > shared_->settings.batch_events_max) {
    build_until_ = std::move(ends);
    return absl::OkStatus();
  }
  if (folder_->is_building()) {
    if (auto ended = until_room([this] { return folder_->end_build(); }); !ended.ok()) return ended;
  }
  Puts built;
  built.add(store_key::meta(store_key::kBuilt), "1");
  if (auto written = until_room([&] { return store_->write(built); }); !written.ok())
    return written;
  built_marked_ = true;
  deciding_ = true;
  {
    const std::lock_guard lock(mutex_);
    building_ = false;
  }
  log(LogLevel::kInfo, "view_built",
      {{"view", view_.name()}, {"version", view_.version()}, {"events", folder_->events_folded()}});
  shared_->changed(view_.name());
  deciding_ = false;
  return absl::OkStatus();
}

absl::Status ViewRunner::read_alone(int partition, int64_t end_offset) {
  auto stands = folder_->journal_fold(partition);
  if (!stands.ok()) return stands.status();
  auto fold = *stands ? absl::StatusOr<journal::Fold>(std::move(**stands))
                      : shared_->identity.fold_from_start(partition);
  if (!fold.ok()) return of_journal(fold.status());
  return read_until(partition, std::move(*fold), end_offset,
                    [this](const Batch& batch) { return take(batch); });
}

absl::Status ViewRunner::read_until(int partition, journal::Fold fold, int64_t end_offset,
                                    const std::function<absl::Status(const Batch&)>& take_one) {
  BatchReader reader(*shared_->logs[partition], std::move(fold), limits(), wanted());
  while (!stopping() && reader.offset() < end_offset) {
    ReadAhead ahead(reader, end_offset);
    while (!stopping()) {
      const auto batch = ahead.next();
      if (batch.status().code() == absl::StatusCode::kUnavailable) break;  // again, from there on
      if (!batch.ok()) return of_journal(batch.status());
      if (!*batch) break;
      if (auto taken = take_one(**batch); !taken.ok()) return taken;
    }
  }
  return absl::OkStatus();
}

absl::Status ViewRunner::resume_stopped() {
  resuming_ = true;
  for (const int partition : folder_->begin_resume()) {
    if (auto resumed = resume_stopped(partition); !resumed.ok() || stopping()) return resumed;
  }
  if (auto ended = folder_->end_resume(); !ended.ok()) return ended;
  publish();
  resuming_ = false;
  return absl::OkStatus();
}

absl::Status ViewRunner::resume_stopped(int partition) {
  // From the start, for the ledger's own fold: rare, and simpler than a position per ledger.
  auto fold = shared_->identity.fold_from_start(partition);
  if (!fold.ok()) return of_journal(fold.status());
  return read_until(partition, std::move(*fold), folder_->position(partition),
                    [this](const Batch& batch) {
                      if (auto folded = folder_->fold_resumed(batch); !folded.ok()) return folded;
                      if (auto written = write(); !written.ok()) return written;
                      publish();
                      return absl::OkStatus();
                    });
}

void ViewRunner::publish_decisions() {
  const auto& decisions = folder_->decisions();
  decisions_seen_ = decisions.changes();
  {
    const std::lock_guard lock(mutex_);
    set_skips(decisions.skips());
    decision_ = decisions.live();
  }
  shared_->changed(view_.name());
  deciding_ = false;
}

void ViewRunner::set_skips(const Skips& skips) {
  skips_ = skips;
  // Every answer counts them.
  skipped_seqs_.clear();
  for (const auto& [ledger, events] : skips_) {
    std::vector<int64_t> seqs;
    seqs.reserve(events.size());
    for (const auto& [seq, skip] : events) seqs.push_back(seq);
    skipped_seqs_[ledger] = std::make_shared<const std::vector<int64_t>>(std::move(seqs));
  }
}

void ViewRunner::publish() {
  {
    const std::lock_guard lock(mutex_);
    for (const auto& code : folder_->moved()) {
      const auto& progress = folder_->ledgers().find(code)->second;
      auto& published = published_[code];
      if (progress.stopped_seq != 0 && published.stopped_seq == 0) {
        log(LogLevel::kError, "view_ledger_stopped",
            {{"view", view_.name()},
             {"ledger", code},
             {"seq", progress.stopped_seq},
             {"why", progress.stopped_why}});
      }
      published = published_of(progress);
      last_time_us_ = std::max(last_time_us_, progress.recorded_time_us);
    }
    int64_t records = -first_records_;
    for (int partition = 0; partition < shared_->partitions(); ++partition) {
      closed_times_us_[partition] = folder_->closed_time_us(partition);
      positions_[partition] = folder_->position(partition);
      records += positions_[partition];
    }
    events_folded_ = folder_->events_folded();
    const int64_t now_us = shared_->clock.boot_us();
    event_rate_.add(now_us, events_folded_);
    record_rate_.add(now_us, records);
    rows_written_ = folder_->versions_written();
    published_changed_.notify_all();
  }
  for (const auto& code : folder_->moved()) {
    const auto& progress = folder_->ledgers().find(code)->second;
    const bool stopped = progress.stopped_seq != 0;
    shared_->waiters->reached(this, code,
                              stopped ? std::numeric_limits<int64_t>::max() : progress.seq);
  }
  for (int partition = 0; partition < shared_->partitions(); ++partition)
    shared_->waiters->reached(this, time_place(partition), folder_->closed_time_us(partition));
}

}  // namespace taizhang::projection
