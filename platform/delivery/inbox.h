// What other threads ask of the delivering thread. Thread-safe.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <vector>

#include "platform/base/clock.h"

namespace taizhang::delivery {

class Inbox {
 public:
  using Task = std::function<void()>;
  // False: closed, the task will never run.
  bool post(Task task);
  // Waits until there is a task, or until `deadline_boot_us`. Empty: none came. Nothing: closed.
  std::optional<std::vector<Task>> take(Clock& clock, int64_t deadline_boot_us);
  // Nothing is taken in any more; what was still there.
  std::vector<Task> close();

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Task> tasks_;
  bool closed_ = false;
};

}  // namespace taizhang::delivery
