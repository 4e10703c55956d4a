// Reads a stretch of one partition that is not in memory.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "platform/journal/kafka/block.h"
#include "platform/journal/kafka/client.h"
#include "platform/journal/kafka/settings.h"

struct rd_kafka_queue_s;

namespace taizhang::journal::kafka {

// At most `max` messages: waits up to `timeout` for the first, then takes what is there. Some may
// carry an error instead of a record.
std::vector<rd_kafka_message_s*> take_messages(rd_kafka_queue_s* queue, absl::Duration timeout,
                                               size_t max);

// A consumer that reads one partition at a time. Not thread-safe.
class Fetcher {
 public:
  Fetcher(std::shared_ptr<Client> client, std::string topic);
  ~Fetcher();
  Fetcher(const Fetcher&) = delete;
  Fetcher& operator=(const Fetcher&) = delete;

  absl::Status start(int32_t partition, int64_t offset);
  // The next records; null: none came within `timeout`. OUT_OF_RANGE: the log does not hold the
  // offset. UNAVAILABLE: what the broker says instead.
  absl::StatusOr<BlockPtr> take(absl::Duration timeout);
  void stop();
  // The end of the log was met since start().
  bool at_end() const { return at_end_; }
  // A connection was begun since start() or the last call: the log may be another one there.
  bool reconnected();

 private:
  void wake_when_drained(int64_t record_bytes);

  std::shared_ptr<Client> client_;
  std::string topic_;
  rd_kafka_queue_s* queue_ = nullptr;  // while started
  int32_t partition_ = 0;
  int64_t position_ = 0;
  bool was_full_ = false;
  bool at_end_ = false;
  uint64_t connections_ = 0;
};

// The offset of the last record before `end`; -1: there is none. Markers of transactions take
// offsets and are no records. UNAVAILABLE: not read within `timeout_ms`.
absl::StatusOr<int64_t> last_record(Fetcher& fetcher, int32_t partition, int64_t end,
                                    int timeout_ms);

// Fetchers at rest keep their connections, so that reading a record here and there is cheap.
// Thread-safe.
class FetcherPool {
 public:
  FetcherPool(KafkaSettings settings, Use use) : settings_(std::move(settings)), use_(use) {}

  absl::StatusOr<std::unique_ptr<Fetcher>> acquire();
  // Stops it and keeps it, or drops it when enough are at rest.
  void release(std::unique_ptr<Fetcher> fetcher);
  void clear();

 private:
  const KafkaSettings settings_;
  const Use use_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Fetcher>> idle_;
};

}  // namespace taizhang::journal::kafka
