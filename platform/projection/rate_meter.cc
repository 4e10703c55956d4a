// A sliding window of samples.
#include "platform/projection/rate_meter.h"

#include <algorithm>

namespace taizhang::projection {
namespace {

constexpr int64_t kWindowUs = 10'000'000;
constexpr int64_t kSpacingUs = 250'000;

}  // namespace

void RateMeter::add(int64_t now_us, int64_t total) {
  while (!samples_.empty() && samples_.front().time_us < now_us - kWindowUs) samples_.pop_front();
  // What came after a silence began when the silence ended, not before it.
  if (samples_.empty()) {
    samples_.push_back({now_us, total_});
  } else if (now_us - samples_.back().time_us >= kSpacingUs) {
    samples_.push_back({now_us, total});
  }
  total_ = total;
}

double RateMeter::per_second(int64_t now_us) const {
  const auto oldest =
      std::find_if(samples_.begin(), samples_.end(),
                   [now_us](const Sample& sample) { return sample.time_us >= now_us - kWindowUs; });
  if (oldest == samples_.end()) return 0;
  const auto elapsed_us = std::max(now_us - oldest->time_us, kSpacingUs);
  return static_cast<double>(total_ - oldest->total) * 1e6 / static_cast<double>(elapsed_us);
}

}  // namespace taizhang::projection
