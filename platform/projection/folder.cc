// From decoded commits to row versions.
#include "platform/projection/folder.h"

#include <google/protobuf/descriptor.h>

#include <algorithm>

#include "platform/state/key.h"
#include "taizhang/common/v1/values.pb.h"

namespace taizhang::projection {
namespace {

// Finding the commit of a seq or a time decodes one stretch: short ones keep a read of the past
// cheap.
constexpr size_t kStretchCommitsMax = 64;

}  // namespace

Folder::Folder(const View& view, std::shared_ptr<Store> store, int partitions,
               int64_t cache_bytes_max)
    : view_(view),
      store_(std::move(store)),
      rows_(store_, cache_bytes_max),
      places_(static_cast<size_t>(partitions)) {}

absl::Status Folder::load() {
  if (auto loaded = load_places(); !loaded.ok()) return loaded;
  return load_ledgers();
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

absl::Status Folder::fold_commit(const DecodedCommit& commit, LedgerProgress& progress) {
  const auto stop = [&](const EventMeta& event, const char* why) {
    progress.stopped_seq = event.seq;
    progress.stopped_why = std::string(why) + ": " + std::string(event.type);
  };
  for (const auto& event : commit.events) {
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
  rows_.enter(commit.meta.ledger);
  Occasion occasion;
  occasion.ledger = commit.meta.ledger;
  occasion.recorded_time_us = commit.meta.recorded_time_us;
  Ledger ledger(rows_, occasion);
  for (size_t i = 0; i < commit.events.size(); ++i) {
    const auto& event = commit.events[i];
    occasion.seq = event.seq;
    occasion.effective_day = event.effective_day;
    occasion.actor = event.actor;
    if (i == 0 && view_.commit_fold()) view_.commit_fold()(ledger, commit.meta);
    if (const auto* fold = view_.fold_of(event.descriptor)) (*fold)(ledger, event);
    if (view_.any_fold()) view_.any_fold()(ledger, event);
    const int64_t versions = rows_.take(event.seq, puts_, progress.digest);
    progress.versions += versions;
    versions_written_ += versions;
  }
  events_folded_ += static_cast<int64_t>(commit.events.size());
  progress.seq = commit.meta.last_seq;
  progress.recorded_time_us = commit.meta.recorded_time_us;
  return rows_.status();
}

absl::Status Folder::fold_commits(const Batch& batch) {
  moved_.clear();
  stretches_.clear();
  std::string_view last_code;
  LedgerProgress* progress = nullptr;
  CommitStretch* stretch = nullptr;
  for (const auto& commit : batch.commits) {
    if (!progress || commit.meta.ledger != last_code) {
      last_code = commit.meta.ledger;
      std::string code(last_code);
      progress = &ledgers_[code];
      stretch = &stretches_[code];
      moved_.insert(std::move(code));
    }
    if (progress->stopped_seq != 0) continue;
    if (!resuming_.empty() &&
        (!resuming_.contains(last_code) || commit.meta.last_seq <= progress->seq))
      continue;
    progress->partition = batch.partition;
    if (commit.meta.first_seq != progress->seq + 1) {
      return absl::DataLossError("ledger " + std::string(last_code) + ": the view holds seq " +
                                 std::to_string(progress->seq) + ", the journal goes on with " +
                                 std::to_string(commit.meta.first_seq));
    }
    const auto folded = fold_commit(commit, *progress);
    if (!folded.ok()) return folded;
    if (progress->stopped_seq == 0)
      stretch->commits.push_back({progress->seq, progress->recorded_time_us});
  }
  put_progress();
  return absl::OkStatus();
}

void Folder::put_progress() {
  for (const auto& code : moved_) {
    LedgerProgress stored = ledgers_.find(code)->second;
    const auto resumed = resuming_.find(code);
    if (resumed != resuming_.end() && stored.stopped_seq == 0) {
      // Until the whole of it is caught up, a crash must find it stopped and resume it again.
      stored.stopped_seq = resumed->second.stopped_seq;
      stored.stopped_why = resumed->second.stopped_why;
    }
    puts_.add(store_key::of_ledger(store_key::kLedger, code), stored.bytes());
    const auto& commits = stretches_[code].commits;
    for (size_t first = 0; first < commits.size(); first += kStretchCommitsMax) {
      CommitStretch stretch;
      stretch.commits.assign(
          commits.begin() + first,
          commits.begin() + std::min(first + kStretchCommitsMax, commits.size()));
      const std::string bytes = stretch.bytes();
      puts_.add(store_key::of_ledger(store_key::kBySeq, code, stretch.commits.back().last_seq),
                bytes);
      puts_.add(
          store_key::of_ledger(store_key::kByTime, code, stretch.commits.front().recorded_time_us),
          bytes);
    }
  }
}

absl::Status Folder::fold(const Batch& batch) {
  Place& place = places_[batch.partition];
  if (batch.start != place.position)
    return absl::InternalError("a batch that does not start where the view stands");
  if (const auto folded = fold_commits(batch); !folded.ok()) return folded;
  for (const auto& [code, row] : batch.ledger_rows) {
    puts_.add(store_key::of_partition(store_key::kFold, batch.partition, code), row);
    place.ledger_rows[code] = row;
  }
  place.row = batch.partition_row;
  place.position = batch.end;
  place.closed_time_us = batch.closed_time_us;
  place.unwritten = true;
  return absl::OkStatus();
}

void Folder::put_places() {
  for (size_t partition = 0; partition < places_.size(); ++partition) {
    Place& place = places_[partition];
    if (!place.unwritten) continue;
    puts_.add(store_key::of_partition(store_key::kPartition, static_cast<int>(partition)),
              place.row);
    place.unwritten = false;
  }
}

absl::Status Folder::write() {
  // Claims and barriers alone move a position, which needs no write of its own: it is found again
  // by folding them.
  if (puts_.empty()) return absl::OkStatus();
  put_places();
  puts_.sort();
  if (const auto written = store_->write(puts_); !written.ok()) return written;
  puts_.clear();
  rows_.written();
  return absl::OkStatus();
}

absl::Status Folder::write_positions() {
  put_places();
  return write();
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
  stretches_.clear();
  for (const auto& [code, before] : resuming_) moved_.insert(code);
  resuming_.clear();
  put_progress();
  return write();
}

}  // namespace taizhang::projection
