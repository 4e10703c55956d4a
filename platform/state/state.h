// State of the ledgers of one partition: rows on disk, a cache of decoded rows, and the overlay of
// what was decided but is not confirmed yet.
//
// Every edit belongs to an append n. confirm(n) makes it base; discard() drops the whole overlay
// (an epoch ended, what is in doubt is read back from the log); rollback() drops the newest append
// only (it was not appended after all). Single-threaded: the deciding loop.
#pragma once

#include <google/protobuf/message.h>

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "platform/journal/fold.h"
#include "platform/state/ledger.h"
#include "platform/state/row_store.h"

namespace taizhang {

// Raised whenever an evolve changes what it makes of an event: older tables are dropped and folded
// again.
constexpr uint32_t kStateFoldVersion = 1;

struct StateSettings {
  RowStoreSettings store;
  // Decoded rows kept in memory, without the overlay and rows not yet written.
  size_t cached_rows_max = 100'000;
  // Rows waiting to be written to the store; more than that: deciding waits.
  size_t unwritten_rows_max = 200'000;
};

// Sum modulo 2^256 of the SHA-256 of each row: the same whatever the order of edits.
using StateDigest = std::array<uint8_t, 32>;

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

  // Writes confirmed rows and the position of `fold` in one batch. RESOURCE_EXHAUSTED: disk full,
  // kept for later.
  absl::Status write(const journal::Fold& fold, const std::vector<std::string>& touched_ledgers);
  // The same, and waits until it is on disk.
  absl::Status flush(const journal::Fold& fold, const std::vector<std::string>& touched_ledgers);
  size_t unwritten_rows() const { return unwritten_confirmed_; }
  bool must_wait() const { return unwritten_confirmed_ > settings_.unwritten_rows_max; }

  // Where the commit that starts at `first_seq` stands in the journal, to build its answer again.
  // Not part of the digest: offsets are the engine's.
  void note_offset(std::string_view ledger_code, int64_t first_seq, int64_t offset);
  absl::StatusOr<std::optional<int64_t>> offset_of(std::string_view ledger_code,
                                                   int64_t first_seq) const;

  // Digest of the confirmed rows.
  StateDigest digest() const;
  // The same, computed from every row: equal, or the files are damaged.
  absl::StatusOr<StateDigest> recomputed_digest() const;

  // Not OK once a read failed, and for ever: a row that could not be read counts as absent, so
  // nothing may be decided.
  const absl::Status& status() const { return status_; }

 private:
  class LedgerRows;
  struct Version {
    uint64_t n;
    std::unique_ptr<google::protobuf::Message> row;  // null: erased
  };
  struct Entry {
    std::string key;                                  // full key
    std::unique_ptr<google::protobuf::Message> base;  // null: absent
    std::array<uint8_t, 32> stored_hash{};  // of the base as counted in the digest; zero: absent
    std::vector<Version> overlay;
    const RowType* type = nullptr;
    bool dirty = false;  // base is newer than the store
    bool used = false;   // since it was last looked at by the sweep, or written
  };

  State(StateSettings settings, std::unique_ptr<RowStore> store);
  Entry& entry(const RowType& type, const std::string& key);
  const google::protobuf::Message* current(const Entry& entry) const;
  google::protobuf::Message* edit(const RowType& type, const std::string& key,
                                  std::string_view row_key);
  void erase(const RowType& type, const std::string& key);
  void scan(const RowType& type, const std::string& prefix,
            const std::function<bool(const google::protobuf::Message&)>& visit);
  Version& version_for_edit(Entry& entry);
  void mark_dirty(Entry& entry);
  void note_unstored(Entry& entry);
  void note_stored(Entry& entry);
  std::set<std::string_view>& unstored_of(const RowType& type);
  void account(Entry& entry, std::string_view bytes);
  void sweep();

  StateSettings settings_;
  std::unique_ptr<RowStore> store_;
  absl::flat_hash_map<std::string_view, std::unique_ptr<Entry>> entries_;
  std::deque<Entry*> eviction_;  // every entry once, the next candidate first
  // Keys whose newest version is not in the store, for scans to merge in: only of tables that were
  // ever scanned.
  std::map<const RowType*, std::set<std::string_view>> unstored_;
  std::vector<Entry*> dirty_;
  size_t unwritten_confirmed_ = 0;
  std::map<std::string, int64_t> offsets_;  // noted, not yet written
  std::deque<std::pair<uint64_t, std::vector<Entry*>>>
      appends_;  // touched entries per n, ascending
  std::map<std::string, std::unique_ptr<LedgerRows>, std::less<>> ledgers_;
  std::array<uint64_t, 4> digest_{};
  bool unwritten_ledgers_ = false;  // a failed batch took the fold's touched ledgers with it
  absl::Status status_;
};

}  // namespace taizhang
