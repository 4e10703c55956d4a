// The files of one view: a RocksDB without a log of its own, whose rows are versioned by the seq
// that wrote them.
//
// Keys: 'm' name · 'p' partition → partition row of the journal's fold · 'f' partition, ledger →
// its ledger row (docs/formats.md) · 'l' ledger → LedgerProgress · 's' ledger, seq and 't' ledger,
// recorded time → stretch of commits · 'k' ledger, seq → why it is skipped · 'r' ledger, table, row
// key, ~seq → row version. Parts are encoded as in platform/state/key.h; ~seq is 8 bytes
// big-endian, so the newest version comes first. Thread-safe, except that a cursor belongs to one
// thread at a time.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "platform/projection/digest.h"
#include "platform/projection/puts.h"

namespace taizhang::projection {

// What a view knows of one ledger.
struct LedgerProgress {
  int64_t partition = 0;         // where its last commit stands
  int64_t seq = 0;               // last one folded
  int64_t recorded_time_us = 0;  // of that one
  int64_t versions = 0;          // row versions written
  AdditiveDigest digest;         // of all row versions
  int64_t stopped_seq = 0;       // of an event that is not understood; 0: none
  std::string stopped_why;

  std::string bytes() const;
  static std::optional<LedgerProgress> parse(std::string_view bytes);
};

// What all views of a process share: block cache and write buffers.
class StoreResources;
std::shared_ptr<StoreResources> make_store_resources(int64_t block_cache_bytes,
                                                     int64_t write_buffers_bytes);

// A stretch of commits of one ledger: last seq and recorded time of each, ascending.
struct CommitStretch {
  struct Commit {
    int64_t last_seq = 0;
    int64_t recorded_time_us = 0;
  };
  std::vector<Commit> commits;

  std::string bytes() const;
  static std::optional<CommitStretch> parse(std::string_view bytes);
};

// One that was found in the files. What it says stays true whatever is written later.
struct LedgerStretch {
  std::string ledger;
  CommitStretch stretch;

  bool holds(std::string_view of_ledger, int64_t seq) const;
  // Recorded time of the commit that holds `seq`; 0: it lies behind.
  int64_t time_of(int64_t seq) const;
};

using SortedPuts = std::vector<Puts::Put>;

class StoreCursor {
 public:
  virtual ~StoreCursor() = default;
  virtual void seek(std::string_view key) = 0;           // first at or after
  virtual void seek_for_prev(std::string_view key) = 0;  // last at or before
  virtual void next() = 0;
  virtual bool valid() const = 0;
  virtual std::string_view key() const = 0;
  virtual std::string_view value() const = 0;
  // Not OK: the files are damaged, and valid() is false for that reason.
  virtual absl::Status status() const = 0;
};

enum class CursorKind {
  kVersions,  // versions of one row only: skips files that do not hold the row
  kOrder,     // everything in key order
  // The same for long runs: read in large pieces, and what is in the cache stays there.
  kRun,
};

class Store {
 public:
  // Made when missing. DATA_LOSS: damaged. FAILED_PRECONDITION: of another format.
  static absl::StatusOr<std::shared_ptr<Store>> open(const std::string& directory,
                                                     std::shared_ptr<StoreResources>);
  // Removes the files; nobody may have it open.
  static absl::Status destroy(const std::string& directory);
  virtual ~Store() = default;

  // 16 random bytes made with the files: a page token of another build is foreign.
  virtual const std::string& build_id() const = 0;

  virtual absl::StatusOr<std::optional<std::string>> get(std::string_view key) const = 0;
  // All or nothing. RESOURCE_EXHAUSTED: no disk; try again after resume().
  virtual absl::Status write(const SortedPuts& puts) = 0;
  absl::Status write(const Puts& puts) { return write(sorted({&puts})); }
  // The same for many rows while a view is built: they are written to a file as they stand, which
  // becomes one of the store's. Survives the process at once. Beside it another thread may read.
  virtual absl::Status ingest(const SortedPuts& puts) = 0;
  // Whether files from ingest() are merged with all others only when this ends (see RunMerger).
  virtual absl::Status set_building(bool building) = 0;
  // After RESOURCE_EXHAUSTED: whether writing is possible again.
  virtual absl::Status resume() = 0;
  // Makes everything written so far survive the process.
  virtual absl::Status flush() = 0;

  // Reads every block of every file. DATA_LOSS: a checksum is wrong.
  virtual absl::Status verify_files() const = 0;

  // Sees what is written when it is made, and `moment` when given.
  class Moment;
  virtual std::unique_ptr<StoreCursor> cursor(CursorKind kind,
                                              const Moment* moment = nullptr) const = 0;
  // Everything written so far, held while it lives.
  virtual std::shared_ptr<const Moment> moment() const = 0;
  virtual absl::StatusOr<std::optional<std::string>> get(std::string_view key,
                                                         const Moment& moment) const = 0;

  // Waits until no files wait to be merged: what a build costs is complete then.
  virtual void settle() const = 0;

  // The stretch of commits that was found last, of any ledger; null: none yet. Moments that are
  // asked about lie together: the pages of a list, the rows of a report.
  std::shared_ptr<const LedgerStretch> last_stretch() const;
  void set_last_stretch(std::shared_ptr<const LedgerStretch> stretch) const;

 private:
  mutable std::mutex stretch_mutex_;
  mutable std::shared_ptr<const LedgerStretch> last_stretch_;
};

namespace store_key {
inline constexpr char kFold = 'f';
inline constexpr char kLedger = 'l';
inline constexpr char kMeta = 'm';
// Under kMeta: there once the view has caught up.
inline constexpr std::string_view kBuilt = "built";
// Under kMeta: the version of the view that was decided to answer.
inline constexpr std::string_view kLive = "live";
inline constexpr char kPartition = 'p';
inline constexpr char kRow = 'r';
inline constexpr char kSkip = 'k';
inline constexpr char kBySeq = 's';
inline constexpr char kByTime = 't';

std::string meta(std::string_view name);
std::string of_partition(char area, int partition);
std::string of_partition(char area, int partition, std::string_view ledger);
std::string of_ledger(char area, std::string_view ledger);
std::string of_ledger(char area, std::string_view ledger, int64_t number);
// Without the version.
std::string row(std::string_view ledger, std::string_view table_prefix, std::string_view key);
inline constexpr size_t kVersionBytes = 8;
void append_version(std::string& key, int64_t seq);
// Of a whole row key, which is at least kVersionBytes long.
int64_t version_of(std::string_view key);
inline std::string_view without_version(std::string_view key) {
  return key.substr(0, key.size() - kVersionBytes);
}
}  // namespace store_key

}  // namespace taizhang::projection
