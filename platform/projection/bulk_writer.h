// Writes large runs of row versions into a view's files as sorted files, beside the fold.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "platform/projection/puts.h"
#include "platform/projection/store.h"

namespace taizhang::projection {

// One set of puts at a time. Of one thread; the sorting and writing is done on another.
class BulkWriter {
 public:
  explicit BulkWriter(std::shared_ptr<Store> store);
  // Waits for what is being written.
  ~BulkWriter();

  // Begins to write them all or nothing; the last ones must be in the store. They must live, and
  // not change, until then.
  void start(std::vector<const Puts*> puts);
  // Waits for what was started; OK as well when nothing was. RESOURCE_EXHAUSTED: no disk; wait()
  // again tries it again.
  absl::Status wait();
  // Whether wait() would not wait.
  bool idle() const;

 private:
  void run();

  const std::shared_ptr<Store> store_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<const Puts*> puts_;
  bool busy_ = false;
  bool stopping_ = false;
  absl::Status status_;
  std::thread thread_;
};

}  // namespace taizhang::projection
