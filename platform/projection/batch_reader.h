// Reads a partition from one offset on: folds its validity, decodes commits, parses events once.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "absl/status/statusor.h"
#include "platform/journal/fold.h"
#include "platform/journal/log.h"
#include "platform/projection/batch.h"
#include "platform/projection/lane_threads.h"

namespace taizhang::projection {

struct BatchLimits {
  int64_t events_max = 0;
  int64_t bytes_max = 0;
};

// Whether somebody will look at the parsed message of this type.
using Wanted = std::function<bool(const google::protobuf::Descriptor*)>;

// Not thread-safe.
class BatchReader {
 public:
  // Goes on where `fold` stands. `log` must outlive it.
  BatchReader(journal::Log& log, journal::Fold fold, BatchLimits limits, Wanted wanted);

  // What the partition holds now, within the limits (by one piece of commits more, see .cc) and
  // below `end_offset`; null: nothing. Errors are final: damage, a record of a newer version, or a
  // broken writer; except UNAVAILABLE: read again.
  absl::StatusOr<std::shared_ptr<const Batch>> read(int64_t end_offset);

  int64_t offset() const { return fold_.offset(); }
  const journal::Fold& fold() const { return fold_; }

 private:
  struct Type {
    const google::protobuf::Descriptor* descriptor = nullptr;
    const google::protobuf::Message* prototype = nullptr;  // null: nobody wants it
  };
  const Type& type_of(std::string_view stored_type);
  // Commits that are valid, not decoded so far; their bodies live in the batch.
  struct Valid {
    int64_t offset = 0;
    std::string_view body;
  };
  // The next of them, a piece's worth or so many. False: nothing follows in this batch.
  absl::StatusOr<bool> judge_piece(int64_t end_offset, int64_t commits_max, Batch& batch);
  absl::Status decode_piece(const std::vector<Valid>& piece, Batch& batch);

  journal::Log& log_;
  journal::Fold fold_;
  BatchLimits limits_;
  Wanted wanted_;
  std::unique_ptr<journal::Cursor> cursor_;
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };
  std::unordered_map<std::string, Type, Hash, std::equal_to<>> types_;
  std::vector<Valid> judged_;    // the last piece
  std::vector<Valid> decoding_;  // the one before
  std::unique_ptr<LaneThreads> threads_;  // null: no batch was larger than a piece so far
};

// Decodes the body of a commit into `batch`: what BatchReader does for each valid one. `body` must
// live as long as the batch. False: not a commit.
using FindType =
    std::function<std::pair<const google::protobuf::Descriptor*, const google::protobuf::Message*>(
        std::string_view stored_type)>;
bool decode_commit(std::string_view body, const FindType& find_type, Batch& batch);

// The event type of the generated pool under its stored name; null: unknown.
const google::protobuf::Descriptor* find_event_type(std::string_view stored_type);

}  // namespace taizhang::projection
