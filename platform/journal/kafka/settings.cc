// Which settings a Kafka journal takes.
#include "platform/journal/kafka/settings.h"

#include <algorithm>
#include <array>

#include "platform/journal/record.h"

namespace taizhang::journal::kafka {
namespace {

// Everything else is decided by the engine: acknowledgement, order, offsets, isolation, time-outs
// and buffers are parts of the journal's protocol.
constexpr std::array<std::string_view, 9> kNamesAllowed = {
    "security.protocol",
    "client.id",
    "broker.address.family",
    "socket.keepalive.enable",
    "socket.connection.setup.timeout.ms",
    "reconnect.backoff.ms",
    "reconnect.backoff.max.ms",
    "connections.max.idle.ms",
    "topic.metadata.refresh.interval.ms",
};
constexpr std::array<std::string_view, 2> kPrefixesAllowed = {"ssl.", "sasl."};
// They would switch off what TLS is there for, or run a command.
constexpr std::array<std::string_view, 4> kNamesRefused = {
    "ssl.endpoint.identification.algorithm", "ssl.engine.location", "sasl.kerberos.kinit.cmd",
    "sasl.mechanism"};
constexpr std::array<std::string_view, 7> kSecrets = {
    "sasl.password",          "ssl.key.password",        "ssl.key.pem",
    "ssl.keystore.password",  "sasl.oauthbearer.config", "sasl.oauthbearer.client.secret",
    "ssl.truststore.password"};

constexpr size_t kTopicCharsMax = 200;  // Kafka's 249 less room for ".heartbeat" and ".events"

template <size_t kCount>
bool contains(const std::array<std::string_view, kCount>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

absl::Status below(const char* field, int64_t value, int64_t min) {
  if (value >= min) return absl::OkStatus();
  return absl::InvalidArgumentError("kafka." + std::string(field) + ": " + std::to_string(value) +
                                    " is below " + std::to_string(min));
}

bool is_topic_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '_' || c == '-';
}

}  // namespace

std::string heartbeat_topic(const std::string& topic) { return topic + ".heartbeat"; }

bool is_secret(std::string_view name) { return contains(kSecrets, name); }

absl::Status check_property(std::string_view name) {
  if (name == "sasl.mechanism") {
    return absl::InvalidArgumentError("kafka.properties: write sasl.mechanisms for sasl.mechanism");
  }
  const bool prefixed =
      std::any_of(kPrefixesAllowed.begin(), kPrefixesAllowed.end(),
                  [&](std::string_view prefix) { return name.substr(0, prefix.size()) == prefix; });
  if ((prefixed || contains(kNamesAllowed, name)) && !contains(kNamesRefused, name)) {
    return absl::OkStatus();
  }
  std::string allowed;
  for (const std::string_view each : kNamesAllowed) allowed += std::string(each) + ", ";
  return absl::InvalidArgumentError(
      "kafka.properties: " + std::string(name) +
      " cannot be set, the journal decides it; what can be set: " + allowed + "ssl.*, sasl.*");
}

absl::Status check_settings(const KafkaSettings& settings) {
  if (settings.bootstrap_servers.empty()) {
    return absl::InvalidArgumentError("kafka.bootstrap_servers: is empty");
  }
  if (settings.topic.empty() || settings.topic.size() > kTopicCharsMax || settings.topic == "." ||
      settings.topic == ".." ||
      !std::all_of(settings.topic.begin(), settings.topic.end(), is_topic_char)) {
    return absl::InvalidArgumentError("kafka.topic: expected 1 to " +
                                      std::to_string(kTopicCharsMax) +
                                      " letters, digits, dots, hyphens or underscores");
  }
  for (const absl::Status& status :
       {below("power_domains", settings.power_domains, 1),
        below("replication_factor", settings.replication_factor, 1),
        below("min_insync_replicas", settings.min_insync_replicas, 1),
        below("linger_ms", settings.linger_ms, 0),
        below("in_flight_records_max", settings.in_flight_records_max, 1),
        below("in_flight_bytes_max", settings.in_flight_bytes_max, int64_t{kRecordBytesMax}),
        below("tail_bytes_max", settings.tail_bytes_max, int64_t{1} << 20),
        below("read_ahead_bytes_max", settings.read_ahead_bytes_max, int64_t{1} << 20),
        below("request_ms_max", settings.request_ms_max, 100),
        below("verify_interval_ms", settings.verify_interval_ms, 100)}) {
    if (!status.ok()) return status;
  }
  if (settings.min_insync_replicas > settings.replication_factor) {
    return absl::InvalidArgumentError(
        "kafka.min_insync_replicas: " + std::to_string(settings.min_insync_replicas) +
        " is above replication_factor " + std::to_string(settings.replication_factor));
  }
  if (settings.replication_factor > 1 && settings.min_insync_replicas < 2) {
    return absl::InvalidArgumentError(
        "kafka.min_insync_replicas: 1 would acknowledge what a single broker holds, although "
        "replication_factor is " +
        std::to_string(settings.replication_factor));
  }
  for (const KafkaProperty& property : settings.properties) {
    if (absl::Status status = check_property(property.name); !status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace taizhang::journal::kafka
