// How fast a total has grown over the last seconds.
#pragma once

#include <cstdint>
#include <deque>

namespace taizhang::projection {

// Not thread-safe.
class RateMeter {
 public:
  // `total` never falls; `now_us` is the boot-time clock.
  void add(int64_t now_us, int64_t total);
  // Mean of the last ten seconds; 0: nothing has moved in them.
  double per_second(int64_t now_us) const;

 private:
  struct Sample {
    int64_t time_us;
    int64_t total;
  };
  std::deque<Sample> samples_;  // oldest first, a quarter of a second or more apart
  int64_t total_ = 0;
};

}  // namespace taizhang::projection
