// The engine of the read side: reads the journal, folds it into every view, answers their queries.
//
// Each view has one RocksDB of its own and one thread; views never hold each other back. Rows and
// the position they reflect stand in one write batch without a log: the journal is their log.
// Everything is thread-safe after start().
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "platform/base/clock.h"
#include "platform/command/dispatcher.h"
#include "platform/projection/view.h"

namespace taizhang {
namespace journal {
class Log;
}

struct ViewsSettings {
  // Views live in <directory>/<name>-v<version>; made when missing.
  std::string directory;
  // Shared by all views, bytes.
  int64_t block_cache_bytes = int64_t{64} << 20;
  int64_t write_buffers_bytes = int64_t{48} << 20;
  // Decoded newest rows kept for the fold, bytes per view.
  int64_t row_cache_bytes_per_view = int64_t{16} << 20;
  // Ledgers that a view folds side by side when it has many events to fold.
  int fold_threads_per_view = 2;
  // A view that is built from nothing, or folded again by verify(), gathers rows and writes them as
  // sorted files: bytes of memory for that, shared by all that do so at the moment.
  int64_t build_bytes_max = int64_t{128} << 20;
  // Beside these, of the filter that says which rows are new, bytes for each of them.
  int64_t build_filter_bytes_max = int64_t{64} << 20;
  // One write batch holds at most this many events; small when live, this large when behind.
  int64_t batch_events_max = 4'096;
  int64_t batch_bytes_max = int64_t{4} << 20;  // stored event bytes
  // Decoded batches kept for views that are not as far as the fastest, stored event bytes of all
  // partitions together.
  int64_t shared_batches_bytes_max = int64_t{16} << 20;
  // Live: how long the feed gathers commits before it hands them over, microseconds.
  int64_t gather_us = 1'000;
  // Threads that run queries which had to wait for at_least_seq.
  int late_query_threads = 2;
  // How long an answer as of a recorded time waits until that moment is final, microseconds.
  int64_t final_wait_us = 200'000;
  // Files are written at the latest after so many events: what is folded again after a crash.
  int64_t flush_events_max = 500'000;
  // The same in time, microseconds.
  int64_t flush_us = 60'000'000;
  // How often a view whose files are damaged is built anew by itself, per version of a view and
  // since the start. After that it stands still until somebody has looked at the disk.
  int damage_rebuilds_max = 1;
};

// A version of a view, by its files.
struct ViewFiles {
  std::string name;
  int32_t version = 0;
};

// State of one version of a view, for metrics, health and operators.
struct ViewStatus {
  std::string name;
  int32_t version = 0;
  // This version answers the queries of the view's name.
  bool live = false;
  // Its files were deleted by drop(): nothing is folded.
  bool dropped = false;
  // Waits for room to write; it goes on by itself.
  bool disk_full = false;
  // Why it was built anew by itself since the start; empty: it was not.
  std::string rebuilt_why;
  // Folding from nothing (new, rebuilt): queries are answered UNAVAILABLE until it has caught up
  // once.
  bool building = false;
  // OK, or why nothing is folded any more (damage, a journal that was rewound, a full disk).
  absl::Status status;
  struct Partition {
    int64_t position = 0;     // next offset
    int64_t journal_end = 0;  // offset after the last record
  };
  std::vector<Partition> partitions;  // by their number
  int64_t position = 0;               // sum over the partitions
  int64_t journal_end = 0;            // sum over the partitions
  double events_per_second = 0;       // folded, mean of the last seconds
  // While building, at the pace of the last seconds; absent: nothing moves.
  std::optional<double> build_seconds_left;
  int64_t events_folded = 0;  // since start
  int64_t rows_written = 0;   // since start, versions
  int64_t lag_events = 0;     // events the reader knows of and the view does not hold
  int64_t lag_us = 0;         // age of the oldest of them; 0: none
  struct StoppedLedger {
    std::string ledger;
    int64_t seq = 0;  // of the event it cannot understand
    std::string why;
  };
  std::vector<StoppedLedger> stopped;
  struct LedgerLag {
    std::string ledger;
    int64_t seq = 0;     // last one it holds
    int64_t events = 0;  // the reader knows of beyond that
    int64_t us = 0;      // age of the oldest of them, at most
  };
  std::vector<LedgerLag> lagging;  // the longest first, at most 20
  int64_t lagging_ledgers = 0;     // all of them
  struct Skipped {
    std::string ledger;
    int64_t seq = 0;
    std::string decided_by;  // "<system ledger>/<seq>"
    std::string reason;
  };
  std::vector<Skipped> skipped;  // by ledger and seq, at most 100
  int64_t skipped_total = 0;
};

// A partition of the journal as this process reads it.
struct PartitionStatus {
  int64_t position = 0;     // next offset to read
  int64_t journal_end = 0;  // offset after the last record
  // Of everything before the position: ours but not valid, and not ours at all (an alarm).
  int64_t void_records = 0;
  int64_t foreign_records = 0;
  // The claim that held there.
  uint64_t epoch = 0;
  std::string owner_address;  // empty: nobody
};

// What verify() compares.
struct VerifyScope {
  std::string ledger;  // empty: all, as they stand
  // Of the ledger; nothing: as it stands.
  std::optional<int64_t> seq;
};

// Difference that verify() found.
struct VerifyReport {
  bool equal = false;
  int64_t ledgers = 0;
  int64_t versions = 0;    // row versions compared
  int64_t events = 0;      // folded again
  std::string digest;      // of all ledgers, 64 hexadecimal digits
  // The first difference in words: of those with the lowest seq the first row, and which of its
  // fields differ; empty when equal. Never personal data.
  std::string difference;
  std::string difference_ledger;
  int64_t difference_seq = 0;
  int64_t differing_versions = 0;
  int64_t skipped_events = 0;  // passed over as decided, of the ledgers compared
  bool files_damaged = false;  // the difference is that the view's files cannot be read
};

// Two versions of a view at one moment, table by table.
struct ViewComparison {
  struct Figures {
    int64_t rows = 0;      // at the moment
    int64_t versions = 0;  // up to the moment
    std::string digest;    // of these versions, 64 hexadecimal digits
  };
  struct Table {
    std::string name;
    Figures figures;
    Figures other;
    int64_t differing_rows = 0;  // at the moment
    std::string difference;      // the first of them in words, without personal data
  };
  int64_t ledgers = 0;
  std::vector<Table> tables;  // by name
};

// What a view made of a ledger's events up to a seq.
struct LedgerDigest {
  std::string ledger;
  int64_t seq = 0;
  int64_t versions = 0;  // row versions
  std::string digest;    // of them, 64 hexadecimal digits
};

class Views {
 public:
  // `logs` by partition, all of the journal's; they and the clock must outlive the Views.
  // `blind_index` as in Occasion.
  Views(std::vector<journal::Log*> logs, Clock& clock, ViewsSettings settings,
        std::function<std::string(std::string_view)> blind_index);
  ~Views();  // stop()
  Views(const Views&) = delete;

  // Before start(). Several versions of a name stand side by side: all of them are folded, one
  // answers (ViewSwitched in proto/taizhang/admin/v1/events.proto decides which).
  void add(View view);
  // Before start(). `close_time` asks the partition's owner for a record of now or later, so that a
  // moment that has just passed becomes final; false: it is not here. Without it, and where that
  // takes longer than final_wait_us, such answers say that they are provisional.
  void close_times_with(std::function<bool(int partition)> close_time);

  // Opens every view's files, compares their positions with the journal, and starts folding. The
  // journal may still be empty. FAILED_PRECONDITION: another process has the directory. DATA_LOSS: the journal is not the one a view's files were made of;
  // names the view and the place. FAILED_PRECONDITION: it has another number of partitions.
  absl::Status start();
  // Writes the files and ends the threads; pending reads are answered UNAVAILABLE.
  void stop();

  // Puts every query and stream of the views into the dispatcher; before serving.
  void register_queries(Dispatcher& dispatcher);

  // Runs one query by its full method name, as the dispatcher would behind its checks. `places`: of
  // the answer's rows, when it is not null; filled before `done` is called.
  void ask(std::string_view method, const Call& call,
           std::shared_ptr<const google::protobuf::Message> request, Done done,
           std::shared_ptr<RowPlaces> places = nullptr);
  // A query by the full name of its request.
  struct Query {
    const google::protobuf::MethodDescriptor* method = nullptr;
    std::shared_ptr<LiveView> view;
    std::string view_name;
  };
  // Nothing: no view of this process answers such a request.
  std::optional<Query> query_of(std::string_view request_type) const;
  // The version of a view that answers now. Null: no such view.
  std::shared_ptr<LiveView> live(std::string_view view) const;
  // Every event, as far as the view that keeps them holds it.
  const EventSource& events() const;
  // The key that seals tokens, 32 bytes; after start().
  const std::string& page_token_key() const;

  // Versions of a view follow each other, ascending.
  std::vector<ViewStatus> status() const;
  // Here and below, version 0 is the live one. Nothing: no such view.
  std::optional<ViewStatus> status(std::string_view view, int32_t version = 0) const;
  // Files of views that this program does not have, by name and version; kept until drop().
  std::vector<ViewFiles> unknown_files() const;
  // By partition; empty before start().
  std::vector<PartitionStatus> partitions() const;
  // Deletes what the view holds and folds everything again. NOT_FOUND: no such view.
  absl::Status rebuild(std::string_view view, int32_t version = 0);
  // Deletes the files of a version that is not live; it stays so over a restart, until rebuild().
  // NOT_FOUND: neither the program nor the disk has it. FAILED_PRECONDITION: it answers queries.
  absl::Status drop(std::string_view view, int32_t version);
  // Folds everything again in a scratch directory up to where the view stands and compares every
  // row version. Takes as long as a rebuild; the view goes on meanwhile. NOT_FOUND: no such view.
  // NOT_FOUND, OUT_OF_RANGE: also of the scope's ledger and seq.
  absl::StatusOr<VerifyReport> verify(std::string_view view, int32_t version = 0,
                                      const VerifyScope& scope = {});
  // Two versions of a view, each ledger at the last seq that both hold or at the scope's. Errors as
  // of verify().
  absl::StatusOr<ViewComparison> compare(std::string_view view, int32_t version,
                                         int32_t other_version, const VerifyScope& scope = {});
  // Of one ledger, or of all by code when `ledger` is empty. With `seq` as of that seq, which needs
  // a ledger and reads all of its rows. NOT_FOUND: no such view (the message names it) or the view
  // does not hold the ledger. OUT_OF_RANGE: it does not hold the seq. UNAVAILABLE: it is being
  // built.
  absl::StatusOr<std::vector<LedgerDigest>> digests(std::string_view view, std::string_view ledger,
                                                    std::optional<int64_t> seq,
                                                    int32_t version = 0) const;
  // Blocks until every view has folded what the journal holds now, or stands still. False:
  // `timeout_us` passed.
  bool catch_up(int64_t timeout_us);
  // Calls and subscriptions that wait for a view to hold more.
  int64_t waiting() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace taizhang
