// Threads that do the parts of one job side by side, as often as there is one.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace taizhang::projection {

// Of one thread, which does the first part itself.
class LaneThreads {
 public:
  explicit LaneThreads(int lanes);
  ~LaneThreads();

  // Calls work(0) to work(lanes - 1), each on a thread of its own, and waits for them.
  void run(const std::function<void(int)>& work);

 private:
  void run_lane(int lane);

  std::mutex mutex_;
  std::condition_variable begun_;
  std::condition_variable done_;
  const std::function<void(int)>* work_ = nullptr;
  uint64_t job_ = 0;
  int running_ = 0;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace taizhang::projection
