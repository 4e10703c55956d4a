// What readers may see of a segment journal: the segments, where the synced prefix ends, and where
// records stand. Thread-safe; the writer moves the end, cursors read.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "platform/base/file.h"
#include "platform/journal/log.h"
#include "platform/journal/segments/recovery.h"

namespace taizhang::journal::segments {

// The end of what readers may see.
struct SyncedEnd {
  int64_t n = 0;           // offset after the last record
  size_t segment = 0;      // index of the segment it stands in
  int64_t at = kFramesAt;  // place in that segment's file
};

class Catalog {
 public:
  Catalog(FileSystem& files, std::string directory, std::vector<FoundSegment> segments,
          SyncedEnd end);

  // Writer side. The new end must not be before the old one.
  void seal_last(const Footer& footer, FoundSegment next);
  void move_end(int64_t n, int64_t at, const std::vector<IndexEntry>& index);

  SyncedEnd end() const;
  int64_t wait_beyond(int64_t n, absl::Duration timeout) const;
  // Wakes everybody who waits, for good: there will be no more records.
  void close();
  size_t size() const;

  // Where to start looking for record n: the last indexed record at or before it. n must be below
  // the end.
  struct Place {
    size_t segment = 0;
    IndexEntry entry;
  };
  Place locate(int64_t n) const;
  // A reader's find, so that the next one has less to look through.
  void add_index(size_t segment, IndexEntry entry);
  SegmentHeader header(size_t segment) const;
  // Place after the last frame readers may see in that segment.
  int64_t readable_end(size_t segment) const;

  std::string path(const SegmentHeader& header) const {
    return directory_ + "/" + segment_name(header.id);
  }
  FileSystem& files() const { return files_; }

 private:
  FileSystem& files_;
  const std::string directory_;
  mutable std::mutex mutex_;
  mutable std::condition_variable grown_;
  mutable int waiters_ = 0;
  bool closed_ = false;
  std::vector<FoundSegment> segments_;
  SyncedEnd end_;
};

// Reads from record n on. Keeps the catalog alive.
std::unique_ptr<Cursor> make_cursor(std::shared_ptr<Catalog> catalog, int64_t n);

}  // namespace taizhang::journal::segments
