// Sending and hearing heartbeats.
#include "platform/journal/kafka/heartbeats.h"

#include <librdkafka/rdkafka.h>

#include <mutex>
#include <utility>
#include <vector>

#include "platform/base/bytes.h"
#include "platform/base/log.h"
#include "platform/journal/kafka/client.h"
#include "platform/journal/kafka/fetcher.h"

namespace taizhang::journal::kafka {
namespace {

constexpr uint32_t kMagic = 0x42485A54;  // "TZHB"
constexpr uint8_t kVersion = 1;
constexpr size_t kBytes = 4 + 1 + kIdBytes + kIdBytes + 4 + 8 + kIdBytes + 8 + 1;
// Of one poll().
constexpr size_t kHeartbeatsMax = 4'000;

class KafkaHeartbeats : public HeartbeatChannel {
 public:
  KafkaHeartbeats(std::string topic, std::shared_ptr<Client> sender, std::shared_ptr<Client> hearer)
      : topic_(std::move(topic)), sender_(std::move(sender)), hearer_(std::move(hearer)) {}
  ~KafkaHeartbeats() override {
    rd_kafka_consume_stop(hearer_->topic(topic_), 0);
    if (queue_) rd_kafka_queue_destroy(queue_);
    rd_kafka_purge(sender_->get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
  }

  absl::Status start(int timeout_ms) {
    // With the leader known at both, the first heartbeat waits for nothing.
    for (Client* client : {sender_.get(), hearer_.get()}) {
      const absl::StatusOr<int> partitions = client->partitions_of(topic_, timeout_ms);
      if (!partitions.ok()) return partitions.status();
    }
    const auto bounds = hearer_->bounds_of(topic_, 1, timeout_ms);
    if (!bounds.ok()) return bounds.status();
    queue_ = rd_kafka_queue_new(hearer_->get());
    return listen_from(bounds->front().end);
  }

  void send(const Heartbeat& heartbeat) override {
    const std::string bytes = encode_heartbeat(heartbeat);
    rd_kafka_produce(sender_->topic(topic_), 0, RD_KAFKA_MSG_F_COPY,
                     const_cast<char*>(bytes.data()), bytes.size(), nullptr, 0, nullptr);
    rd_kafka_poll(sender_->get(), 0);
  }

  std::vector<Heartbeat> poll() override {
    const std::lock_guard lock(mutex_);
    rd_kafka_poll(hearer_->get(), 0);
    std::vector<Heartbeat> heard;
    for (rd_kafka_message_t* message :
         take_messages(queue_, absl::ZeroDuration(), kHeartbeatsMax)) {
      if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        hear({static_cast<const char*>(message->payload), message->len}, heard);
      } else if (message->err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET) {
        lost_ = true;
      }
      rd_kafka_message_destroy(message);
    }
    if (lost_) listen_again();
    return heard;
  }

 private:
  absl::Status listen_from(int64_t offset) {
    if (rd_kafka_consume_start_queue(hearer_->topic(topic_), 0, offset, queue_) == 0) {
      return absl::OkStatus();
    }
    return status_of(rd_kafka_last_error(), "listening to topic " + topic_);
  }

  void hear(std::string_view bytes, std::vector<Heartbeat>& heard) {
    if (const std::optional<Heartbeat> heartbeat = decode_heartbeat(bytes)) {
      heard.push_back(*heartbeat);
      return;
    }
    // Once, not for each: whoever writes there writes often.
    if (ignored_++ == 0) {
      log(LogLevel::kWarning, "heartbeat_ignored", {{"topic", topic_}, {"bytes", bytes.size()}});
    }
  }

  // The topic was cut or made anew, which matters to nobody: from its end.
  void listen_again() {
    rd_kafka_consume_stop(hearer_->topic(topic_), 0);
    lost_ = !listen_from(RD_KAFKA_OFFSET_END).ok();
  }

  const std::string topic_;
  const std::shared_ptr<Client> sender_;
  const std::shared_ptr<Client> hearer_;
  std::mutex mutex_;
  rd_kafka_queue_t* queue_ = nullptr;
  bool lost_ = false;
  uint64_t ignored_ = 0;
};

}  // namespace

std::string encode_heartbeat(const Heartbeat& heartbeat) {
  std::string bytes;
  bytes.reserve(kBytes);
  append_le(bytes, kMagic);
  append_le(bytes, kVersion);
  bytes += bytes_of(heartbeat.journal);
  bytes += bytes_of(heartbeat.sender);
  append_le(bytes, heartbeat.partition);
  append_le(bytes, heartbeat.epoch);
  bytes += bytes_of(heartbeat.owner);
  append_le(bytes, heartbeat.progress);
  append_le(bytes, static_cast<uint8_t>(heartbeat.waiting));
  return bytes;
}

std::optional<Heartbeat> decode_heartbeat(std::string_view bytes) {
  if (bytes.size() != kBytes || load_le<uint32_t>(bytes.data()) != kMagic ||
      static_cast<uint8_t>(bytes[4]) != kVersion) {
    return std::nullopt;
  }
  bytes.remove_prefix(5);
  const auto take = [&bytes](size_t count) {
    const std::string_view taken = bytes.substr(0, count);
    bytes.remove_prefix(count);
    return taken;
  };
  Heartbeat heartbeat;
  heartbeat.journal = id_of(take(kIdBytes));
  heartbeat.sender = id_of(take(kIdBytes));
  heartbeat.partition = load_le<uint32_t>(take(4).data());
  heartbeat.epoch = load_le<uint64_t>(take(8).data());
  heartbeat.owner = id_of(take(kIdBytes));
  heartbeat.progress = load_le<uint64_t>(take(8).data());
  const auto waiting = static_cast<uint8_t>(take(1)[0]);
  if (waiting > 1) return std::nullopt;
  heartbeat.waiting = waiting == 1;
  return heartbeat;
}

absl::StatusOr<std::unique_ptr<HeartbeatChannel>> open_heartbeats(const KafkaSettings& settings) {
  absl::StatusOr<std::shared_ptr<Client>> sender = Client::make(settings, Use::kSignal);
  if (!sender.ok()) return sender.status();
  absl::StatusOr<std::shared_ptr<Client>> hearer = Client::make(settings, Use::kPointReader);
  if (!hearer.ok()) return hearer.status();
  auto channel = std::make_unique<KafkaHeartbeats>(heartbeat_topic(settings.topic),
                                                   *std::move(sender), *std::move(hearer));
  if (absl::Status status = channel->start(settings.request_ms_max); !status.ok()) return status;
  return channel;
}

}  // namespace taizhang::journal::kafka
