// From decoded commits to row versions.
#include "platform/projection/folder.h"

#include <google/protobuf/descriptor.h>

#include <algorithm>

#include "platform/state/key.h"
#include "taizhang/common/v1/values.pb.h"

namespace taizhang::projection {
namespace {

constexpr std::string_view kPositionKey = "position";
// Finding the commit of a seq or a time decodes one stretch: short ones keep a read of the past
// cheap.
constexpr size_t kStretchCommitsMax = 64;

}  // namespace

Folder::Folder(const View& view, std::shared_ptr<Store> store, int64_t cache_bytes_max)
    : view_(view), store_(std::move(store)), rows_(store_, cache_bytes_max) {}

absl::Status Folder::load() {
  auto position = store_->get(store_key::meta(kPositionKey));
  if (!position.ok()) return position.status();
  if (!*position) return absl::OkStatus();
  partition_row_ = std::move(**position);
  const auto cursor = store_->cursor(CursorKind::kOrder);
  const auto read_area = [&](char area, const auto& take) {
    for (cursor->seek({&area, 1}); cursor->valid() && cursor->key()[0] == area; cursor->next()) {
      std::string_view key = cursor->key().substr(1);
      std::string code;
      if (!take_key_text(key, code) || !key.empty() || !take(std::move(code), cursor->value())) {
        return absl::DataLossError("a progress row cannot be read");
      }
    }
    return cursor->status();
  };
  auto read = read_area(store_key::kFold, [&](std::string code, std::string_view value) {
    journal_rows_[std::move(code)] = value;
    return true;
  });
  if (!read.ok()) return read;
  read = read_area(store_key::kLedger, [&](std::string code, std::string_view value) {
    auto progress = LedgerProgress::parse(value);
    if (progress) ledgers_[std::move(code)] = std::move(*progress);
    return progress.has_value();
  });
  if (!read.ok()) return read;
  const auto fold = journal_fold();
  if (!fold.ok()) return fold.status();
  position_ = fold->offset();
  closed_time_us_ = fold->closed_time_us();
  return absl::OkStatus();
}

absl::StatusOr<journal::Fold> Folder::journal_fold() const {
  if (partition_row_.empty()) return journal::Fold(0);
  return journal::Fold::restore(partition_row_, journal_rows_);
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
  if (batch.start != position_)
    return absl::InternalError("a batch that does not start where the view stands");
  if (const auto folded = fold_commits(batch); !folded.ok()) return folded;
  for (const auto& [code, row] : batch.ledger_rows) {
    puts_.add(store_key::of_ledger(store_key::kFold, code), row);
    journal_rows_[code] = row;
  }
  partition_row_ = batch.partition_row;
  position_ = batch.end;
  closed_time_us_ = batch.closed_time_us;
  position_unwritten_ = true;
  return absl::OkStatus();
}

absl::Status Folder::write() {
  // Claims and barriers alone move the position, which needs no write of its own: it is found again
  // by folding them.
  if (puts_.empty()) return absl::OkStatus();
  if (position_unwritten_) {
    puts_.add(store_key::meta(kPositionKey), partition_row_);
    position_unwritten_ = false;
  }
  puts_.sort();
  if (const auto written = store_->write(puts_); !written.ok()) return written;
  puts_.clear();
  rows_.written();
  return absl::OkStatus();
}

absl::Status Folder::write_position() {
  if (!position_unwritten_) return absl::OkStatus();
  puts_.add(store_key::meta(kPositionKey), partition_row_);
  position_unwritten_ = false;
  return write();
}

bool Folder::has_stopped() const {
  for (const auto& [code, progress] : ledgers_) {
    if (progress.stopped_seq != 0) return true;
  }
  return false;
}

void Folder::begin_resume() {
  for (auto& [code, progress] : ledgers_) {
    if (progress.stopped_seq == 0) continue;
    resuming_[code] = progress;
    progress.stopped_seq = 0;
    progress.stopped_why.clear();
  }
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
