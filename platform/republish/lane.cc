// Folding the clean topic, folding the journal, producing, confirming.
#include "platform/republish/lane.h"

#include <algorithm>
#include <limits>

#include "absl/strings/str_cat.h"
#include "platform/base/log.h"

namespace taizhang::republish {

using journal::Fold;
using projection::BatchReader;

std::string_view name_of(Phase phase) {
  switch (phase) {
    case Phase::kStarting: return "starting";
    case Phase::kReadingTopic: return "reading the clean topic";
    case Phase::kReadingJournal: return "reading the journal";
    case Phase::kRepublishing: return "republishing";
  }
  broken_invariant("republish: no such phase");
}

bool is_final(const absl::Status& status) {
  return absl::IsFailedPrecondition(status) || absl::IsDataLoss(status) ||
         absl::IsUnimplemented(status);
}

Lane::Lane(uint32_t partition, std::optional<journal::GenesisExpectation> expected,
           journal::Log& journal, CleanPartition& clean, Clock& clock, LaneSettings settings,
           Checkpoint checkpoint)
    : partition_(partition),
      expected_(expected),
      journal_(journal),
      clean_(clean),
      clock_(clock),
      settings_(settings),
      checkpoint_(std::move(checkpoint)) {
  status_.partition = partition;
  clean_.set_report_sink([this](const journal::AppendReport& report) { on_report(report); });
}

Lane::~Lane() { clean_.set_report_sink({}); }

absl::StatusOr<Lane::Step> Lane::step() {
  Phase phase;
  {
    const std::lock_guard lock(mutex_);
    if (!failure_.ok()) {
      status_.phase = Phase::kStarting;
      status_.status = failure_;
      return std::exchange(failure_, absl::OkStatus());
    }
    phase = status_.phase;
  }
  switch (phase) {
    case Phase::kStarting: {
      const absl::Status begun = begin();
      return guarded(begun.ok() ? absl::StatusOr<Step>(Step::kWorked) : begun);
    }
    case Phase::kReadingTopic: return guarded(read_topic());
    case Phase::kReadingJournal:
    case Phase::kRepublishing: return guarded(republish());
  }
  broken_invariant("republish: no such phase");
}

absl::StatusOr<Lane::Step> Lane::guarded(absl::StatusOr<Step> result) {
  if (result.ok()) return result;
  const std::lock_guard lock(mutex_);
  status_.phase = Phase::kStarting;
  status_.status = result.status();
  return result;
}

absl::Status Lane::begin() {
  Checkpoint from;
  {
    const std::lock_guard lock(mutex_);
    ++status_.attempts;
    // Reports of earlier attempts find no entry and are ignored.
    in_flight_.clear();
    in_flight_bytes_ = 0;
    batch_ends_.clear();
    oldest_pending_us_.reset();
    failure_ = absl::OkStatus();
    from = checkpoint_;
  }
  pending_.clear();
  reader_.reset();

  const auto extent = clean_.extent();
  if (!extent.ok()) return extent.status();
  extent_ = *extent;
  // The record of the checkpoint is read again: another one there, or none, says that the topic was
  // made anew.
  verify_checkpoint_ =
      from.clean_k > 0 && from.clean_offset > extent_.first && from.clean_offset <= extent_.end;
  if (from.clean_k > 0 && !verify_checkpoint_) {
    drop_checkpoint("the clean topic has no such offset: it was made anew or cut");
  }
  reached_ = verify_checkpoint_ ? from.clean_k : 0;
  reached_offset_ = verify_checkpoint_ ? from.clean_offset : 0;
  reached_digest_.reset();
  if (verify_checkpoint_) reached_digest_ = from.clean_digest;
  reached_record_.reset();
  topic_offset_ = verify_checkpoint_ ? from.clean_offset - 1 : extent_.first;
  silent_reads_ = 0;
  topic_cursor_ = clean_.read(topic_offset_);

  const std::lock_guard lock(mutex_);
  status_.phase = Phase::kReadingTopic;
  return absl::OkStatus();
}

// It is derived: without it everything is read again.
void Lane::drop_checkpoint(std::string_view why) {
  log(LogLevel::kWarning, "republish_checkpoint_dropped",
      {{"partition", static_cast<int64_t>(partition_)}, {"why", why}});
  const std::lock_guard lock(mutex_);
  checkpoint_ = Checkpoint{};
}

absl::StatusOr<Lane::Step> Lane::read_topic() {
  for (int64_t i = 0; i < settings_.clean_records_per_step; ++i) {
    if (verify_checkpoint_ && silent_reads_ >= settings_.silent_reads_max) {
      // Unlike an end guessed too early, a checkpoint believed unseen could leave out records.
      return absl::UnavailableError("the clean topic does not give the record of the checkpoint");
    }
    if (topic_offset_ >= extent_.end || silent_reads_ >= settings_.silent_reads_max) {
      topic_cursor_.reset();
      settle_topic();
      return Step::kWorked;
    }
    auto stored = topic_cursor_->next();
    if (!stored.ok()) return stored.status();
    if (!*stored) {
      ++silent_reads_;
      return Step::kWaitsForTopic;
    }
    silent_reads_ = 0;
    if (verify_checkpoint_) {
      verify_checkpoint_ = false;
      if ((*stored)->offset != topic_offset_ || digest_of((*stored)->record) != *reached_digest_) {
        drop_checkpoint("the clean topic holds another record there: it was made anew");
        const std::lock_guard lock(mutex_);
        status_.phase = Phase::kStarting;
        return Step::kWorked;
      }
      ++topic_offset_;
      continue;
    }
    topic_offset_ = (*stored)->offset + 1;
    if (auto taken = take((*stored)->record); !taken.ok()) return taken;
  }
  return Step::kWorked;
}

// The consumer rule.
absl::Status Lane::take(CleanRecord& record) {
  const auto k = ordinal_of(record);
  if (!k.ok()) return k.status();
  if (!*k) {
    const std::lock_guard lock(mutex_);
    ++status_.foreign_records;
    return absl::OkStatus();
  }
  // The operator's retention dropped the topic's first records. Whole old segments go, long after
  // what may have been missing there was sent again: the first record left was accepted in its
  // time, and everything before it.
  if (reached_ == 0 && extent_.first > 0) reached_ = **k - 1;
  if (**k != reached_ + 1) return absl::OkStatus();
  reached_ = **k;
  reached_offset_ = topic_offset_;
  reached_record_ = std::move(record);
  return absl::OkStatus();
}

void Lane::settle_topic() {
  if (reached_record_) reached_digest_ = digest_of(*reached_record_);
  reached_record_.reset();
  const std::lock_guard lock(mutex_);
  if (checkpoint_.journal_k > reached_) {
    // The topic holds less than was once confirmed: it was made anew, or lost its tail. What is
    // missing is sent again.
    log(LogLevel::kWarning, "republish_behind_checkpoint",
        {{"partition", static_cast<int64_t>(partition_)},
         {"clean_k", reached_},
         {"checkpoint_k", checkpoint_.journal_k}});
    checkpoint_ = Checkpoint{};
  }
  if (reached_digest_) {
    checkpoint_.clean_k = reached_;
    checkpoint_.clean_offset = reached_offset_;
    checkpoint_.clean_digest = *reached_digest_;
  }
  status_.k = reached_;
  status_.journal_k = checkpoint_.journal_k;
  status_.phase = Phase::kReadingJournal;
}

absl::StatusOr<Lane::Step> Lane::republish() {
  if (!reader_) {
    Fold fold(partition_, expected_);
    const Checkpoint from = checkpoint();
    if (!from.partition_row.empty()) {
      auto restored = Fold::restore(from.partition_row, from.ledger_rows);
      if (!restored.ok()) {
        drop_checkpoint("its rows are of another format");
        return absl::UnavailableError("the checkpoint was dropped");
      }
      if (auto same = restored->check_resume(journal_); !same.ok()) return same;
      fold = std::move(*restored);
    }
    reader_ = std::make_unique<BatchReader>(
        journal_, std::move(fold),
        projection::BatchLimits{settings_.batch_events_max, settings_.batch_bytes_max},
        [](const google::protobuf::Descriptor*) { return true; });
  }
  if (pending_.empty()) {
    const auto read = read_journal();
    if (!read.ok()) return read.status();
    if (!*read) return Step::kWaitsForJournal;
  }
  return produce_pending();
}

// False: the journal holds nothing more now.
absl::StatusOr<bool> Lane::read_journal() {
  const auto batch = reader_->read(std::numeric_limits<int64_t>::max());
  if (!batch.ok()) return batch.status();
  int64_t k;
  {
    const std::lock_guard lock(mutex_);
    k = status_.journal_k;
  }
  if (!*batch) {
    const std::lock_guard lock(mutex_);
    status_.status =
        k < reached_
            ? absl::FailedPreconditionError(absl::StrCat(
                  "the clean topic reaches event ", reached_, " of partition ", partition_,
                  ", the journal only ", k, ": it is another journal's, or ours is rewound"))
            : absl::OkStatus();
    return false;
  }
  for (const auto& commit : (*batch)->commits) {
    for (const auto& meta : commit.events) {
      if (++k < reached_) continue;
      auto record = map_event(meta, k);
      if (!record.ok()) return record.status();
      if (k == reached_) {
        if (auto same = check_reached(*record); !same.ok()) return same;
      } else {
        pending_.push_back({k, meta.recorded_time_us, false, std::move(*record)});
      }
    }
  }
  if (!pending_.empty()) pending_.back().ends_batch = true;

  const std::lock_guard lock(mutex_);
  status_.status = absl::OkStatus();
  status_.journal_k = k;
  status_.journal_offset = (*batch)->end;
  if (k >= reached_) status_.phase = Phase::kRepublishing;
  if (!batch_ends_.empty() && batch_ends_.back().last_k == k) {
    // No event since: one entry, so that records without events cannot pile up behind a stalled
    // topic.
    auto& last = batch_ends_.back();
    last.partition_row = (*batch)->partition_row;
    last.ledger_rows.insert(last.ledger_rows.end(), (*batch)->ledger_rows.begin(),
                            (*batch)->ledger_rows.end());
  } else {
    batch_ends_.push_back({k, (*batch)->partition_row, (*batch)->ledger_rows});
  }
  if (!pending_.empty()) oldest_pending_us_ = pending_.front().recorded_time_us;
  confirm_batches();
  return true;
}

// A republisher of this journal and this mapping wrote exactly these bytes.
absl::Status Lane::check_reached(const CleanRecord& mapped) const {
  if (!reached_digest_ || digest_of(mapped) == *reached_digest_) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      "record ", reached_, " of partition ", partition_,
      " of the clean topic is not what the journal gives there: the topic is another journal's"));
}

absl::StatusOr<Lane::Step> Lane::produce_pending() {
  while (!pending_.empty()) {
    Pending& next = pending_.front();
    const int64_t bytes = bytes_of(next.record);
    std::optional<Sha256Digest> digest;
    if (next.ends_batch) digest = digest_of(next.record);
    const uint64_t tag = next_tag_++;
    {
      const std::lock_guard lock(mutex_);
      if (!failure_.ok()) return Step::kWorked;  // the next step says so
      const bool full =
          static_cast<int64_t>(in_flight_.size()) >= settings_.in_flight_records_max ||
          (!in_flight_.empty() && in_flight_bytes_ + bytes > settings_.in_flight_bytes_max);
      if (full) return Step::kWaitsForTopic;
      // Before produce(), which may already report.
      in_flight_.push_back({tag, next.k, next.recorded_time_us, bytes, digest});
      in_flight_bytes_ += bytes;
    }
    const absl::Status queued = clean_.produce(next.record, tag);
    if (!queued.ok()) {
      const std::lock_guard lock(mutex_);
      in_flight_.pop_back();
      in_flight_bytes_ -= bytes;
      if (absl::IsResourceExhausted(queued)) return Step::kWaitsForTopic;
      return queued;
    }
    pending_.pop_front();
    const std::lock_guard lock(mutex_);
    oldest_pending_us_.reset();
    if (!pending_.empty()) oldest_pending_us_ = pending_.front().recorded_time_us;
  }
  return Step::kWorked;
}

void Lane::on_report(const journal::AppendReport& report) {
  const std::lock_guard lock(mutex_);
  if (in_flight_.empty() || report.tag < in_flight_.front().tag) return;  // of an earlier attempt
  if (!failure_.ok()) return;
  if (report.tag != in_flight_.front().tag) {
    failure_ = absl::InternalError("the clean topic reported out of order");
  } else if (!report.offset.ok()) {
    failure_ = report.offset.status();
  } else {
    const InFlight& first = in_flight_.front();
    status_.k = first.k;
    if (first.digest && *report.offset >= 0) {
      checkpoint_.clean_k = first.k;
      checkpoint_.clean_offset = *report.offset + 1;
      checkpoint_.clean_digest = *first.digest;
    }
    in_flight_bytes_ -= first.bytes;
    in_flight_.pop_front();
    confirm_batches();
  }
  reported_.notify_all();
}

// Under the lock.
void Lane::confirm_batches() {
  while (!batch_ends_.empty() && batch_ends_.front().last_k <= status_.k) {
    BatchEnd& end = batch_ends_.front();
    checkpoint_.journal_k = end.last_k;
    checkpoint_.partition_row = std::move(end.partition_row);
    for (auto& [code, row] : end.ledger_rows) checkpoint_.ledger_rows[code] = std::move(row);
    batch_ends_.pop_front();
  }
}

void Lane::wait(absl::Duration timeout) {
  std::unique_lock lock(mutex_);
  // Not until the next report: one record for each would cost a change of threads each.
  const size_t before = in_flight_.size();
  reported_.wait_for(lock, absl::ToChronoMicroseconds(timeout), [&] {
    return !failure_.ok() || (before > 0 && in_flight_.size() <= before / 2);
  });
}

LaneStatus Lane::status() const {
  const std::lock_guard lock(mutex_);
  LaneStatus status = status_;
  std::optional<int64_t> oldest = oldest_pending_us_;
  if (!in_flight_.empty()) oldest = in_flight_.front().recorded_time_us;
  status.journal_end = journal_.end();
  if (oldest) status.lag_us = std::max<int64_t>(0, clock_.wall_us() - *oldest);
  return status;
}

Checkpoint Lane::checkpoint() const {
  const std::lock_guard lock(mutex_);
  return checkpoint_;
}

}  // namespace taizhang::republish
