// The journal as segment files of one machine: the embedded default (design §3.5).
//
// One deciding thread produces; one thread at a time writes and syncs a group: the engine's own, or
// the caller's inside flush(true). A third thread makes the next segment ahead and sums the digest.
// No fork while it is open.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "platform/base/clock.h"
#include "platform/base/file.h"
#include "platform/journal/log.h"
#include "platform/journal/segments/catalog.h"
#include "platform/journal/segments/recovery.h"
#include "platform/journal/segments/stats.h"

namespace taizhang::journal::segments {

struct SegmentOptions {
  std::string directory;
  // Of new segments; those that exist keep theirs. A multiple of 4096, at least kSegmentBytesMin.
  // Below 2 MiB a record of the full bound does not fit, which only tests want.
  int64_t segment_bytes = int64_t{64} << 20;
  // A group that reaches this is closed and the next one begun.
  int64_t group_bytes_max = 4 << 20;
  // After this long without a group an empty one says that the last was synced.
  int64_t idle_mark_us = 5'000;
  // How long after a full disk the next segment is tried again.
  int64_t disk_full_retry_us = 1'000'000;

  // Seams.
  FileSystem* files = &system_files();
  Random* random = &system_random();
  Clock* clock = &system_clock();
  // False: a simulation; nothing happens but inside a call, and idle marks come from write_mark().
  bool threads = true;
  // A failed sync or write: nobody knows what is on the disk, and going on could acknowledge what
  // is not there. Default: says why and ends the process. When a test's returns, the log is dead:
  // every append reports INTERNAL.
  std::function<void(const absl::Status&)> on_fatal;
};

class SegmentLog : public Log {
 public:
  // Locks the directory, recovers, and makes the journal if there is none. FAILED_PRECONDITION:
  // another process has it, or the file system is none that can be relied on. DATA_LOSS: damage
  // below a durable mark, named by file, position and seq; nothing was changed. RESOURCE_EXHAUSTED:
  // no space for the first segment.
  static absl::StatusOr<std::unique_ptr<SegmentLog>> open(SegmentOptions options);
  // Like close() with threads; without them like a process that is killed.
  ~SegmentLog() override;

  absl::Status produce(std::string bytes, uint64_t tag) override;
  void flush(bool inline_ok) override;
  void set_report_sink(ReportSink sink) override;
  std::unique_ptr<Cursor> read(int64_t offset) override { return make_cursor(catalog_, offset); }
  int64_t end() const override { return catalog_->end().n; }
  int64_t wait_beyond(int64_t offset, absl::Duration timeout) override;
  absl::Status room() const override;
  std::string uuid() const override { return std::string(bytes_of(uuid_)); }
  bool exclusive() const override { return true; }

  // Writes what waits, and the mark that covers it. Idempotent.
  void close();

  // Writes and syncs one waiting group in this thread, if no other thread is at it; true if there
  // was one.
  bool flush_once();
  // Writes an empty group that says the last one was synced, if anything is still uncovered and
  // nothing waits.
  void write_mark();

  // Without threads: tries to make the next segment if it is missing.
  void maintain();

  const RecoveryReport& recovery() const { return recovery_; }
  StatsSnapshot stats() const;

 private:
  struct Segment {
    SegmentHeader header;
    uint32_t seed = 0;
    std::shared_ptr<File> file;
  };
  // Frames that are written and synced together, in one segment.
  struct Group {
    std::shared_ptr<Segment> segment;
    int64_t at = 0;  // place in the file
    int64_t first_n = 0;
    std::string bytes;
    std::vector<uint64_t> tags;  // one for each record; empty: a mark
  };

  // Up to where the active segment may be summed.
  struct DigestLimit {
    uint64_t segment = 0;
    int64_t at = 0;
  };

  explicit SegmentLog(SegmentOptions options);
  absl::Status start();
  absl::StatusOr<Recovered> recover();
  absl::StatusOr<Recovered> create();
  absl::Status drop_ahead_of_other_size(Recovered& recovered);

  // Placing frames. Under mutex_.
  int64_t capacity() const;
  bool has_room(int64_t frame_bytes) const;
  absl::Status enter_next_segment(std::unique_lock<std::mutex>& lock);
  void make_next(std::unique_lock<std::mutex>& lock);
  Group& filling_group(int64_t frame_bytes);

  // Writing and syncing. Only with io_busy_; `lock` is given up while the disk works.
  void run_waiting(std::unique_lock<std::mutex>& lock);
  bool run_mark(std::unique_lock<std::mutex>& lock);
  void run_group(std::unique_lock<std::mutex>& lock, Group group);
  absl::Status write_group(Group& group);
  absl::Status seal_active(const Group& next);
  absl::Status timed_sync(File& file);
  void report(const Group& group, const absl::Status& status);
  void release_io(std::unique_lock<std::mutex>& lock);
  void fatal(const absl::Status& status);

  absl::Status sum_digest(uint64_t segment, int64_t upto);

  void flush_loop();
  void helper_loop();
  void stop_threads();

  SegmentOptions options_;
  std::unique_ptr<DirectoryLock> lock_;
  Id128 uuid_{};
  RecoveryReport recovery_;
  std::shared_ptr<Catalog> catalog_;
  Stats stats_;

  mutable std::mutex mutex_;
  std::condition_variable flush_wanted_;   // the flush thread waits
  std::condition_variable helper_wanted_;  // the helper waits
  std::condition_variable changed_;        // next segment ready or not; I/O finished
  bool closing_ = false;
  bool flush_requested_ = false;
  bool io_busy_ = false;       // one thread has the right to write, sync and report
  bool flush_asleep_ = false;  // without a timer
  bool uncovered_ = false;     // the last group's sync stands in no frame yet
  std::chrono::steady_clock::time_point last_io_{};
  absl::Status dead_;
  std::shared_ptr<const ReportSink> sink_;

  // Where produce() puts the next frame.
  std::shared_ptr<Segment> fill_;
  int64_t fill_at_ = kFramesAt;
  int64_t next_n_ = 0;
  std::deque<Group> waiting_;
  std::vector<std::string> spare_buffers_;
  // One segment ahead; null: not made yet, or why not.
  std::shared_ptr<Segment> next_;
  absl::Status next_failed_;
  std::deque<SegmentHeader> ahead_;  // found at the start without a frame; zeroed before use

  // Of the thread that has io_busy_.
  std::shared_ptr<Segment> active_;
  int64_t active_first_n_ = 0;
  int64_t active_end_ = kFramesAt;
  int64_t synced_position_ = 0;

  // The digest of the active segment, summed behind the writer so that no sync waits for it. Never
  // taken before mutex_.
  std::mutex digest_mutex_;
  std::shared_ptr<Segment> digest_of_;
  Sha256 digest_;
  int64_t digest_upto_ = 0;
  DigestLimit digest_limit_;      // under mutex_
  DigestLimit digest_requested_;  // under mutex_: what the helper was last woken for

  std::thread flush_thread_;
  std::thread helper_thread_;
};

}  // namespace taizhang::journal::segments
