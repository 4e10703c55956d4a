// Folds batches into one view's files: rows, progress and journal positions in one write.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "platform/journal/fold.h"
#include "platform/projection/batch.h"
#include "platform/projection/fold_rows.h"
#include "platform/projection/store.h"
#include "platform/projection/view.h"

namespace taizhang::projection {

// Each partition has a position of its own; batches of different partitions come in any order. Not
// thread-safe: the view's thread.
class Folder {
 public:
  // `view` must outlive it.
  Folder(const View& view, std::shared_ptr<Store> store, int partitions, int64_t cache_bytes_max);

  // Reads positions and progress back. DATA_LOSS: damaged. FAILED_PRECONDITION: made of a journal
  // with more partitions.
  absl::Status load();

  // Next offset of a partition.
  int64_t position(int partition) const { return places_[partition].position; }
  // Where a partition's fold stands with this view; nothing when none of it was folded.
  absl::StatusOr<std::optional<journal::Fold>> journal_fold(int partition) const;

  // Folds a batch that starts at its partition's position(); nothing is written yet. DATA_LOSS: the
  // view's files are damaged, or the batch does not continue what the view holds; the Folder is of
  // no use any more.
  absl::Status fold(const Batch& batch);
  // Writes what was folded. RESOURCE_EXHAUSTED: no disk; call again after Store::resume().
  absl::Status write();
  // Writes the positions that moved without anything to write.
  absl::Status write_positions();

  // The ledgers that stand still are folded again from where they stopped, in batches from the
  // start of each of their partitions up to position(), which stays.
  bool has_stopped() const;
  // Returns the partitions to read.
  std::set<int> begin_resume();
  absl::Status fold_resumed(const Batch& batch);
  absl::Status end_resume();

  const std::map<std::string, LedgerProgress, std::less<>>& ledgers() const { return ledgers_; }
  // Ledgers that moved in the last fold().
  const std::set<std::string, std::less<>>& moved() const { return moved_; }
  int64_t closed_time_us(int partition) const { return places_[partition].closed_time_us; }
  int64_t events_folded() const { return events_folded_; }
  int64_t versions_written() const { return versions_written_; }

 private:
  struct Place {
    std::string row;                                 // of the partition's fold; empty: none yet
    std::map<std::string, std::string> ledger_rows;  // of the same
    bool unwritten = false;
    int64_t position = 0;
    int64_t closed_time_us = 0;
  };

  absl::Status load_places();
  absl::Status load_ledgers();
  void put_places();
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
      resuming_;               // as they stood when the resume began
  std::vector<Place> places_;  // by partition
  int64_t events_folded_ = 0;
  int64_t versions_written_ = 0;
};

}  // namespace taizhang::projection
