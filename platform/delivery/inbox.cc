// Tasks for one thread.
#include "platform/delivery/inbox.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace taizhang::delivery {

bool Inbox::post(Task task) {
  {
    const std::lock_guard lock(mutex_);
    if (closed_) return false;
    tasks_.push_back(std::move(task));
  }
  changed_.notify_one();
  return true;
}

std::optional<std::vector<Inbox::Task>> Inbox::take(Clock& clock, int64_t deadline_boot_us) {
  std::unique_lock lock(mutex_);
  const int64_t wait_us = std::max<int64_t>(0, deadline_boot_us - clock.boot_us());
  changed_.wait_for(lock, std::chrono::microseconds(wait_us),
                    [this] { return closed_ || !tasks_.empty(); });
  if (closed_) return std::nullopt;
  return std::exchange(tasks_, {});
}

std::vector<Inbox::Task> Inbox::close() {
  std::vector<Task> left;
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    left.swap(tasks_);
  }
  changed_.notify_one();
  return left;
}

}  // namespace taizhang::delivery
