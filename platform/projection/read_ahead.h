// Reads batches on a thread of its own, a few ahead: for a view that is behind, and for rebuilding
// in a scratch place.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>

#include "absl/status/statusor.h"
#include "platform/projection/batch_reader.h"

namespace taizhang::projection {

class ReadAhead {
 public:
  // Reads up to `end_offset`. `reader` must outlive it and is not touched otherwise meanwhile.
  ReadAhead(BatchReader& reader, int64_t end_offset);
  ~ReadAhead();

  // The next batch; null: end_offset is reached, or the journal holds no more.
  absl::StatusOr<std::shared_ptr<const Batch>> next();

 private:
  void run(int64_t end_offset);

  BatchReader& reader_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<absl::StatusOr<std::shared_ptr<const Batch>>> ready_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace taizhang::projection
