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
  int64_t row_cache_bytes_per_view = int64_t{32} << 20;
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
};

// State of one view, for metrics, health and operators.
struct ViewStatus {
  std::string name;
  int32_t version = 0;
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

// Difference that verify() found.
struct VerifyReport {
  bool equal = false;
  int64_t ledgers = 0;
  int64_t versions = 0;    // row versions compared
  int64_t events = 0;      // folded again
  std::string digest;      // of all ledgers, 64 hexadecimal digits
  std::string difference;  // the first differing row and seq, in words; empty when equal
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

  // Before start().
  void add(View view);
  // Before start(). `close_time` asks the partition's owner for a record of now or later, so that a
  // moment that has just passed becomes final; false: it is not here. Without it, and where that
  // takes longer than final_wait_us, such answers say that they are provisional.
  void close_times_with(std::function<bool(int partition)> close_time);

  // Opens every view's files, compares their positions with the journal, and starts folding. The
  // journal may still be empty. DATA_LOSS: the journal is not the one a view's files were made of;
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
  };
  // Nothing: no view of this process answers such a request.
  std::optional<Query> query_of(std::string_view request_type) const;
  // Every event, as far as the view that keeps them holds it.
  const EventSource& events() const;
  // The key that seals tokens, 32 bytes; after start().
  const std::string& page_token_key() const;

  std::vector<ViewStatus> status() const;
  // Nothing: no such view.
  std::optional<ViewStatus> status(std::string_view view) const;
  // By partition; empty before start().
  std::vector<PartitionStatus> partitions() const;
  // Deletes what the view holds and folds everything again. NOT_FOUND: no such view.
  absl::Status rebuild(std::string_view view);
  // Folds everything again in a scratch directory up to where the view stands and compares every
  // row version. Takes as long as a rebuild; the view goes on meanwhile. NOT_FOUND: no such view.
  absl::StatusOr<VerifyReport> verify(std::string_view view);
  // Of one ledger, or of all by code when `ledger` is empty. With `seq` as of that seq, which needs
  // a ledger and reads all of its rows. NOT_FOUND: no such view (the message names it) or the view
  // does not hold the ledger. OUT_OF_RANGE: it does not hold the seq. UNAVAILABLE: it is being
  // built.
  absl::StatusOr<std::vector<LedgerDigest>> digests(std::string_view view, std::string_view ledger,
                                                    std::optional<int64_t> seq) const;
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
