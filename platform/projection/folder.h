// Folds batches into one view's files: rows, progress and journal positions in one write.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "platform/journal/fold.h"
#include "platform/projection/batch.h"
#include "platform/projection/bulk_writer.h"
#include "platform/projection/fold_rows.h"
#include "platform/projection/lane_threads.h"
#include "platform/projection/store.h"
#include "platform/projection/view.h"
#include "platform/projection/view_decision.h"

namespace taizhang::projection {

struct FoldSettings {
  int64_t cache_bytes_max = 0;  // of decoded rows
  int lanes = 1;                // ledgers that are folded side by side
  // While a view is built from nothing: bytes of the filter that knows the rows it has.
  int64_t build_filter_bytes_max = 0;
};

// What the views that are being built may take for row versions on their way into files: shared
// equally among those that build at the moment. Thread-safe.
class BuildMemory {
 public:
  explicit BuildMemory(int64_t bytes_max) : bytes_max_(bytes_max) {}
  void enter() { ++builders_; }
  void leave() { --builders_; }
  int64_t share() const { return bytes_max_ / std::max(1, builders_.load()); }

 private:
  const int64_t bytes_max_;
  std::atomic<int> builders_{0};
};

// Each partition has a position of its own; batches of different partitions come in any order.
// Ledgers do not see each other, so that those of a batch are folded side by side, with the same
// rows as one after the other. Not thread-safe: the view's thread.
class Folder {
 public:
  // `view` must outlive it.
  Folder(const View& view, std::shared_ptr<Store> store, int partitions, FoldSettings settings);
  ~Folder();

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
  // Writes what was folded; in a build, when it is enough. RESOURCE_EXHAUSTED: no disk; call again
  // after Store::resume().
  absl::Status write();
  // Writes the positions that moved without anything to write.
  absl::Status write_positions();

  // From now on what is folded is gathered into large runs, which become files of their own: rows
  // and the positions they reflect in one, so that a kill leaves both or neither. `memory` must
  // outlive the build.
  absl::Status begin_build(BuildMemory& memory);
  // Everything folded is in the files. RESOURCE_EXHAUSTED: call again.
  absl::Status end_build();
  bool is_building() const { return bulk_ != nullptr; }

  // Before fold(): events to pass over that are known although the journal was not read so far.
  void assume(const Skips& skips) { decisions_.assume(skips, own_); }
  // Before fold(): nothing but this ledger, up to the commit that holds this seq.
  void only(std::string ledger, int64_t last_seq);
  const ViewDecisions& decisions() const { return decisions_; }
  // What decisions met in fold() since the last call want, the strongest of them. kResume: a ledger
  // that stands still may go on. kRebuild: an event that was folded is to be passed over.
  enum class Wanted { kNothing, kResume, kRebuild };
  Wanted take_wanted() { return std::exchange(wanted_, Wanted::kNothing); }

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
    std::set<std::string> unwritten_ledgers;
    bool unwritten = false;
    int64_t position = 0;
    int64_t closed_time_us = 0;
  };

  struct LedgerFold {
    std::string code;
    LedgerProgress* progress = nullptr;
    int lane = 0;
    CommitStretch stretch;  // of the present batch
    uint64_t moved = 0;     // in this batch last
    bool unwritten = false;
  };

  // Folds the ledgers that fall to it; in its own thread.
  struct Lane {
    explicit Lane(std::shared_ptr<const Store> store) : rows(std::move(store)) {}
    FoldRows rows;
    std::vector<std::pair<const DecodedCommit*, LedgerFold*>> commits;  // of the present batch
    absl::Status status;
    int64_t events = 0;
    int64_t versions = 0;
  };
  absl::Status load_places();
  absl::Status load_ledgers();
  LedgerFold& fold_of(std::string_view ledger);
  absl::Status fold_commits(const Batch& batch);
  void deal_out(const Batch& batch);
  void fold_lane(Lane& lane, int partition);
  absl::Status fold_commit(Lane& lane, const DecodedCommit& commit, LedgerProgress& progress);
  void put_stretches();
  void mark_unwritten(LedgerFold& fold);
  void put_progress();
  void put_places();
  int64_t unwritten_bytes() const;
  bool has_rows_to_write() const;
  void gather();
  std::vector<const Puts*> leaving_puts() const;
  void trim();
  absl::Status hand_over();
  void written();
  void fold_event(Ledger& ledger, const EventMeta& event);
  void take_decisions(const Batch& batch);
  bool left_out(const DecodedCommit& commit) const;

  const View& view_;
  std::shared_ptr<Store> store_;
  const FoldSettings settings_;
  ViewDecisions decisions_;
  Wanted wanted_ = Wanted::kNothing;
  std::string only_ledger_;  // empty: all
  int64_t only_until_seq_ = 0;
  std::vector<std::unique_ptr<Lane>> lanes_;
  std::unique_ptr<LaneThreads> threads_;
  // Of the platform: positions, progress, stretches. Beside the lanes' runs, and written with them.
  Puts own_;
  Puts own_leaving_;
  std::vector<std::shared_ptr<const RowRun>> leaving_;
  std::unique_ptr<BulkWriter> bulk_;  // null: each batch is written by itself
  BuildMemory* memory_ = nullptr;     // while it is built
  std::map<std::string, LedgerProgress, std::less<>> ledgers_;
  absl::flat_hash_map<std::string_view, std::unique_ptr<LedgerFold>> folds_;  // by their codes
  std::vector<LedgerFold*> unwritten_;
  uint64_t batch_ = 0;  // counts them
  std::set<std::string, std::less<>> moved_;
  std::map<std::string, LedgerProgress, std::less<>>
      resuming_;               // as they stood when the resume began
  std::vector<Place> places_;  // by partition
  int64_t events_folded_ = 0;
  int64_t versions_written_ = 0;
};

}  // namespace taizhang::projection
