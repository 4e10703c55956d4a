// Making and ending handles of librdkafka.
#include "platform/journal/kafka/client.h"

#include <librdkafka/rdkafka.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "platform/base/log.h"

namespace taizhang::journal::kafka {
namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

// A broker that hangs is given up after this; a later one is tried within a second.
constexpr int kSocketMs = 3'000;
constexpr int kReconnectMsMax = 1'000;
constexpr absl::Duration kLeaderWait = absl::Milliseconds(100);
constexpr int kFetchErrorBackoffMs = 50;
// How long a broker may hold a request of a reader at the end; data is sent at once all the same.
constexpr int kFollowWaitMs = 100;
constexpr int kReadWaitMs = 20;
// Compressed: what it becomes in memory is several times that.
constexpr int kBulkFetchBytes = 1 << 20;
constexpr int kPointFetchBytes = 64 << 10;
constexpr int kHeartbeatMs = 5'000;
constexpr int kHeartbeatsQueuedMax = 1'000;
// Requests in flight that keep their order with idempotence.
constexpr int kRequestsInFlight = 5;
// Every partition of a producer has its own bound (KafkaSettings::in_flight_…); librdkafka's own
// must never be the first to be met.
constexpr int kQueuedRecordsMax = 10'000'000;
constexpr int kQueuedKbytesMax = 2'097'151;

void add_consumer(Pairs& pairs, int64_t read_ahead_bytes, int fetch_bytes, int wait_ms) {
  // Without a group id there is no coordinator and nothing that could assign or commit.
  pairs.insert(pairs.end(),
               {{"enable.auto.commit", "false"},
                {"enable.auto.offset.store", "false"},
                {"auto.offset.reset", "error"},
                {"enable.partition.eof", "true"},
                {"isolation.level", "read_uncommitted"},
                {"check.crcs", "true"},
                {"allow.auto.create.topics", "false"},
                {"fetch.min.bytes", "1"},
                {"fetch.error.backoff.ms", std::to_string(kFetchErrorBackoffMs)},
                {"fetch.wait.max.ms", std::to_string(wait_ms)},
                {"fetch.message.max.bytes", std::to_string(fetch_bytes)},
                {"queued.min.messages", std::to_string(kReadAheadRecordsMax)},
                {"queued.max.messages.kbytes", std::to_string(read_ahead_bytes / 1024)}});
}

int64_t read_ahead_bytes_of(const KafkaSettings& settings, Use use) {
  switch (use) {
    case Use::kFollower: return settings.tail_bytes_max;
    case Use::kBulkReader: return settings.read_ahead_bytes_max;
    case Use::kPointReader:
    case Use::kAdmin: return kPointFetchBytes;
    default: return 0;
  }
}

Pairs pairs_of(const KafkaSettings& settings, Use use) {
  const int64_t read_ahead = read_ahead_bytes_of(settings, use);
  Pairs pairs = {{"bootstrap.servers", settings.bootstrap_servers},
                 {"client.id", "taizhang"},
                 {"socket.nagle.disable", "true"},
                 {"socket.keepalive.enable", "true"},
                 {"socket.timeout.ms", std::to_string(kSocketMs)},
                 {"reconnect.backoff.max.ms", std::to_string(kReconnectMsMax)},
                 {"message.max.bytes", std::to_string(kMessageBytesMax)}};
  switch (use) {
    case Use::kProducer:
      pairs.insert(pairs.end(),
                   {{"enable.idempotence", "true"},
                    {"acks", "all"},
                    {"max.in.flight.requests.per.connection", std::to_string(kRequestsInFlight)},
                    // Never given up here: the stall timer is the owner's, and what becomes of a
                    // record is read from the log.
                    {"message.timeout.ms", "0"},
                    {"linger.ms", std::to_string(settings.linger_ms)},
                    {"compression.type", "zstd"},
                    {"queue.buffering.max.messages", std::to_string(kQueuedRecordsMax)},
                    {"queue.buffering.max.kbytes", std::to_string(kQueuedKbytesMax)}});
      break;
    case Use::kFollower: add_consumer(pairs, read_ahead, kBulkFetchBytes, kFollowWaitMs); break;
    case Use::kBulkReader: add_consumer(pairs, read_ahead, kBulkFetchBytes, kReadWaitMs); break;
    case Use::kPointReader:
    case Use::kAdmin: add_consumer(pairs, read_ahead, kPointFetchBytes, kReadWaitMs); break;
    case Use::kSignal:
      pairs.insert(pairs.end(),
                   {{"acks", "1"},
                    {"linger.ms", "0"},
                    {"message.timeout.ms", std::to_string(kHeartbeatMs)},
                    {"queue.buffering.max.messages", std::to_string(kHeartbeatsQueuedMax)}});
      break;
  }
  for (const KafkaProperty& property : settings.properties) {
    pairs.emplace_back(property.name, property.value);
  }
  return pairs;
}

bool is_producer(Use use) { return use == Use::kProducer || use == Use::kSignal; }

void on_delivery(rd_kafka_t*, const rd_kafka_message_t* message, void* opaque) {
  static_cast<Client*>(opaque)->callbacks().delivered(*message);
}

void on_error(rd_kafka_t* handle, int error, const char* reason, void* opaque) {
  auto& client = *static_cast<Client*>(opaque);
  client.note_error(reason);
  if (!client.callbacks().error) return;
  if (error != RD_KAFKA_RESP_ERR__FATAL) return client.callbacks().error(false, reason);
  char text[512] = "";
  rd_kafka_fatal_error(handle, text, sizeof text);
  client.callbacks().error(true, text);
}

int on_connect(int socket, const sockaddr* address, int address_bytes, const char*, void* opaque) {
  static_cast<Client*>(opaque)->count_connection();
  if (connect(socket, address, static_cast<socklen_t>(address_bytes)) == 0) return 0;
  return errno == EINPROGRESS ? 0 : errno;
}

// librdkafka's syslog levels: 3 error, 4 warning; it says what matters to us by codes as well.
void on_log(const rd_kafka_t*, int level, const char* facility, const char* text) {
  log(level <= 3 ? LogLevel::kWarning : LogLevel::kInfo, "kafka_client",
      {{"facility", facility}, {"text", text}});
}

}  // namespace

absl::StatusOr<std::shared_ptr<Client>> Client::make(const KafkaSettings& settings, Use use,
                                                     ClientCallbacks callbacks) {
  std::shared_ptr<Client> client(new Client());
  client->callbacks_ = std::move(callbacks);
  client->read_ahead_bytes_ = read_ahead_bytes_of(settings, use);
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  char text[512] = "";
  for (const auto& [name, value] : pairs_of(settings, use)) {
    if (rd_kafka_conf_set(conf, name.c_str(), value.c_str(), text, sizeof text) !=
        RD_KAFKA_CONF_OK) {
      rd_kafka_conf_destroy(conf);
      // librdkafka repeats the value in some of its messages.
      return absl::InvalidArgumentError("kafka." + name + ": " +
                                        (is_secret(name) ? "not accepted" : text));
    }
  }
  rd_kafka_conf_set_opaque(conf, client.get());
  rd_kafka_conf_set_log_cb(conf, on_log);
  rd_kafka_conf_set_error_cb(conf, on_error);
  rd_kafka_conf_set_connect_cb(conf, on_connect);
  if (client->callbacks_.delivered) rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
  client->handle_ = rd_kafka_new(is_producer(use) ? RD_KAFKA_PRODUCER : RD_KAFKA_CONSUMER, conf,
                                 text, sizeof text);
  if (!client->handle_) {
    rd_kafka_conf_destroy(conf);
    return absl::InvalidArgumentError("kafka: " + std::string(text));
  }
  return client;
}

Client::~Client() {
  if (topic_) rd_kafka_topic_destroy(topic_);
  if (handle_) rd_kafka_destroy(handle_);
}

void Client::note_error(const std::string& why) {
  const std::lock_guard lock(mutex_);
  last_error_ = why;
}

absl::Status Client::with_cause(absl::Status status) {
  if (!absl::IsUnavailable(status)) return status;
  // Connections report their errors while the client is polled.
  rd_kafka_poll(handle_, 0);
  const std::lock_guard lock(mutex_);
  if (last_error_.empty()) return status;
  return absl::UnavailableError(std::string(status.message()) + " (" + last_error_ + ")");
}

rd_kafka_topic_s* Client::topic(const std::string& name) {
  if (!topic_) {
    topic_ = rd_kafka_topic_new(handle_, name.c_str(), nullptr);
    topic_name_ = name;
  }
  if (name != topic_name_) broken_invariant("a Kafka client is used for two topics");
  return topic_;
}

absl::StatusOr<int> Client::partitions_of(const std::string& name, int timeout_ms) {
  const rd_kafka_metadata_t* metadata = nullptr;
  const rd_kafka_resp_err_t error =
      rd_kafka_metadata(handle_, 0, topic(name), &metadata, timeout_ms);
  if (error) return with_cause(status_of(error, "asking for the metadata of topic " + name));
  absl::StatusOr<int> result = absl::NotFoundError("topic " + name + " does not exist");
  if (metadata->topic_cnt == 1 && metadata->topics[0].err == RD_KAFKA_RESP_ERR_NO_ERROR) {
    result = metadata->topics[0].partition_cnt;
  } else if (metadata->topic_cnt == 1 &&
             metadata->topics[0].err != RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) {
    result = status_of(metadata->topics[0].err, "asking for the metadata of topic " + name);
  }
  rd_kafka_metadata_destroy(metadata);
  return result;
}

absl::StatusOr<std::vector<Bounds>> Client::bounds_of(const std::string& name, int count,
                                                      int timeout_ms) {
  std::vector<Bounds> bounds(static_cast<size_t>(count));
  // Not rd_kafka_query_watermark_offsets(): in 2.0.2 it has no time-out and keeps asking an old
  // leader. The two "times" are ListOffsets' own for beginning and end.
  const auto ask = [&](int64_t which) {
    rd_kafka_topic_partition_list_t* list = rd_kafka_topic_partition_list_new(count);
    for (int32_t i = 0; i < count; ++i) {
      rd_kafka_topic_partition_list_add(list, name.c_str(), i)->offset = which;
    }
    rd_kafka_resp_err_t error = rd_kafka_offsets_for_times(handle_, list, timeout_ms);
    for (int32_t i = 0; i < count && !error; ++i) {
      const rd_kafka_topic_partition_t& asked = list->elems[i];
      error = asked.offset < 0 && !asked.err ? RD_KAFKA_RESP_ERR__NO_OFFSET : asked.err;
      Bounds& partition = bounds[static_cast<size_t>(asked.partition)];
      (which == RD_KAFKA_OFFSET_END ? partition.end : partition.begin) = asked.offset;
    }
    rd_kafka_topic_partition_list_destroy(list);
    return error;
  };
  // Of a topic that was just made, or whose leader moves, the brokers know a moment later.
  const auto moves = [](rd_kafka_resp_err_t error) {
    return error == RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION ||
           error == RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE;
  };
  const absl::Time until = absl::Now() + absl::Milliseconds(timeout_ms);
  for (const int64_t which : {int64_t{RD_KAFKA_OFFSET_BEGINNING}, int64_t{RD_KAFKA_OFFSET_END}}) {
    rd_kafka_resp_err_t error = ask(which);
    while (moves(error) && absl::Now() < until) {
      absl::SleepFor(kLeaderWait);
      error = ask(which);
    }
    if (error) {
      return with_cause(status_of(error, "asking where the partitions of topic " + name + " end"));
    }
  }
  return bounds;
}

absl::Status status_of(int32_t kafka_error, const std::string& what) {
  const auto error = static_cast<rd_kafka_resp_err_t>(kafka_error);
  const std::string text = what + ": " + rd_kafka_err2str(error);
  switch (error) {
    case RD_KAFKA_RESP_ERR_NO_ERROR: return absl::OkStatus();
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART: return absl::NotFoundError(text);
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR__AUTHENTICATION:
    case RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED: return absl::PermissionDeniedError(text);
    default: return absl::UnavailableError(text);
  }
}

}  // namespace taizhang::journal::kafka
