// Reads commits from the journal again, to build the first answer of a repeated request.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "absl/status/statusor.h"
#include "platform/journal/log.h"

namespace taizhang {

namespace journal::v1 {
class Commit;
}

// Not thread-safe.
class CommitReader {
 public:
  // `log` must outlive it.
  explicit CommitReader(journal::Log& log) : log_(log) {}
  // DATA_LOSS: at `offset` stands no commit of this ledger and seq. UNAVAILABLE: the engine cannot
  // read it now.
  absl::StatusOr<std::unique_ptr<journal::v1::Commit>> read(int64_t offset, std::string_view ledger,
                                                            int64_t first_seq);

 private:
  journal::Log& log_;
  // Repeats come in the order of the first sending: going on is cheaper than seeking.
  std::unique_ptr<journal::Cursor> cursor_;
  int64_t next_offset_ = 0;
};

}  // namespace taizhang
