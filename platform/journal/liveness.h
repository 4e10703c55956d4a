// Whether the owner of a partition seems dead (design §3.4). A suspicion decides nothing: the claim
// that follows it is judged by the fold; a wrong one only costs the owner its place.
#pragma once

#include <cstdint>
#include <vector>

#include "platform/journal/heartbeat.h"

namespace taizhang::journal {

struct LivenessSettings {
  // Own heartbeats that came back since the owner's last: so silence means the owner, and not a
  // channel that is down or an observer that slept.
  int silent_beats = 6;
  // The same since the owner's last progress while it had work waiting.
  int stuck_beats = 40;
};

// Pure; counted in the order of the heartbeats' log, without a clock. Not thread-safe.
class Liveness {
 public:
  Liveness(Id128 observer, LivenessSettings settings) : observer_(observer), settings_(settings) {}

  // The claim the fold holds current; a new one gets the whole time anew.
  void watch(uint32_t partition, uint64_t epoch, const Id128& owner);
  void hear(const Heartbeat& beat);
  // Of the watched claim of the partition.
  bool suspected(uint32_t partition) const;
  // Somebody served, or claimed, from a higher epoch than the watched one since the last call.
  bool take_outrun(uint32_t partition);
  const Id128& observer() const { return observer_; }

 private:
  struct Watched {
    uint64_t epoch = 0;
    Id128 owner{};
    uint64_t progress = 0;
    bool outrun = false;
    int beats_since_heard = 0;
    int beats_since_progress = 0;
  };
  Watched& watched(uint32_t partition);

  const Id128 observer_;
  const LivenessSettings settings_;
  std::vector<Watched> partitions_;
};

}  // namespace taizhang::journal
