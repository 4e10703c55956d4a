// Folds batches into one view's files: rows, progress and journal position in one write.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "platform/journal/fold.h"
#include "platform/projection/batch.h"
#include "platform/projection/fold_rows.h"
#include "platform/projection/store.h"
#include "platform/projection/view.h"

namespace taizhang::projection {

// Not thread-safe: the view's thread.
class Folder {
 public:
  // `view` must outlive it.
  Folder(const View& view, std::shared_ptr<Store> store, int64_t cache_bytes_max);

  // Reads position and progress back. DATA_LOSS: damaged.
  absl::Status load();

  // Next journal offset.
  int64_t position() const { return position_; }
  // Where the journal's fold stands with this view; a fresh one of partition 0 when nothing was
  // folded.
  absl::StatusOr<journal::Fold> journal_fold() const;

  // Folds a batch that starts at position(); nothing is written yet. DATA_LOSS: the view's files
  // are damaged, or the batch does not continue what the view holds; the Folder is of no use any
  // more.
  absl::Status fold(const Batch& batch);
  // Writes what was folded. RESOURCE_EXHAUSTED: no disk; call again after Store::resume().
  absl::Status write();
  // Writes the position when it moved without anything to write.
  absl::Status write_position();

  // The ledgers that stand still are folded again from where they stopped, in batches from the
  // journal's start up to position(), which stays.
  bool has_stopped() const;
  void begin_resume();
  absl::Status fold_resumed(const Batch& batch);
  absl::Status end_resume();

  const std::map<std::string, LedgerProgress, std::less<>>& ledgers() const { return ledgers_; }
  // Ledgers that moved in the last fold().
  const std::set<std::string, std::less<>>& moved() const { return moved_; }
  int64_t closed_time_us() const { return closed_time_us_; }
  int64_t events_folded() const { return events_folded_; }
  int64_t versions_written() const { return versions_written_; }

 private:
  absl::Status fold_commits(const Batch& batch);
  absl::Status fold_commit(const DecodedCommit& commit, LedgerProgress& progress);
  void put_progress();

  const View& view_;
  std::shared_ptr<Store> store_;
  FoldRows rows_;
  Puts puts_;
  std::map<std::string, LedgerProgress, std::less<>> ledgers_;
  std::map<std::string, CommitStretch, std::less<>> stretches_;  // of the present batch
  std::set<std::string, std::less<>> moved_;
  std::map<std::string, LedgerProgress, std::less<>>
      resuming_;                                     // as they stood when the resume began
  std::map<std::string, std::string> journal_rows_;  // ledger rows of the journal's fold
  std::string partition_row_;
  bool position_unwritten_ = false;
  int64_t position_ = 0;
  int64_t closed_time_us_ = 0;
  int64_t events_folded_ = 0;
  int64_t versions_written_ = 0;
};

}  // namespace taizhang::projection
