// Where a republisher may begin again without reading everything: derived, and a lower bound.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "platform/base/sha256.h"

namespace taizhang::republish {

// Two places that are each right alone. Too low costs copies that the consumer rule ignores; a
// missing one costs reading from the start. Default: nothing is known.
struct Checkpoint {
  // The journal: its fold after the event with the ordinal journal_k. Empty row: from its start.
  std::string partition_row;
  std::map<std::string, std::string> ledger_rows;
  int64_t journal_k = 0;
  // The clean topic: the record before clean_offset is a copy of clean_k with this digest, and the
  // consumer rule reaches at least clean_k up to there. clean_k 0: from its start.
  int64_t clean_offset = 0;
  int64_t clean_k = 0;
  Sha256Digest clean_digest{};

  friend bool operator==(const Checkpoint&, const Checkpoint&) = default;
};

// Nothing known when the file is missing or not whole: it is derived. INTERNAL: it cannot be read.
absl::StatusOr<Checkpoint> load_checkpoint(const std::string& path);
// Replaces the file whole, or leaves the old one. It need not survive a power cut.
absl::Status save_checkpoint(const std::string& path, const Checkpoint& checkpoint);

}  // namespace taizhang::republish
