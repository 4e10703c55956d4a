// Where commits stand in the journal, to build an answer again: ledger and first seq -> offset.
//
// In the store one row holds up to kOffsetsPerRow commits that follow each other:
//   'O' ledger(6) first_seq(8) -> (first_seq(8) offset(8))*, numbers as key.h encodes them
// Offsets are the engine's: they are no part of the digest.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "platform/state/row_store.h"

namespace taizhang {

inline constexpr size_t kOffsetsPerRow = 256;

class CommitOffsets {
 public:
  // `store` must outlive this.
  explicit CommitOffsets(const RowStore& store) : store_(store) {}

  // Of a confirmed commit; first seqs of one ledger ascend.
  void note(std::string_view ledger, int64_t first_seq, int64_t offset);
  // nullopt: no such commit is known. DATA_LOSS: damaged rows.
  absl::StatusOr<std::optional<int64_t>> find(std::string_view ledger, int64_t first_seq) const;

  // Rows with what was noted since the last batch; they stay known here until written() says what
  // became of them.
  std::vector<std::pair<std::string, std::string>> next_batch();
  void written(bool ok);

 private:
  // By the key that a row starting with this commit has.
  using Offsets = absl::flat_hash_map<std::string, int64_t>;
  const RowStore& store_;
  Offsets noted_;
  Offsets writing_;
};

}  // namespace taizhang
