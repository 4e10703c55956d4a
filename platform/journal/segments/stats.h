// Counters of the segment engine, for metrics. Thread-safe; each counter is exact, together they
// are not one moment.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace taizhang::journal::segments {

// Upper bounds of the sync-time buckets, microseconds; the last bucket has none.
inline constexpr std::array<int64_t, 10> kSyncBucketsUs = {50,    100,   200,    400,     800,
                                                           1'600, 5'000, 20'000, 100'000, 500'000};

struct StatsSnapshot {
  int64_t groups = 0;  // synced groups of records
  int64_t marks = 0;   // empty groups
  int64_t records = 0;
  int64_t bytes = 0;                                       // written, with frame headers
  int64_t sealed = 0;                                      // segments sealed since the start
  std::array<int64_t, kSyncBucketsUs.size() + 1> syncs{};  // not cumulative
  int64_t sync_us_sum = 0;
  int64_t segments = 0;
  int64_t free_bytes = 0;  // -1: unknown
  bool disk_full = false;  // no next segment could be made
};

class Stats {
 public:
  void add_group(int64_t records, int64_t bytes) {
    (records > 0 ? groups_ : marks_).fetch_add(1, std::memory_order_relaxed);
    records_.fetch_add(records, std::memory_order_relaxed);
    bytes_.fetch_add(bytes, std::memory_order_relaxed);
  }
  void add_seal() { sealed_.fetch_add(1, std::memory_order_relaxed); }
  void add_sync(int64_t us) {
    size_t bucket = 0;
    while (bucket < kSyncBucketsUs.size() && us > kSyncBucketsUs[bucket]) ++bucket;
    syncs_[bucket].fetch_add(1, std::memory_order_relaxed);
    sync_us_sum_.fetch_add(us, std::memory_order_relaxed);
  }
  StatsSnapshot snapshot() const {
    StatsSnapshot out;
    out.groups = groups_.load(std::memory_order_relaxed);
    out.marks = marks_.load(std::memory_order_relaxed);
    out.records = records_.load(std::memory_order_relaxed);
    out.bytes = bytes_.load(std::memory_order_relaxed);
    out.sealed = sealed_.load(std::memory_order_relaxed);
    for (size_t i = 0; i < syncs_.size(); ++i)
      out.syncs[i] = syncs_[i].load(std::memory_order_relaxed);
    out.sync_us_sum = sync_us_sum_.load(std::memory_order_relaxed);
    return out;
  }

 private:
  std::atomic<int64_t> groups_{0}, marks_{0}, records_{0}, bytes_{0}, sealed_{0}, sync_us_sum_{0};
  std::array<std::atomic<int64_t>, kSyncBucketsUs.size() + 1> syncs_{};
};

}  // namespace taizhang::journal::segments
