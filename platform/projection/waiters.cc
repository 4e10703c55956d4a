// Waiting without polling.
#include "platform/projection/waiters.h"

#include <algorithm>
#include <chrono>
#include <limits>

namespace taizhang::projection {

Waiters::Waiters(Clock& clock, int threads) : clock_(clock) {
  for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { run(); });
}

Waiters::~Waiters() { stop(); }

uint64_t Waiters::add(const void* view, const std::string& ledger, int64_t seq,
                      int64_t deadline_boot_us, std::function<void()> ready) {
  std::unique_lock lock(mutex_);
  const uint64_t id = next_id_++;
  if (stopping_) {  // the threads may be gone
    lock.unlock();
    ready();
    return id;
  }
  const Place place{view, ledger, seq, id};
  waiting_.emplace(place, Waiting{id, deadline_boot_us, std::move(ready)});
  places_.emplace(id, place);
  deadlines_.emplace(deadline_boot_us, id);
  count_.fetch_add(1);
  changed_.notify_one();
  return id;
}

void Waiters::take(std::map<Place, Waiting>::iterator waiting) {
  auto& [id, deadline, ready] = waiting->second;
  deadlines_.erase({deadline, id});
  ready_.push_back(std::move(ready));
  places_.erase(id);
  waiting_.erase(waiting);
  count_.fetch_sub(1);
  changed_.notify_one();
}

void Waiters::cancel(uint64_t id) {
  const std::lock_guard lock(mutex_);
  const auto place = places_.find(id);
  if (place == places_.end()) return;
  take(waiting_.find(place->second));
  ready_.pop_back();
}

void Waiters::reached(const void* view, const std::string& ledger, int64_t seq) {
  // Pairs with add(): either it sees what the view has just published, or this sees that somebody
  // waits.
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if (count_.load() == 0) return;
  const std::lock_guard lock(mutex_);
  for (;;) {
    const auto first =
        waiting_.lower_bound(Place{view, ledger, std::numeric_limits<int64_t>::min(), 0});
    if (first == waiting_.end() || std::get<0>(first->first) != view ||
        std::get<1>(first->first) != ledger || std::get<2>(first->first) > seq) {
      return;
    }
    take(first);
  }
}

void Waiters::wake(const void* view) {
  const std::lock_guard lock(mutex_);
  for (;;) {
    const auto first =
        waiting_.lower_bound(Place{view, "", std::numeric_limits<int64_t>::min(), 0});
    if (first == waiting_.end() || std::get<0>(first->first) != view) return;
    take(first);
  }
}

void Waiters::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    if (!ready_.empty()) {
      auto ready = std::move(ready_.front());
      ready_.pop_front();
      lock.unlock();
      ready();
      ready = nullptr;
      lock.lock();
      continue;
    }
    if (stopping_) return;
    if (deadlines_.empty()) {
      changed_.wait(lock);
      continue;
    }
    const auto [deadline, id] = *deadlines_.begin();
    const int64_t left_us = deadline - clock_.boot_us();
    if (left_us <= 0) {
      take(waiting_.find(places_.find(id)->second));
    } else {
      changed_.wait_for(lock, std::chrono::microseconds(left_us));
    }
  }
}

void Waiters::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    while (!waiting_.empty()) take(waiting_.begin());
    changed_.notify_all();
  }
  for (auto& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
  // What came while the threads ended.
  for (;;) {
    std::function<void()> ready;
    {
      const std::lock_guard lock(mutex_);
      if (ready_.empty()) return;
      ready = std::move(ready_.front());
      ready_.pop_front();
    }
    ready();
  }
}

}  // namespace taizhang::projection
