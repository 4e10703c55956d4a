// Follows the end of all partitions with one consumer and fills their tails.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "platform/journal/kafka/client.h"
#include "platform/journal/kafka/settings.h"
#include "platform/journal/kafka/tail.h"
#include "platform/journal/kafka/watch.h"

struct rd_kafka_queue_s;

namespace taizhang::journal::kafka {

// A partition whose records are all own ones, and come from their reports (tail.h), is not read
// meanwhile: fetching each of them once more costs this process and the broker as much as sending.
class Follower {
 public:
  // Reads partition p on from tails[p]->next(). What comes over a new connection gets into a tail
  // only when the watch has found its newest record unchanged.
  static absl::StatusOr<std::unique_ptr<Follower>> start(const KafkaSettings& settings,
                                                         std::vector<Tail*> tails, Watch& watch);
  ~Follower();

  // Partitions that are not read now, because their records come from reports.
  size_t resting() const { return resting_.load(std::memory_order_relaxed); }

 private:
  Follower(std::string topic, std::vector<Tail*> tails, Watch& watch);

  void run();
  absl::Status follow(int32_t partition);
  void sort_out(std::vector<rd_kafka_message_s*> messages);
  bool stands(size_t partition);
  void unfollow(size_t partition);
  void unfollow_for_a_while(size_t partition);
  void ask_watermarks();
  void follow_again();
  void pace();

  const std::string topic_;
  const std::vector<Tail*> tails_;
  Watch& watch_;
  std::shared_ptr<Client> client_;
  rd_kafka_queue_s* queue_ = nullptr;
  std::vector<std::vector<rd_kafka_message_s*>> fetched_;  // by partition; empty between batches
  std::vector<char> following_;
  // What a partition's reports brought.
  struct Fed {
    uint64_t records = 0;
    absl::Time since;  // without a pause
    absl::Time last;
    bool resting = false;      // not read for that reason
    uint64_t connections = 0;  // of the client, when the rest began
  };
  std::vector<Fed> fed_;
  std::atomic<size_t> resting_{0};
  // The client's connections when a partition was last compared, and when the watch was last
  // called.
  std::vector<uint64_t> compared_;
  uint64_t connections_ = 0;
  std::vector<absl::Time> again_at_;  // a partition that could not be followed
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace taizhang::journal::kafka
