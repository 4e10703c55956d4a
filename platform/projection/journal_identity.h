// Which journal the partitions belong to: the Genesis of partition 0 says it, the others must
// match.
#pragma once

#include <condition_variable>
#include <mutex>
#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "platform/journal/fold.h"

namespace taizhang::projection {

// A reader may start before the journal has its first record, so it is learned on the way.
// Thread-safe.
class JournalIdentity {
 public:
  // `partitions`: how many logs this process reads.
  explicit JournalIdentity(int partitions) : partitions_(partitions) {}

  // What a fold that has read its Genesis says. FAILED_PRECONDITION: another journal than the one
  // known, or one of another number of partitions.
  absl::Status learn(const journal::Fold& fold);
  // Waits at most `timeout`. False: nobody knows it yet.
  bool wait(absl::Duration timeout) const;
  // A fold of a partition's first record. UNAVAILABLE: not known yet, and the partition is not the
  // one that says it.
  absl::StatusOr<journal::Fold> fold_from_start(int partition) const;

 private:
  const int partitions_;
  mutable std::mutex mutex_;
  mutable std::condition_variable learned_;
  std::optional<journal::GenesisExpectation> known_;
};

}  // namespace taizhang::projection
