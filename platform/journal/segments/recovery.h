// What a start does before anything is read or served: finds the end of the journal, refuses damage
// below a durable mark, cuts what is above it and makes the disk agree (design §3.5).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "platform/base/file.h"
#include "platform/journal/segments/segment.h"

namespace taizhang::journal::segments {

struct FoundSegment {
  SegmentHeader header;
  std::optional<Footer> footer;  // set: sealed
  int64_t first_n = 0;
  std::vector<IndexEntry> index;  // of segments that were scanned
};

// What a start found and did; told to the operator.
struct RecoveryReport {
  bool created = false;
  size_t segments = 0;
  int64_t records = 0;       // offset after the last
  int64_t durable_mark = 0;  // position below which everything was known synced
  int64_t tail = 0;          // position after the last frame kept
  // Kept, but nothing on the disk says that they were synced: damage in just these bytes would have
  // been cut unseen.
  int64_t bytes_above_mark = 0;
  bool cut = false;        // something behind the tail was taken away
  int64_t frames_cut = 0;  // of it, still intact behind the first damage
};

struct Recovered {
  std::vector<FoundSegment> segments;  // all, ascending; the active one is last
  std::unique_ptr<File> active;
  int64_t active_at = kFramesAt;  // place in the active file where the next frame goes
  // Segments behind the active one, ascending. They hold no frame; what else they hold is not
  // trusted.
  std::vector<SegmentHeader> ahead;
  RecoveryReport report;
};

// Judges the files and changes nothing. Nothing: no journal is here. DATA_LOSS: damage below the
// durable mark, named by file, position and seq. INTERNAL: a read failed, which says nothing about
// what is on the disk.
absl::StatusOr<std::optional<Recovered>> examine(FileSystem& files, const std::string& directory);

// Makes the disk what examine() decided: zeros from the cut to the end, everything above the mark
// written again, synced. Any error is fatal.
absl::Status make_durable(FileSystem& files, const std::string& directory, Recovered& recovered);

// Reads every byte of a journal, also of one in use: every frame, every footer, every digest. Takes
// no lock and changes nothing.
struct VerifyReport {
  size_t segments = 0;
  int64_t records = 0;
  int64_t bytes = 0;
  int64_t durable_mark = 0;
};
absl::StatusOr<VerifyReport> verify(FileSystem& files, const std::string& directory);

}  // namespace taizhang::journal::segments
