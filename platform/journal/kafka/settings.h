// How a Kafka journal is reached, what its topic must be, and the bounds of the engine.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"

namespace taizhang::journal::kafka {

// A setting of librdkafka that is passed through to every connection: security and naming only.
struct KafkaProperty {
  std::string name;
  std::string value;  // of a secret: already read from its file; never logged
};

struct KafkaSettings {
  std::string bootstrap_servers;  // host:port, host:port …
  std::string topic;
  // Groups of brokers that do not lose power together. Below 3 every record must be synced before
  // it is acknowledged (topic setting flush.messages=1).
  int32_t power_domains = 1;
  // What the topic must have at least, and what create_topics() gives it. 1: a trial.
  int32_t replication_factor = 3;
  int32_t min_insync_replicas = 2;
  // How long a writer gathers records into one request, milliseconds.
  int32_t linger_ms = 0;
  std::vector<KafkaProperty> properties;

  // Of one partition: produced and not reported. More is RESOURCE_EXHAUSTED.
  int64_t in_flight_records_max = 32'768;
  int64_t in_flight_bytes_max = int64_t{128} << 20;
  // Newest records kept in memory for all readers of the process, of all partitions together.
  int64_t tail_bytes_max = int64_t{64} << 20;
  // What one reader that is behind fetches ahead.
  int64_t read_ahead_bytes_max = int64_t{64} << 20;
  // How long a question to the brokers may take at open() and check(), milliseconds.
  int32_t request_ms_max = 10'000;
  // How often the last record seen is read again and compared, milliseconds; a lost connection and
  // an offset out of range are a reason at once.
  int32_t verify_interval_ms = 60'000;
};

// The heartbeat topic of a journal topic.
std::string heartbeat_topic(const std::string& topic);

// INVALID_ARGUMENT: names the property that the journal's protocol depends on, or that is none of
// connection and security, or is malformed.
absl::Status check_property(std::string_view name);

// Whether its value is a secret, which may only come from a file.
bool is_secret(std::string_view name);

// INVALID_ARGUMENT naming the field; librdkafka's own word on properties comes at open().
absl::Status check_settings(const KafkaSettings& settings);

}  // namespace taizhang::journal::kafka
