// Follows the end of all partitions with one consumer and fills their tails.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "platform/journal/kafka/client.h"
#include "platform/journal/kafka/settings.h"
#include "platform/journal/kafka/tail.h"

struct rd_kafka_queue_s;

namespace taizhang::journal::kafka {

class Follower {
 public:
  // Reads partition p on from tails[p]->next(). `suspect` is called on its thread when the
  // connection was lost or a partition cannot be read: what was read may not be there any more.
  static absl::StatusOr<std::unique_ptr<Follower>> start(const KafkaSettings& settings,
                                                         std::vector<Tail*> tails,
                                                         std::function<void()> suspect);
  ~Follower();

 private:
  Follower(std::string topic, std::vector<Tail*> tails, std::function<void()> suspect);

  void run();
  absl::Status follow(int32_t partition);
  void sort_out(std::vector<rd_kafka_message_s*> messages);
  void ask_watermarks();
  void follow_again();

  const std::string topic_;
  const std::vector<Tail*> tails_;
  const std::function<void()> suspect_;
  std::shared_ptr<Client> client_;
  rd_kafka_queue_s* queue_ = nullptr;
  std::vector<std::vector<rd_kafka_message_s*>> fetched_;  // by partition; empty between batches
  std::vector<char> following_;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace taizhang::journal::kafka
