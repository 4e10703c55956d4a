// Counting signs of life.
#include "platform/journal/liveness.h"

#include <utility>

namespace taizhang::journal {

Liveness::Watched& Liveness::watched(uint32_t partition) {
  if (partition >= partitions_.size()) partitions_.resize(partition + 1);
  return partitions_[partition];
}

void Liveness::watch(uint32_t partition, uint64_t epoch, const Id128& owner) {
  Watched& one = watched(partition);
  if (one.epoch == epoch && one.owner == owner) return;
  one = Watched();
  one.epoch = epoch;
  one.owner = owner;
}

void Liveness::hear(const Heartbeat& beat) {
  if (beat.epoch == 0) {
    if (beat.sender != observer_) return;
    for (Watched& one : partitions_) {
      ++one.beats_since_heard;
      ++one.beats_since_progress;
    }
    return;
  }
  if (beat.partition >= partitions_.size()) return;
  Watched& one = partitions_[beat.partition];
  one.outrun |= beat.epoch > one.epoch;
  if (beat.epoch != one.epoch || beat.owner != one.owner) return;
  one.beats_since_heard = 0;
  if (!beat.waiting || beat.progress != one.progress) one.beats_since_progress = 0;
  one.progress = beat.progress;
}

bool Liveness::suspected(uint32_t partition) const {
  if (partition >= partitions_.size()) return false;
  const Watched& one = partitions_[partition];
  return one.beats_since_heard >= settings_.silent_beats ||
         one.beats_since_progress >= settings_.stuck_beats;
}

bool Liveness::take_outrun(uint32_t partition) {
  return partition < partitions_.size() && std::exchange(partitions_[partition].outrun, false);
}

}  // namespace taizhang::journal
