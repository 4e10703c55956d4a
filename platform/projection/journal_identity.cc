// UUID and number of partitions of the journal that is read.
#include "platform/projection/journal_identity.h"

#include <string>

#include "platform/base/sha256.h"

namespace taizhang::projection {

absl::Status JournalIdentity::learn(const journal::Fold& fold) {
  if (fold.partition_count() != static_cast<uint32_t>(partitions_)) {
    return absl::FailedPreconditionError(
        "the journal has " + std::to_string(fold.partition_count()) +
        " partitions, this process reads " + std::to_string(partitions_));
  }
  const std::lock_guard lock(mutex_);
  if (known_ && known_->uuid != fold.uuid()) {
    return absl::FailedPreconditionError("partition " + std::to_string(fold.partition()) +
                                         " is of journal " + hex(journal::bytes_of(fold.uuid())) +
                                         ", the others are of " +
                                         hex(journal::bytes_of(known_->uuid)));
  }
  known_ = journal::GenesisExpectation{fold.uuid(), fold.partition_count()};
  learned_.notify_all();
  return absl::OkStatus();
}

bool JournalIdentity::wait(absl::Duration timeout) const {
  std::unique_lock lock(mutex_);
  return learned_.wait_for(lock, absl::ToChronoNanoseconds(timeout),
                           [&] { return known_.has_value(); });
}

absl::StatusOr<journal::Fold> JournalIdentity::fold_from_start(int partition) const {
  const std::lock_guard lock(mutex_);
  if (!known_ && partition != 0) {
    return absl::UnavailableError("partition " + std::to_string(partition) +
                                  " cannot be read before the journal has its first record");
  }
  return journal::Fold(static_cast<uint32_t>(partition), known_);
}

}  // namespace taizhang::projection
