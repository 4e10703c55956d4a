// The port of the clean topic: partitioned, ordered records with headers. Implementations:
// platform/journal/kafka/clean_topic.h, memory/ (tests).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "platform/journal/log.h"
#include "platform/republish/clean_record.h"

namespace taizhang::republish {

struct StoredCleanRecord {
  int64_t offset = 0;
  CleanRecord record;
};

// Reads forward. Not thread-safe.
class CleanCursor {
 public:
  virtual ~CleanCursor() = default;
  // The next record at or after the position; nullopt: none within a short wait. UNAVAILABLE: the
  // topic cannot be read now. DATA_LOSS: the position is not in the topic. Errors are final for
  // this cursor.
  virtual absl::StatusOr<std::optional<StoredCleanRecord>> next() = 0;
};

// Has one user in its life: reports of a user before would reach the next one.
class CleanPartition {
 public:
  virtual ~CleanPartition() = default;

  // Queues one record. OK: one report follows, in the order of produce(); its offset is -1 when the
  // topic does not tell it. RESOURCE_EXHAUSTED: no room now, nothing was queued. Any other error:
  // nothing was queued, begin again. One thread at a time.
  virtual absl::Status produce(const CleanRecord& record, uint64_t tag) = 0;
  // Called on whatever thread the topic reports on, also inside produce(). An empty one drops what
  // is still to come; when this returns the one before is not running any more.
  virtual void set_report_sink(journal::ReportSink sink) = 0;

  // Offsets of the first record kept and after the last one, asked of the topic now. UNAVAILABLE:
  // no answer.
  struct Extent {
    int64_t first = 0;
    int64_t end = 0;
  };
  virtual absl::StatusOr<Extent> extent() = 0;
  virtual std::unique_ptr<CleanCursor> read(int64_t offset) = 0;
};

class CleanTopic {
 public:
  virtual ~CleanTopic() = default;
  virtual int partitions() const = 0;
  // 0 … partitions() - 1; lives as long as the topic.
  virtual CleanPartition& partition(int index) = 0;
};

}  // namespace taizhang::republish
