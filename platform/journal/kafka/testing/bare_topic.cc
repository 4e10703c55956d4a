// A topic without the engine.
#include "platform/journal/kafka/testing/bare_topic.h"

#include <librdkafka/rdkafka.h>

#include <chrono>
#include <memory>
#include <string>

#include "platform/journal/kafka/client.h"

namespace taizhang::journal::kafka::testing {
namespace {

constexpr int kRequestMs = 10'000;
constexpr int kPollMs = 1'000;
constexpr char kFlush[] = "flush.messages";

struct Deleter {
  void operator()(rd_kafka_queue_t* queue) const { rd_kafka_queue_destroy(queue); }
  void operator()(rd_kafka_event_t* event) const { rd_kafka_event_destroy(event); }
  void operator()(rd_kafka_ConfigResource_t* resource) const {
    rd_kafka_ConfigResource_destroy(resource);
  }
  void operator()(rd_kafka_t* handle) const { rd_kafka_destroy(handle); }
  void operator()(rd_kafka_topic_t* topic) const { rd_kafka_topic_destroy(topic); }
};
template <class T>
using Handle = std::unique_ptr<T, Deleter>;

Handle<rd_kafka_ConfigResource_t> resource_of(const std::string& topic) {
  return Handle<rd_kafka_ConfigResource_t>(
      rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic.c_str()));
}

absl::StatusOr<Handle<rd_kafka_event_t>> answer_of(rd_kafka_queue_t* queue, const char* what) {
  Handle<rd_kafka_event_t> event(rd_kafka_queue_poll(queue, kRequestMs));
  if (!event) return absl::UnavailableError(std::string(what) + ": no answer");
  if (const auto error = rd_kafka_event_error(event.get())) return status_of(error, what);
  return event;
}

// What a consumer counts.
struct Count {
  BareRead read;
  int64_t next = 0;
  rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR_NO_ERROR;
};

void count(rd_kafka_message_t* message, void* opaque) {
  auto& all = *static_cast<Count*>(opaque);
  if (message->err) {
    all.error = message->err;
    return;
  }
  ++all.read.records;
  all.read.bytes += static_cast<int64_t>(message->len);
  all.next = message->offset + 1;
}

}  // namespace

absl::Status set_synced(const KafkaSettings& settings, bool synced) {
  const auto client = Client::make(settings, Use::kAdmin);
  if (!client.ok()) return client.status();
  const Handle<rd_kafka_queue_t> queue(rd_kafka_queue_new((*client)->get()));

  // AlterConfigs sets back what it does not name, so what stands is read first and said again.
  const auto asked = resource_of(settings.topic);
  rd_kafka_ConfigResource_t* one = asked.get();
  rd_kafka_DescribeConfigs((*client)->get(), &one, 1, nullptr, queue.get());
  const auto described = answer_of(queue.get(), "reading the settings of the topic");
  if (!described.ok()) return described.status();
  size_t count = 0;
  const rd_kafka_ConfigResource_t** found = rd_kafka_DescribeConfigs_result_resources(
      rd_kafka_event_DescribeConfigs_result(described->get()), &count);
  if (count != 1) return absl::UnavailableError("reading the settings of the topic: empty");
  if (const auto error = rd_kafka_ConfigResource_error(found[0])) {
    return status_of(error, "reading the settings of the topic");
  }
  const auto wanted = resource_of(settings.topic);
  size_t entries = 0;
  const rd_kafka_ConfigEntry_t** entry = rd_kafka_ConfigResource_configs(found[0], &entries);
  for (size_t i = 0; i < entries; ++i) {
    const std::string name = rd_kafka_ConfigEntry_name(entry[i]);
    if (rd_kafka_ConfigEntry_source(entry[i]) != RD_KAFKA_CONFIG_SOURCE_DYNAMIC_TOPIC_CONFIG ||
        name == kFlush) {
      continue;
    }
    rd_kafka_ConfigResource_set_config(wanted.get(), name.c_str(),
                                       rd_kafka_ConfigEntry_value(entry[i]));
  }
  if (synced) rd_kafka_ConfigResource_set_config(wanted.get(), kFlush, "1");
  one = wanted.get();
  rd_kafka_AlterConfigs((*client)->get(), &one, 1, nullptr, queue.get());
  const auto altered = answer_of(queue.get(), "altering the settings of the topic");
  if (!altered.ok()) return altered.status();
  found = rd_kafka_AlterConfigs_result_resources(rd_kafka_event_AlterConfigs_result(altered->get()),
                                                 &count);
  const auto error = count == 1 ? rd_kafka_ConfigResource_error(found[0]) : RD_KAFKA_RESP_ERR__FAIL;
  return error ? status_of(error, "altering the settings of the topic") : absl::OkStatus();
}

absl::StatusOr<BareRead> bare_read(const KafkaSettings& settings, int32_t partition) {
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  char text[512] = "";
  if (rd_kafka_conf_set(conf, "bootstrap.servers", settings.bootstrap_servers.c_str(), text,
                        sizeof text) != RD_KAFKA_CONF_OK) {
    rd_kafka_conf_destroy(conf);
    return absl::InvalidArgumentError(text);
  }
  const Handle<rd_kafka_t> consumer(rd_kafka_new(RD_KAFKA_CONSUMER, conf, text, sizeof text));
  if (!consumer) {
    rd_kafka_conf_destroy(conf);
    return absl::InternalError(text);
  }
  const Handle<rd_kafka_topic_t> topic(
      rd_kafka_topic_new(consumer.get(), settings.topic.c_str(), nullptr));
  int64_t begin = 0;
  int64_t end = 0;
  if (const auto error = rd_kafka_query_watermark_offsets(consumer.get(), settings.topic.c_str(),
                                                          partition, &begin, &end, kRequestMs)) {
    return status_of(error, "asking where the topic ends");
  }
  const Handle<rd_kafka_queue_t> queue(rd_kafka_queue_new(consumer.get()));
  Count all;
  all.next = begin;
  const auto start = std::chrono::steady_clock::now();
  auto last = start;
  if (rd_kafka_consume_start_queue(topic.get(), partition, begin, queue.get()) != 0) {
    return status_of(rd_kafka_last_error(), "starting to read");
  }
  absl::Status failed;
  while (all.next < end && failed.ok()) {
    const int taken = rd_kafka_consume_callback_queue(queue.get(), kPollMs, count, &all);
    const auto now = std::chrono::steady_clock::now();
    if (taken > 0) last = now;
    if (all.error) failed = status_of(all.error, "reading");
    if (now - last > std::chrono::milliseconds(kRequestMs)) {
      failed = absl::UnavailableError("reading: nothing comes");
    }
  }
  rd_kafka_consume_stop(topic.get(), partition);
  if (!failed.ok()) return failed;
  all.read.seconds = std::chrono::duration<double>(last - start).count();
  return all.read;
}

}  // namespace taizhang::journal::kafka::testing
