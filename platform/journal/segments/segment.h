// One segment file: made, read whole and scanned for what is intact in it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "platform/base/file.h"
#include "platform/journal/segments/format.h"

namespace taizhang::journal::segments {

// Place in a file of a record; every kIndexStepBytes or so.
struct IndexEntry {
  int64_t n = 0;
  int64_t at = 0;
};
inline constexpr int64_t kIndexStepBytes = 64 * 1024;

// What is intact in a segment, from its bytes alone.
struct SegmentScan {
  // Frames from the start up to the first place that holds none.
  int64_t intact_end = kFramesAt;  // that place
  bool damaged = false;  // false: nothing was written there. true: something that is no frame
  int64_t first_n = 0;   // of the first frame; 0 when there is none
  int64_t next_n = 0;
  int64_t frames = 0;
  std::vector<IndexEntry> index;
  // Over every intact frame, also those behind damage: that is where a durable mark above it is
  // found.
  int64_t mark_max = 0;
  int64_t frames_behind = 0;
  std::optional<Footer> footer;

  bool holds_anything() const { return frames > 0 || frames_behind > 0 || footer.has_value(); }
};

// `bytes` is the whole file.
SegmentScan scan(const SegmentHeader& header, std::string_view bytes);

// The whole file. A read error is the error given, a short file DATA_LOSS.
absl::StatusOr<std::string> read_whole(File& file, const SegmentHeader& header);

// Writes zeros over [from, to) in pieces, each synced, so that frames' own syncs never wait for
// long behind them.
absl::Status write_zeros(File& file, int64_t from, int64_t to);

// Makes the file under a temporary name, synced, and renames it: a segment that has its name is
// whole, so that a short or torn one can only be damage. RESOURCE_EXHAUSTED: no space, nothing is
// left behind. Other errors leave it open what is on the disk.
absl::StatusOr<std::unique_ptr<File>> make_segment(FileSystem& files, const std::string& directory,
                                                   const SegmentHeader& header);
inline constexpr std::string_view kTemporarySuffix = ".making";

}  // namespace taizhang::journal::segments
