// From decoded commits to row versions.
#include "platform/projection/folder.h"

#include <google/protobuf/descriptor.h>

#include <algorithm>
#include <utility>

#include "absl/hash/hash.h"
#include "platform/state/key.h"
#include "taizhang/common/v1/values.pb.h"

namespace taizhang::projection {
namespace {

// Waking other threads for fewer events takes longer than folding them.
constexpr int64_t kParallelEventsMin = 512;

}  // namespace

Folder::Folder(const View& view, std::shared_ptr<Store> store, int partitions,
               FoldSettings settings)
    : view_(view),
      store_(std::move(store)),
      settings_(settings),
      decisions_(view.name(), view.version()),
      places_(static_cast<size_t>(partitions)) {
  for (int lane = 0; lane < settings_.lanes; ++lane)
    lanes_.push_back(std::make_unique<Lane>(store_));
}

Folder::~Folder() {
  if (memory_) memory_->leave();
}

absl::Status Folder::load() {
  if (auto loaded = load_places(); !loaded.ok()) return loaded;
  if (auto loaded = load_ledgers(); !loaded.ok()) return loaded;
  return decisions_.load(*store_);
}

absl::Status Folder::load_places() {
  const auto unreadable = [] { return absl::DataLossError("a position cannot be read"); };
  const auto place = [this](int64_t partition) {
    return partition >= 0 && partition < static_cast<int64_t>(places_.size())
               ? &places_[static_cast<size_t>(partition)]
               : nullptr;
  };
  const auto cursor = store_->cursor(CursorKind::kOrder);
  constexpr char kPartition = store_key::kPartition;
  for (cursor->seek({&kPartition, 1}); cursor->valid() && cursor->key()[0] == kPartition;
       cursor->next()) {
    std::string_view key = cursor->key().substr(1);
    int64_t partition = 0;
    if (!take_key_number(key, partition) || !key.empty()) return unreadable();
    Place* at = place(partition);
    if (!at) {
      return absl::FailedPreconditionError("it holds partition " + std::to_string(partition) +
                                           ", this process reads " +
                                           std::to_string(places_.size()) + " partitions");
    }
    at->row = cursor->value();
  }
  if (!cursor->status().ok()) return cursor->status();
  constexpr char kFold = store_key::kFold;
  for (cursor->seek({&kFold, 1}); cursor->valid() && cursor->key()[0] == kFold; cursor->next()) {
    std::string_view key = cursor->key().substr(1);
    int64_t partition = 0;
    std::string code;
    if (!take_key_number(key, partition) || !take_key_text(key, code) || !key.empty() ||
        !place(partition)) {
      return unreadable();
    }
    place(partition)->ledger_rows[std::move(code)] = cursor->value();
  }
  if (!cursor->status().ok()) return cursor->status();
  for (auto& at : places_) {
    if (at.row.empty()) continue;
    const auto fold = journal::Fold::restore(at.row, at.ledger_rows);
    if (!fold.ok()) return fold.status();
    if (!fold->has_genesis()) {  // only foreign records so far: they are soon counted again
      at = Place{};
      continue;
    }
    at.position = fold->offset();
    at.closed_time_us = fold->closed_time_us();
  }
  return absl::OkStatus();
}

absl::Status Folder::load_ledgers() {
  const auto cursor = store_->cursor(CursorKind::kOrder);
  constexpr char kLedger = store_key::kLedger;
  for (cursor->seek({&kLedger, 1}); cursor->valid() && cursor->key()[0] == kLedger;
       cursor->next()) {
    std::string_view key = cursor->key().substr(1);
    std::string code;
    auto progress = LedgerProgress::parse(cursor->value());
    if (!take_key_text(key, code) || !key.empty() || !progress || progress->partition < 0 ||
        progress->partition >= static_cast<int64_t>(places_.size())) {
      return absl::DataLossError("a progress row cannot be read");
    }
    ledgers_[std::move(code)] = std::move(*progress);
  }
  return cursor->status();
}

absl::StatusOr<std::optional<journal::Fold>> Folder::journal_fold(int partition) const {
  const Place& place = places_[partition];
  if (place.row.empty()) return std::optional<journal::Fold>();
  auto fold = journal::Fold::restore(place.row, place.ledger_rows);
  if (!fold.ok()) return fold.status();
  return std::optional<journal::Fold>(std::move(*fold));
}

Folder::LedgerFold& Folder::fold_of(std::string_view ledger) {
  const auto found = folds_.find(ledger);
  if (found != folds_.end()) return *found->second;
  auto made = std::make_unique<LedgerFold>();
  made->code = ledger;
  made->progress = &ledgers_[made->code];
  made->lane = static_cast<int>(absl::Hash<std::string_view>()(ledger) % lanes_.size());
  const std::string_view code = made->code;
  return *folds_.emplace(code, std::move(made)).first->second;
}

void Folder::fold_event(Ledger& ledger, const EventMeta& event) {
  if (const auto* fold = view_.fold_of(event.descriptor)) (*fold)(ledger, event);
  if (view_.any_fold()) view_.any_fold()(ledger, event);
}

absl::Status Folder::fold_commit(Lane& lane, const DecodedCommit& commit,
                                 LedgerProgress& progress) {
  const auto stop = [&](const EventMeta& event, const char* why) {
    progress.stopped_seq = event.seq;
    progress.stopped_why = std::string(why) + ": " + std::string(event.type);
  };
  const auto* skips = decisions_.skips_of(commit.meta.ledger);
  const auto skipped = [&](const EventMeta& event) { return skips && skips->contains(event.seq); };
  for (const auto& event : commit.events) {
    if (skipped(event)) continue;
    // A type nobody knows may matter to any view; one that is known and not taken does not.
    if (!event.descriptor) {
      stop(event, "unknown event type");
      return absl::OkStatus();
    }
    if (!event.event && view_.wants(event.descriptor)) {
      stop(event, "unreadable event");
      return absl::OkStatus();
    }
  }
  lane.rows.enter(commit.meta.ledger);
  Occasion occasion;
  occasion.ledger = commit.meta.ledger;
  occasion.recorded_time_us = commit.meta.recorded_time_us;
  Ledger ledger(lane.rows, occasion);
  for (size_t i = 0; i < commit.events.size(); ++i) {
    const auto& event = commit.events[i];
    occasion.seq = event.seq;
    occasion.effective_day = event.effective_day;
    occasion.actor = event.actor;
    if (i == 0 && view_.commit_fold()) view_.commit_fold()(ledger, commit.meta);
    if (!skipped(event)) fold_event(ledger, event);
    const int64_t versions = lane.rows.take(event.seq, progress.digest);
    progress.versions += versions;
    lane.versions += versions;
  }
  lane.events += static_cast<int64_t>(commit.events.size());
  progress.seq = commit.meta.last_seq;
  progress.recorded_time_us = commit.meta.recorded_time_us;
  return lane.rows.status();
}

void Folder::fold_lane(Lane& lane, int partition) {
  for (const auto& [commit, fold] : lane.commits) {
    LedgerProgress& progress = *fold->progress;
    if (progress.stopped_seq != 0) continue;
    if (!resuming_.empty() &&
        (!resuming_.contains(fold->code) || commit->meta.last_seq <= progress.seq))
      continue;
    progress.partition = partition;
    if (commit->meta.first_seq != progress.seq + 1) {
      lane.status = absl::DataLossError("ledger " + fold->code + ": the view holds seq " +
                                        std::to_string(progress.seq) + ", the journal goes on with " +
                                        std::to_string(commit->meta.first_seq));
      return;
    }
    lane.status = fold_commit(lane, *commit, progress);
    if (!lane.status.ok()) return;
    if (progress.stopped_seq == 0)
      fold->stretch.commits.push_back({progress.seq, progress.recorded_time_us});
  }
}

void Folder::deal_out(const Batch& batch) {
  moved_.clear();
  ++batch_;
  for (auto& lane : lanes_) lane->commits.clear();
  LedgerFold* fold = nullptr;
  for (const auto& commit : batch.commits) {
    if (left_out(commit)) continue;
    if (!fold || commit.meta.ledger != fold->code) fold = &fold_of(commit.meta.ledger);
    if (fold->moved != batch_) {
      fold->moved = batch_;
      moved_.insert(fold->code);
      mark_unwritten(*fold);
    }
    lanes_[static_cast<size_t>(fold->lane)]->commits.emplace_back(&commit, fold);
  }
}

absl::Status Folder::fold_commits(const Batch& batch) {
  deal_out(batch);
  const auto work = [&](int number) {
    fold_lane(*lanes_[static_cast<size_t>(number)], batch.partition);
  };
  const auto busy = std::count_if(lanes_.begin(), lanes_.end(),
                                  [](const auto& lane) { return !lane->commits.empty(); });
  if (busy > 1 && batch.events >= kParallelEventsMin) {
    if (!threads_) threads_ = std::make_unique<LaneThreads>(settings_.lanes);
    threads_->run(work);
  } else {
    for (int lane = 0; lane < settings_.lanes; ++lane) work(lane);
  }
  events_folded_ = versions_written_ = 0;
  for (const auto& lane : lanes_) {
    if (!lane->status.ok()) return lane->status;
    events_folded_ += lane->events;
    versions_written_ += lane->versions;
  }
  put_stretches();
  return absl::OkStatus();
}

void Folder::mark_unwritten(LedgerFold& fold) {
  if (!fold.unwritten) unwritten_.push_back(&fold);
  fold.unwritten = true;
}

void Folder::only(std::string ledger, int64_t last_seq) {
  only_ledger_ = std::move(ledger);
  only_until_seq_ = last_seq;
}

bool Folder::left_out(const DecodedCommit& commit) const {
  return !only_ledger_.empty() &&
         (commit.meta.ledger != only_ledger_ || commit.meta.first_seq > only_until_seq_);
}

void Folder::take_decisions(const Batch& batch) {
  for (const auto& [code, events] : decisions_.take(batch, own_)) {
    const auto found = ledgers_.find(code);
    if (found == ledgers_.end()) continue;
    for (const auto& [seq, skip] : events) {
      if (found->second.seq >= seq) wanted_ = Wanted::kRebuild;
      if (found->second.stopped_seq == seq) wanted_ = std::max(wanted_, Wanted::kResume);
    }
  }
}

absl::Status Folder::fold(const Batch& batch) {
  Place& place = places_[batch.partition];
  if (batch.start != place.position)
    return absl::InternalError("a batch that does not start where the view stands");
  take_decisions(batch);
  if (const auto folded = fold_commits(batch); !folded.ok()) return folded;
  for (const auto& [code, row] : batch.ledger_rows) {
    place.ledger_rows[code] = row;
    place.unwritten_ledgers.insert(code);
  }
  place.row = batch.partition_row;
  place.position = batch.end;
  place.closed_time_us = batch.closed_time_us;
  place.unwritten = true;
  return absl::OkStatus();
}

bool Folder::has_stopped() const {
  for (const auto& [code, progress] : ledgers_) {
    if (progress.stopped_seq != 0) return true;
  }
  return false;
}

std::set<int> Folder::begin_resume() {
  std::set<int> partitions;
  for (auto& [code, progress] : ledgers_) {
    if (progress.stopped_seq == 0) continue;
    partitions.insert(static_cast<int>(progress.partition));
    resuming_[code] = progress;
    progress.stopped_seq = 0;
    progress.stopped_why.clear();
  }
  return partitions;
}

absl::Status Folder::fold_resumed(const Batch& batch) { return fold_commits(batch); }

absl::Status Folder::end_resume() {
  moved_.clear();
  for (const auto& [code, before] : resuming_) {
    moved_.insert(code);
    mark_unwritten(fold_of(code));
  }
  resuming_.clear();
  return write();
}

}  // namespace taizhang::projection
