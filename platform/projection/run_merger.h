// Merges the files that a build of a view adds.
//
// Each of them ("run") overlaps all others, so that they stand in RocksDB's uppermost level. Left
// to itself RocksDB merges that level into the next again and again, and writes rows of the next
// one each time. While a view is built a thread here makes one file of kRunsMax runs instead: a row
// is written once more for each factor of kRunsMax in the number of runs, and the last time when
// RocksDB merges what the build leaves. Not thread-safe; meanwhile others may use the database.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <thread>

#include "absl/status/status.h"

namespace rocksdb {
class DB;
}

namespace taizhang::projection {

class RunMerger {
 public:
  // Runs that wait to be merged; while a merge is under way there may be twice as many.
  static constexpr size_t kRunsMax = 128;

  // `db` must outlive it.
  explicit RunMerger(rocksdb::DB& db) : db_(db) {}
  // What is under way ends without a result; nothing can be written to `db` afterwards.
  ~RunMerger();

  // Before a run is added in a build: merges those that are there when they are many, and waits
  // when they are too many. Not OK: the last merge failed; the next call tries another.
  absl::Status make_room();

 private:
  void merge();

  rocksdb::DB& db_;
  size_t merged_ = 0;  // so many of the oldest files of the uppermost level came from merges
  std::thread thread_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool merging_ = false;
  absl::Status status_;
};

}  // namespace taizhang::projection
