// State of the ledgers of one partition: rows on disk, a cache of decoded rows, and the overlay of
// what was decided but is not confirmed yet.
//
// Confirmed rows go to the disk in the background: the deciding loop hands over pointers to them,
// and keeps a row in memory until the batch it went with is written, so that it always reads what
// it wrote.
//
// Every edit belongs to an append n. confirm(n) makes it base; discard() drops the whole overlay
// (an epoch ended, what is in doubt is read back from the log); rollback() drops the newest append
// only (it was not appended after all). Single-threaded: the deciding loop.
#pragma once

#include <google/protobuf/message.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/inlined_vector.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "platform/journal/fold.h"
#include "platform/state/commit_offsets.h"
#include "platform/state/eviction_list.h"
#include "platform/state/ledger.h"
#include "platform/state/row_store.h"
#include "platform/state/row_writer.h"
#include "platform/state/state_digest.h"

namespace taizhang {

// Raised whenever an evolve changes what it makes of an event: older tables are dropped and folded
// again.
constexpr uint32_t kStateFoldVersion = 1;
// Raised whenever rows are stored in another form; the same happens.
constexpr uint32_t kStateTableFormat = 2;

struct StateSettings {
  RowStoreSettings store;
  // Decoded rows kept in memory, without the overlay and rows not yet written.
  size_t cached_rows_max = 100'000;
  // Rows waiting to be written to the store, beside those under way; more than that: deciding
  // waits.
  size_t unwritten_rows_max = 200'000;
  // What was written to the store survives a kill of the process, and a power cut after so long,
  // microseconds.
  int64_t flush_us = 60'000'000;
};

class State {
 public:
  // Opens the tables below `folder`; tables of another fold version, or that say nothing, are
  // dropped. Returns the state and the fold they stand at (fresh when empty).
  static absl::StatusOr<std::unique_ptr<State>> open(const std::string& folder,
                                                     const StateSettings& settings);
  ~State();

  // The fold as of the rows on disk; nullopt: empty tables.
  absl::StatusOr<std::optional<journal::Fold>> stored_fold() const;

  // Rows of one ledger as of everything appended; edits are tagged with the n of begin().
  Rows& ledger(std::string_view code);
  void begin(uint64_t n);
  void rollback();
  void confirm(uint64_t n);
  void discard();

  // Hands confirmed rows and the position of `fold`, one batch, over to be written; leaves it for
  // later while the last batch is under way, unless must_wait(): then it returns when it is
  // written. RESOURCE_EXHAUSTED: disk full. An error may be that of the batch before; its rows are
  // kept, the next call hands them over again.
  absl::Status write(const journal::Fold& fold, const std::vector<std::string>& touched_ledgers);
  // Everything confirmed, and waits until it is on disk.
  absl::Status flush(const journal::Fold& fold, const std::vector<std::string>& touched_ledgers);
  // Rows for which write() has something to do.
  size_t unwritten_rows() const {
    return dirty_.size() + (writer_.finished() ? writing_.size() : 0);
  }
  bool must_wait() const { return dirty_.size() > settings_.unwritten_rows_max; }

  // Where the commit that starts at `first_seq` stands in the journal, to build its answer again.
  void note_offset(std::string_view ledger_code, int64_t first_seq, int64_t offset) {
    offsets_.note(ledger_code, first_seq, offset);
  }
  absl::StatusOr<std::optional<int64_t>> offset_of(std::string_view ledger_code,
                                                   int64_t first_seq) const {
    return offsets_.find(ledger_code, first_seq);
  }

  // Digest of the confirmed rows.
  StateDigest digest() const;
  // The same, computed from every row: equal, or the files are damaged.
  absl::StatusOr<StateDigest> recomputed_digest() const;

  // Not OK once a read failed, and for ever: a row that could not be read counts as absent, so
  // nothing may be decided.
  const absl::Status& status() const { return status_; }

 private:
  class LedgerRows;
  struct Table;
  struct Version {
    uint64_t n;
    std::unique_ptr<google::protobuf::Message> row;  // null: erased
  };
  struct Entry {
    Table* table = nullptr;
    std::string key;                                  // in the store
    std::unique_ptr<google::protobuf::Message> base;  // null: absent
    RowHash counted{};                                // of the base, as counted in the digest
    absl::InlinedVector<Version, 1> overlay;
    bool dirty = false;    // base is newer than the store and every batch
    bool writing = false;  // in the batch under way
    bool used = false;     // since it was last looked at by the sweep, or handed over
    Entry* before = nullptr;
    Entry* after = nullptr;
    bool pinned() const { return dirty || writing || !overlay.empty(); }
  };
  // Rows of one type in one ledger, by the key without prefix.
  struct Table {
    const RowType* type = nullptr;
    std::string prefix;  // of keys in the store
    absl::flat_hash_map<std::string_view, std::unique_ptr<Entry>> rows;
    // Keys whose newest version is not in the store, for scans to merge in; only once the table was
    // scanned.
    bool scanned = false;
    std::set<std::string_view> unstored;
  };

  State(StateSettings settings, std::unique_ptr<RowStore> store, DigestSum digest);
  Entry& entry(Table& table, std::string_view key);
  const google::protobuf::Message* current(const Entry& entry) const;
  google::protobuf::Message* edit(Table& table, std::string_view key);
  void erase(Table& table, std::string_view key);
  void scan(Table& table, std::string_view prefix,
            const std::function<bool(const google::protobuf::Message&)>& visit);
  Version& version_for_edit(Entry& entry);
  void mark_dirty(Entry& entry);
  void note_unstored(Entry& entry);
  void note_stored(Entry& entry);
  void collect_unstored(Table& table);
  void hand_over(const journal::Fold& fold);
  absl::Status take_back();
  void forget(Entry& entry);
  void sweep();

  StateSettings settings_;
  std::unique_ptr<RowStore> store_;
  std::map<std::string, std::unique_ptr<LedgerRows>, std::less<>> ledgers_;
  size_t entries_ = 0;            // of all tables
  EvictionList<Entry> eviction_;  // all of them, the next candidate first
  std::deque<std::pair<uint64_t, std::vector<Entry*>>>
      appends_;  // touched entries per n, ascending

  CommitOffsets offsets_;
  // Confirmed and not yet handed over.
  std::vector<Entry*> dirty_;
  std::set<std::string, std::less<>> touched_ledgers_;
  bool all_ledgers_touched_ = false;  // a failed batch took those it knew of with it
  // Of the batch under way.
  std::vector<Entry*> writing_;
  std::vector<std::unique_ptr<google::protobuf::Message>> replaced_;  // it still reads these
  absl::Status status_;
  RowWriter writer_;  // the last: its thread reads rows until it is gone
};

}  // namespace taizhang
