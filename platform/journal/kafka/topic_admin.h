// What is asked of the brokers about one topic: its shape, its settings, and to make it.
#pragma once

#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "platform/journal/kafka/client.h"
#include "platform/journal/kafka/settings.h"

namespace taizhang::journal::kafka {

// By Kafka's names.
using TopicConfigs = std::map<std::string, std::string>;

struct TopicShape {
  int partitions = 0;
  int replication_min = 0;
  bool led = true;  // every partition has a leader
};

// A topic as it is to be made.
struct WantedTopic {
  std::string name;
  int partitions = 0;
  TopicConfigs configs;
};

// NOT_FOUND: there is no such topic. Here and below UNAVAILABLE: the brokers do not answer.
// PERMISSION_DENIED: they do not let us ask.
absl::StatusOr<TopicShape> shape_of(Client& client, const std::string& topic, int timeout_ms);
absl::StatusOr<TopicConfigs> configs_of(Client& client, const std::string& topic, int timeout_ms);
// OK also when it is there already, whatever it is. INVALID_ARGUMENT: the brokers refuse it.
absl::Status create_topic(Client& client, const WantedTopic& wanted, const KafkaSettings& settings);

}  // namespace taizhang::journal::kafka
