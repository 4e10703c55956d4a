// Tells many threads that something has grown, without saying what.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>

#include "absl/time/time.h"

namespace taizhang::projection {

// Thread-safe. Take count() first, then look, then wait beyond it: nothing is missed in between.
class Signal {
 public:
  uint64_t count() const;
  void raise();
  // Returns when it was raised after `seen` was taken, or after `timeout`.
  void wait_beyond(uint64_t seen, absl::Duration timeout);

 private:
  mutable std::mutex mutex_;
  std::condition_variable raised_;
  uint64_t count_ = 0;
};

}  // namespace taizhang::projection
