// A connection to the cluster: librdkafka's handle with the settings of its use.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "platform/journal/kafka/settings.h"

// librdkafka's own names, so that its header stays in the .cc files.
struct rd_kafka_s;
struct rd_kafka_topic_s;
struct rd_kafka_message_s;

namespace taizhang::journal::kafka {

// Bytes of one request and of one record with its framing that the topic must take.
inline constexpr int64_t kMessageBytesMax = 1'048'000;
inline constexpr int64_t kTopicMessageBytesMin = 1'048'588;  // Kafka's default

// Records a consumer fetches ahead; the bytes are of its use.
inline constexpr int kReadAheadRecordsMax = 100'000;

enum class Use {
  kProducer,     // idempotent, acks=all
  kFollower,     // reads the end of all partitions
  kBulkReader,   // reads much, ahead of its caller
  kPointReader,  // reads a record here and there
  kAdmin,        // asks
  kSignal,       // sends heartbeats
};

// Called from inside librdkafka's polling of this client; set what is wanted, before making one.
struct ClientCallbacks {
  std::function<void(const rd_kafka_message_s& message)> delivered;
  // A connection was lost or refused, or the client cannot go on (`fatal`).
  std::function<void(bool fatal, const std::string& why)> error;
};

// Of one partition: the first offset there is, and the one after the last that readers may see.
struct Bounds {
  int64_t begin = 0;
  int64_t end = 0;
};

// Thread-safe as librdkafka is, after the first call of topic(). Everything taken from it must be
// given back before it dies.
class Client {
 public:
  // INVALID_ARGUMENT: librdkafka refuses a property, named. INTERNAL: no resources.
  static absl::StatusOr<std::shared_ptr<Client>> make(const KafkaSettings& settings, Use use,
                                                      ClientCallbacks callbacks = {});
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  rd_kafka_s* get() const { return handle_; }
  // Made at the first asking and kept. The topic of the settings, or its heartbeat topic.
  rd_kafka_topic_s* topic(const std::string& name);

  // Asks for the topic's metadata, so that the first use waits for nothing. UNAVAILABLE: no answer
  // in time. NOT_FOUND: no such topic. Otherwise its number of partitions.
  absl::StatusOr<int> partitions_of(const std::string& topic, int timeout_ms);

  // Where partitions 0 … count - 1 of the topic begin and end now, as their leaders say.
  // UNAVAILABLE: no answer in time.
  absl::StatusOr<std::vector<Bounds>> bounds_of(const std::string& topic, int count,
                                                int timeout_ms);

  // How often a connection was begun, counted before anything can come over it: what was fetched
  // while the number stood still came over the connections there were.
  uint64_t connections() const { return connections_.load(std::memory_order_acquire); }
  void count_connection() { connections_.fetch_add(1, std::memory_order_acq_rel); }
  // UNAVAILABLE with what the last connection failed of; other codes as they are.
  absl::Status with_cause(absl::Status status);
  void note_error(const std::string& why);

  // What a consumer fetches ahead, at most; 0: it is none.
  int64_t read_ahead_bytes() const { return read_ahead_bytes_; }
  const ClientCallbacks& callbacks() const { return callbacks_; }

 private:
  Client() = default;

  ClientCallbacks callbacks_;
  std::atomic<uint64_t> connections_{0};
  std::mutex mutex_;
  std::string last_error_;
  int64_t read_ahead_bytes_ = 0;
  rd_kafka_s* handle_ = nullptr;
  std::string topic_name_;
  rd_kafka_topic_s* topic_ = nullptr;
};

// UNAVAILABLE for what may work later, otherwise what it is; `what` says what was tried.
absl::Status status_of(int32_t kafka_error, const std::string& what);

}  // namespace taizhang::journal::kafka
