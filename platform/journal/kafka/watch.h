// Sees that what was read of the journal still stands there: librdkafka 2.0.2 notices neither a log
// that was cut nor a topic made anew under the same name.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "platform/journal/kafka/client.h"
#include "platform/journal/kafka/fetcher.h"
#include "platform/journal/kafka/settings.h"
#include "platform/journal/kafka/tail.h"

namespace taizhang::journal::kafka {

// After a lost connection, an unreadable partition, and every verify_interval_ms: each partition
// must begin at 0, reach as far as is known, and hold the newest record of its tail unchanged;
// otherwise the tail fails. Thread-safe.
class Watch {
 public:
  Watch(const KafkaSettings& settings, std::shared_ptr<Client> admin, FetcherPool& point_readers,
        std::vector<Tail*> tails);
  ~Watch();
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  // There is a reason to look now; `lost`: a connection was lost.
  void suspect(bool lost);
  // The brokers answered when they were last asked, and no connection was lost since.
  bool reachable() const { return reachable_.load(std::memory_order_relaxed); }
  // Ends the thread; nothing of the constructor's arguments is used afterwards.
  void stop();

  // Looks now, at all partitions. UNAVAILABLE: the brokers do not say. DATA_LOSS: one is not what
  // it was; its tail has failed, and the others were looked at as well. Tails know their ends
  // after.
  absl::Status verify();

  // The newest record of the tail still stands where it was read, hence everything before it.
  // Asked over every new connection, before what came over it is believed. Errors as verify().
  absl::Status verify_newest(int32_t partition);

 private:
  void run();
  absl::Status verify_partition(int32_t partition, const Bounds& bounds, int64_t known_end);
  // A record that was read.
  struct Seen {
    int64_t offset = -1;  // -1: none
    std::string bytes;
  };
  absl::Status compare(int32_t partition, int64_t offset, std::string_view bytes);
  absl::Status told(int32_t partition, absl::Status status);

  const KafkaSettings settings_;
  const std::shared_ptr<Client> admin_;
  FetcherPool& point_readers_;
  const std::vector<Tail*> tails_;
  std::atomic<bool> reachable_{true};
  std::mutex verify_mutex_;
  // By partition: the newest record when all was well last. A log made anew under a connection that
  // stays may have grown beyond what was read by the time it is looked at.
  std::vector<Seen> anchors_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool suspected_ = false;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace taizhang::journal::kafka
