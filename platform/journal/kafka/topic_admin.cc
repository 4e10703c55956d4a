// Asks librdkafka's admin interface and waits for the answer.
#include "platform/journal/kafka/topic_admin.h"

#include <librdkafka/rdkafka.h>

#include <algorithm>
#include <limits>
#include <memory>

namespace taizhang::journal::kafka {
namespace {

struct QueueDeleter {
  void operator()(rd_kafka_queue_t* queue) const { rd_kafka_queue_destroy(queue); }
};
struct EventDeleter {
  void operator()(rd_kafka_event_t* event) const { rd_kafka_event_destroy(event); }
};
struct OptionsDeleter {
  void operator()(rd_kafka_AdminOptions_t* options) const {
    rd_kafka_AdminOptions_destroy(options);
  }
};
struct ResourceDeleter {
  void operator()(rd_kafka_ConfigResource_t* resource) const {
    rd_kafka_ConfigResource_destroy(resource);
  }
};
struct NewTopicDeleter {
  void operator()(rd_kafka_NewTopic_t* topic) const { rd_kafka_NewTopic_destroy(topic); }
};
struct MetadataDeleter {
  void operator()(const rd_kafka_metadata_t* metadata) const {
    rd_kafka_metadata_destroy(metadata);
  }
};
using QueuePtr = std::unique_ptr<rd_kafka_queue_t, QueueDeleter>;
using EventPtr = std::unique_ptr<rd_kafka_event_t, EventDeleter>;
using OptionsPtr = std::unique_ptr<rd_kafka_AdminOptions_t, OptionsDeleter>;

OptionsPtr options_for(Client& client, rd_kafka_admin_op_t operation, int timeout_ms) {
  OptionsPtr options(rd_kafka_AdminOptions_new(client.get(), operation));
  char text[256];
  rd_kafka_AdminOptions_set_request_timeout(options.get(), timeout_ms, text, sizeof text);
  return options;
}

// Null: no answer in time.
EventPtr answer_of(rd_kafka_queue_t* queue, int timeout_ms) {
  // The request ends by its own time-out; a little longer, so that it is its error that is seen.
  return EventPtr(rd_kafka_queue_poll(queue, timeout_ms + 1'000));
}

}  // namespace

absl::StatusOr<TopicShape> shape_of(Client& client, const std::string& topic, int timeout_ms) {
  const rd_kafka_metadata_t* raw = nullptr;
  const std::string what = "asking for the metadata of topic " + topic;
  // Of all topics: asking for one by a topic handle would keep the handle to that topic.
  if (const auto error = rd_kafka_metadata(client.get(), 1, nullptr, &raw, timeout_ms)) {
    return client.with_cause(status_of(error, what));
  }
  const std::unique_ptr<const rd_kafka_metadata_t, MetadataDeleter> metadata(raw);
  for (int i = 0; i < metadata->topic_cnt; ++i) {
    const rd_kafka_metadata_topic_t& found = metadata->topics[i];
    if (topic != found.topic) continue;
    if (found.err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) break;
    if (found.err) return status_of(found.err, what);
    TopicShape shape{.partitions = found.partition_cnt,
                     .replication_min = std::numeric_limits<int>::max()};
    for (int p = 0; p < found.partition_cnt; ++p) {
      shape.replication_min = std::min(shape.replication_min, found.partitions[p].replica_cnt);
      shape.led = shape.led && found.partitions[p].leader >= 0;
    }
    return shape;
  }
  return absl::NotFoundError("topic " + topic + " does not exist");
}

absl::StatusOr<TopicConfigs> configs_of(Client& client, const std::string& topic, int timeout_ms) {
  const std::unique_ptr<rd_kafka_ConfigResource_t, ResourceDeleter> resource(
      rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic.c_str()));
  const QueuePtr queue(rd_kafka_queue_new(client.get()));
  const OptionsPtr options = options_for(client, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS, timeout_ms);
  rd_kafka_ConfigResource_t* asked = resource.get();
  rd_kafka_DescribeConfigs(client.get(), &asked, 1, options.get(), queue.get());
  const std::string what = "asking for the settings of topic " + topic;
  const EventPtr event = answer_of(queue.get(), timeout_ms);
  if (!event) return absl::UnavailableError(what + ": no answer");
  if (const auto error = rd_kafka_event_error(event.get())) return status_of(error, what);
  size_t count = 0;
  const rd_kafka_ConfigResource_t** resources = rd_kafka_DescribeConfigs_result_resources(
      rd_kafka_event_DescribeConfigs_result(event.get()), &count);
  if (count != 1) return absl::UnavailableError(what + ": an empty answer");
  if (const auto error = rd_kafka_ConfigResource_error(resources[0])) return status_of(error, what);
  TopicConfigs configs;
  size_t entries = 0;
  const rd_kafka_ConfigEntry_t** entry = rd_kafka_ConfigResource_configs(resources[0], &entries);
  for (size_t i = 0; i < entries; ++i) {
    const char* value = rd_kafka_ConfigEntry_value(entry[i]);
    configs[rd_kafka_ConfigEntry_name(entry[i])] = value ? value : "";
  }
  return configs;
}

absl::Status create_topic(Client& client, const WantedTopic& wanted,
                          const KafkaSettings& settings) {
  const int timeout_ms = settings.request_ms_max;
  char text[512] = "";
  const std::unique_ptr<rd_kafka_NewTopic_t, NewTopicDeleter> topic(rd_kafka_NewTopic_new(
      wanted.name.c_str(), wanted.partitions, settings.replication_factor, text, sizeof text));
  if (!topic) return absl::InvalidArgumentError("topic " + wanted.name + ": " + text);
  for (const auto& [name, value] : wanted.configs) {
    rd_kafka_NewTopic_set_config(topic.get(), name.c_str(), value.c_str());
  }
  const QueuePtr queue(rd_kafka_queue_new(client.get()));
  const OptionsPtr options = options_for(client, RD_KAFKA_ADMIN_OP_CREATETOPICS, timeout_ms);
  rd_kafka_NewTopic_t* raw = topic.get();
  rd_kafka_CreateTopics(client.get(), &raw, 1, options.get(), queue.get());
  const std::string what = "making topic " + wanted.name;
  const EventPtr event = answer_of(queue.get(), timeout_ms);
  if (!event) return absl::UnavailableError(what + ": no answer");
  if (const auto error = rd_kafka_event_error(event.get())) return status_of(error, what);
  size_t count = 0;
  const rd_kafka_topic_result_t** results =
      rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event.get()), &count);
  if (count != 1) return absl::UnavailableError(what + ": an empty answer");
  const rd_kafka_resp_err_t error = rd_kafka_topic_result_error(results[0]);
  // Somebody else was quicker: it is there.
  if (!error || error == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS) return absl::OkStatus();
  const char* why = rd_kafka_topic_result_error_string(results[0]);
  const absl::Status status = status_of(error, what);
  if (!absl::IsUnavailable(status) || !why) return status;
  return absl::InvalidArgumentError(what + ": " + why);
}

}  // namespace taizhang::journal::kafka
