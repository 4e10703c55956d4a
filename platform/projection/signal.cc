// A counter that can be waited for.
#include "platform/projection/signal.h"

namespace taizhang::projection {

uint64_t Signal::count() const {
  const std::lock_guard lock(mutex_);
  return count_;
}

void Signal::raise() {
  {
    const std::lock_guard lock(mutex_);
    ++count_;
  }
  raised_.notify_all();
}

void Signal::wait_beyond(uint64_t seen, absl::Duration timeout) {
  std::unique_lock lock(mutex_);
  raised_.wait_for(lock, absl::ToChronoNanoseconds(timeout), [&] { return count_ != seen; });
}

}  // namespace taizhang::projection
