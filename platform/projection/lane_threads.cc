// Side by side.
#include "platform/projection/lane_threads.h"

namespace taizhang::projection {

LaneThreads::LaneThreads(int lanes) {
  for (int lane = 1; lane < lanes; ++lane) threads_.emplace_back([this, lane] { run_lane(lane); });
}

LaneThreads::~LaneThreads() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  begun_.notify_all();
  for (auto& thread : threads_) thread.join();
}

void LaneThreads::run(const std::function<void(int)>& work) {
  {
    const std::lock_guard lock(mutex_);
    work_ = &work;
    ++job_;
    running_ = static_cast<int>(threads_.size());
  }
  begun_.notify_all();
  work(0);
  std::unique_lock lock(mutex_);
  done_.wait(lock, [this] { return running_ == 0; });
}

void LaneThreads::run_lane(int lane) {
  uint64_t seen = 0;
  std::unique_lock lock(mutex_);
  for (;;) {
    begun_.wait(lock, [&] { return stopping_ || job_ != seen; });
    if (stopping_) return;
    seen = job_;
    const auto& work = *work_;
    lock.unlock();
    work(lane);
    lock.lock();
    if (--running_ == 0) done_.notify_one();
  }
}

}  // namespace taizhang::projection
