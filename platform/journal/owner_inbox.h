// What the two halves of the owner share: the inbox of reports, and how long they wait at a time.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "platform/journal/owner.h"

namespace taizhang::journal {

// Waiting is counted in slices, not by a clock: a simulated engine returns at once, and the wait
// still ends.
inline constexpr int64_t kOwnerWaitSliceUs = 50'000;

// Reports wait here between the engine's thread and poll(). Shared with the engine's sink, so that
// a report that comes while the Owner dies finds something alive.
struct Owner::Inbox {
  std::mutex mutex;
  std::condition_variable arrived;
  std::vector<AppendReport> reports;
  std::function<void()> waker;

  void put(AppendReport report) {
    const std::lock_guard lock(mutex);
    reports.push_back(std::move(report));
    // One wake per batch: poll() takes everything.
    if (reports.size() > 1) return;
    arrived.notify_one();
    if (waker) waker();
  }
  void wait(absl::Duration timeout) {
    std::unique_lock lock(mutex);
    arrived.wait_for(lock, absl::ToChronoMicroseconds(timeout),
                     [this] { return !reports.empty(); });
  }
  std::vector<AppendReport> take() {
    const std::lock_guard lock(mutex);
    return std::exchange(reports, {});
  }
};

inline absl::Status with_prefix(const std::string& what, const absl::Status& status) {
  return absl::Status(status.code(), what + std::string(status.message()));
}

}  // namespace taizhang::journal
