// The engine of the read side: reads the journal, folds it into every view, answers their queries.
//
// Each view has one RocksDB of its own and one thread; views never hold each other back. Rows and
// the position they reflect stand in one write batch without a log: the journal is their log.
// Everything is thread-safe after start().
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
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
  // Decoded batches kept for views that are not as far as the fastest, stored event bytes.
  int64_t shared_batches_bytes_max = int64_t{16} << 20;
  // Live: how long the feed gathers commits before it hands them over, microseconds.
  int64_t gather_us = 1'000;
  // Threads that run queries which had to wait for at_least_seq.
  int late_query_threads = 2;
  // Files are written at the latest after so many events: what is folded again after a crash.
  int64_t flush_events_max = 500'000;
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
  int64_t position = 0;  // next journal offset
  int64_t journal_end = 0;
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

// Difference that verify() found.
struct VerifyReport {
  bool equal = false;
  int64_t ledgers = 0;
  int64_t versions = 0;    // row versions compared
  int64_t events = 0;      // folded again
  std::string digest;      // of all ledgers, 64 hexadecimal digits
  std::string difference;  // the first differing row and seq, in words; empty when equal
};

class Views {
 public:
  // References must outlive the Views. `blind_index` as in Occasion.
  Views(journal::Log& log, Clock& clock, ViewsSettings settings,
        std::function<std::string(std::string_view)> blind_index);
  ~Views();  // stop()
  Views(const Views&) = delete;

  // Before start().
  void add(View view);

  // Opens every view's files, compares their positions with the journal, and starts folding.
  // DATA_LOSS: a view's files are damaged or the journal is not the one they were made of; names
  // the view and the place.
  absl::Status start();
  // Writes the files and ends the threads; pending reads are answered UNAVAILABLE.
  void stop();

  // Puts every query and stream of the views into the dispatcher; before serving.
  void register_queries(Dispatcher& dispatcher);

  // Runs one query by its full method name, as the dispatcher would. For tests and tools in
  // process.
  void ask(std::string_view method, const Call& call,
           std::shared_ptr<const google::protobuf::Message> request, Done done);

  std::vector<ViewStatus> status() const;
  // Deletes what the view holds and folds everything again. NOT_FOUND: no such view.
  absl::Status rebuild(std::string_view view);
  // Folds everything again in a scratch directory up to where the view stands and compares every
  // row version. Takes as long as a rebuild; the view goes on meanwhile. NOT_FOUND: no such view.
  absl::StatusOr<VerifyReport> verify(std::string_view view);
  // Blocks until every view has folded what the journal holds now, or stands still. False:
  // `timeout_us` passed.
  bool catch_up(int64_t timeout_us);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace taizhang
