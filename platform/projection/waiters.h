// Calls that wait until a view holds a seq: woken by the fold, or by their deadline, without
// polling.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include "platform/base/clock.h"

namespace taizhang::projection {

// Thread-safe. Woken calls run on its own threads.
class Waiters {
 public:
  // `clock` must outlive it.
  Waiters(Clock& clock, int threads);
  ~Waiters();  // stop()

  // Runs `ready` once: when reached(view, ledger, at least seq) is told, at the deadline, or at
  // wake(view) and stop(). Whoever adds one looks again afterwards whether it has been reached
  // meanwhile, and tells.
  uint64_t add(const void* view, const std::string& ledger, int64_t seq, int64_t deadline_boot_us,
               std::function<void()> ready);
  // Forgets it when it is still waiting.
  void cancel(uint64_t id);
  // Cheap when nobody waits.
  void reached(const void* view, const std::string& ledger, int64_t seq);
  // Runs all that wait for this view.
  void wake(const void* view);
  int64_t waiting() const { return count_.load(); }
  // Runs everything that waits, and ends the threads.
  void stop();

 private:
  using Place = std::tuple<const void*, std::string, int64_t, uint64_t>;  // view, ledger, seq, id
  struct Waiting {
    uint64_t id;
    int64_t deadline_boot_us;
    std::function<void()> ready;
  };
  void run();
  void take(std::map<Place, Waiting>::iterator waiting);

  Clock& clock_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<Place, Waiting> waiting_;
  std::map<uint64_t, Place> places_;
  std::set<std::pair<int64_t, uint64_t>> deadlines_;  // with the id
  std::deque<std::function<void()>> ready_;
  std::atomic<int64_t> count_{0};
  uint64_t next_id_ = 1;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace taizhang::projection
