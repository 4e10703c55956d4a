// Topic safety (design §3.4): what is asked of the brokers and what it must say.
#include "platform/journal/kafka/topics.h"

#include <librdkafka/rdkafka.h>

#include <algorithm>
#include <limits>
#include <map>
#include <memory>
#include <utility>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "platform/journal/kafka/client.h"
#include "platform/journal/kafka/fetcher.h"
#include "platform/journal/record.h"
#include "taizhang/journal/v1/records.pb.h"

namespace taizhang::journal::kafka {
namespace {

using Configs = std::map<std::string, std::string>;

// Below this many the brokers may lose power together, and only synced records survive it.
constexpr int kPowerDomainsUnsynced = 3;
constexpr int kGenesisTries = 20;
constexpr absl::Duration kGenesisWait = absl::Milliseconds(250);
constexpr int kSeenStepMs = 50;
// Heartbeats are of no use after seconds.
constexpr int kHeartbeatRetentionMs = 600'000;
constexpr int kHeartbeatSegmentBytes = 1 << 20;

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

absl::StatusOr<Configs> configs_of(Client& client, const std::string& topic, int timeout_ms) {
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
  Configs configs;
  size_t entries = 0;
  const rd_kafka_ConfigEntry_t** entry = rd_kafka_ConfigResource_configs(resources[0], &entries);
  for (size_t i = 0; i < entries; ++i) {
    const char* value = rd_kafka_ConfigEntry_value(entry[i]);
    configs[rd_kafka_ConfigEntry_name(entry[i])] = value ? value : "";
  }
  return configs;
}

struct Shape {
  int partitions = 0;
  int replication_min = 0;
  bool led = true;  // every partition has a leader
};

absl::StatusOr<Shape> shape_of(Client& client, const std::string& topic, int timeout_ms) {
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
    Shape shape{.partitions = found.partition_cnt,
                .replication_min = std::numeric_limits<int>::max()};
    for (int p = 0; p < found.partition_cnt; ++p) {
      shape.replication_min = std::min(shape.replication_min, found.partitions[p].replica_cnt);
      shape.led = shape.led && found.partitions[p].leader >= 0;
    }
    return shape;
  }
  return absl::NotFoundError("topic " + topic + " does not exist");
}

// The partition count of the Genesis in partition 0; 0: there is none, or it is not the first
// record.
absl::StatusOr<int> genesis_partitions(const KafkaSettings& settings,
                                       const std::shared_ptr<Client>& client) {
  Fetcher fetcher(client, settings.topic);
  if (absl::Status status = fetcher.start(0, 0); !status.ok()) return status;
  BlockPtr block;
  for (int i = 0; i < kGenesisTries && !block; ++i) {
    absl::StatusOr<BlockPtr> taken = fetcher.take(kGenesisWait);
    if (!taken.ok()) return taken.status();
    block = *std::move(taken);
  }
  if (!block) return absl::UnavailableError("topic " + settings.topic + ": offset 0 is not read");
  const std::string_view record = block->record(0).bytes;
  const std::optional<RecordIdentity> identity = identify(record);
  if (!identity || identity->kind != static_cast<uint8_t>(Kind::kGenesis)) return 0;
  v1::Genesis genesis;
  if (record.size() < kRecordHeaderBytes ||
      !genesis.ParseFromArray(record.data() + kRecordHeaderBytes,
                              static_cast<int>(record.size() - kRecordHeaderBytes))) {
    return 0;
  }
  return static_cast<int>(genesis.partition_count());
}

// Gathers the facts of one topic.
class Checker {
 public:
  Checker(std::string topic, Configs configs)
      : topic_(std::move(topic)), configs_(std::move(configs)) {}

  void fact(std::string setting, std::string value, std::string required, bool good) {
    facts_.push_back({topic_, std::move(setting), std::move(value), std::move(required), good});
  }
  void is(const std::string& setting, const std::string& required) {
    fact(setting, configs_[setting], required, configs_[setting] == required);
  }
  void at_least(const std::string& setting, int64_t min) {
    int64_t value = 0;
    const bool number = parse(configs_[setting], value);
    fact(setting, configs_[setting], "at least " + std::to_string(min), number && value >= min);
  }
  void at_least(const std::string& name, int64_t value, int64_t min) {
    fact(name, std::to_string(value), "at least " + std::to_string(min), value >= min);
  }
  void bounded(const std::string& setting) {
    int64_t value = 0;
    const bool number = parse(configs_[setting], value);
    fact(setting, configs_[setting], "not -1", number && value >= 0);
  }
  std::vector<TopicFact> take() { return std::move(facts_); }

 private:
  static bool parse(const std::string& text, int64_t& value) {
    try {
      size_t used = 0;
      value = std::stoll(text, &used);
      return used == text.size();
    } catch (const std::exception&) {
      return false;
    }
  }

  const std::string topic_;
  Configs configs_;
  std::vector<TopicFact> facts_;
};

bool must_sync(const KafkaSettings& settings) {
  return settings.power_domains < kPowerDomainsUnsynced || settings.replication_factor == 1;
}

using Pairs = std::vector<std::pair<std::string, std::string>>;

// A topic as it is to be made.
struct Wanted {
  std::string topic;
  int partitions = 0;
  Pairs configs;
};

Pairs journal_configs(const KafkaSettings& settings) {
  Pairs configs = {{"cleanup.policy", "delete"},
                   {"retention.ms", "-1"},
                   {"retention.bytes", "-1"},
                   {"message.timestamp.type", "LogAppendTime"},
                   {"max.message.bytes", std::to_string(kTopicMessageBytesMin)},
                   {"min.insync.replicas", std::to_string(settings.min_insync_replicas)},
                   {"unclean.leader.election.enable", "false"}};
  if (must_sync(settings)) configs.emplace_back("flush.messages", "1");
  return configs;
}

Pairs heartbeat_configs() {
  return {{"cleanup.policy", "delete"},
          {"retention.ms", std::to_string(kHeartbeatRetentionMs)},
          {"segment.ms", std::to_string(kHeartbeatRetentionMs)},
          {"segment.bytes", std::to_string(kHeartbeatSegmentBytes)},
          {"min.insync.replicas", "1"}};
}

Pairs clean_configs(const KafkaSettings& settings) {
  return {{"cleanup.policy", "delete"},
          {"retention.ms", "-1"},
          {"retention.bytes", "-1"},
          {"max.message.bytes", std::to_string(kTopicMessageBytesMin)},
          {"min.insync.replicas", std::to_string(settings.min_insync_replicas)},
          {"unclean.leader.election.enable", "false"}};
}

absl::Status create(Client& client, const Wanted& wanted, const KafkaSettings& settings) {
  const int timeout_ms = settings.request_ms_max;
  char text[512] = "";
  const std::unique_ptr<rd_kafka_NewTopic_t, NewTopicDeleter> topic(rd_kafka_NewTopic_new(
      wanted.topic.c_str(), wanted.partitions, settings.replication_factor, text, sizeof text));
  if (!topic) return absl::InvalidArgumentError("topic " + wanted.topic + ": " + text);
  for (const auto& [name, value] : wanted.configs) {
    rd_kafka_NewTopic_set_config(topic.get(), name.c_str(), value.c_str());
  }
  const QueuePtr queue(rd_kafka_queue_new(client.get()));
  const OptionsPtr options = options_for(client, RD_KAFKA_ADMIN_OP_CREATETOPICS, timeout_ms);
  rd_kafka_NewTopic_t* raw = topic.get();
  rd_kafka_CreateTopics(client.get(), &raw, 1, options.get(), queue.get());
  const std::string what = "making topic " + wanted.topic;
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

absl::StatusOr<TopicMade> create_missing(const KafkaSettings& settings, const Wanted& wanted) {
  if (absl::Status status = check_settings(settings); !status.ok()) return status;
  const absl::StatusOr<std::shared_ptr<Client>> client = Client::make(settings, Use::kAdmin);
  if (!client.ok()) return client.status();
  const absl::StatusOr<Shape> shape = shape_of(**client, wanted.topic, settings.request_ms_max);
  if (shape.ok()) return TopicMade{wanted.topic, false};
  if (!absl::IsNotFound(shape.status())) return shape.status();
  if (absl::Status status = create(**client, wanted, settings); !status.ok()) return status;
  // A topic is there a moment before every broker says so.
  for (int waited_ms = 0; waited_ms < settings.request_ms_max; waited_ms += kSeenStepMs) {
    const auto seen = shape_of(**client, wanted.topic, settings.request_ms_max);
    if (seen.ok() && seen->led) return TopicMade{wanted.topic, true};
    absl::SleepFor(absl::Milliseconds(kSeenStepMs));
  }
  return absl::UnavailableError("topic " + wanted.topic + " was made and is not seen yet");
}

TopicFact missing(const std::string& topic) {
  return {topic, "topic", "", "to exist: taizhang journal create", false};
}

absl::Status check_journal(const KafkaSettings& settings, const std::shared_ptr<Client>& client,
                           int partitions, std::vector<TopicFact>& facts) {
  const int timeout_ms = settings.request_ms_max;
  const absl::StatusOr<Shape> shape = shape_of(*client, settings.topic, timeout_ms);
  if (absl::IsNotFound(shape.status())) {
    facts.push_back(missing(settings.topic));
    return absl::OkStatus();
  }
  if (!shape.ok()) return shape.status();
  absl::StatusOr<Configs> configs = configs_of(*client, settings.topic, timeout_ms);
  if (!configs.ok()) return configs.status();
  const absl::StatusOr<std::vector<Bounds>> bounds =
      client->bounds_of(settings.topic, shape->partitions, timeout_ms);
  if (!bounds.ok()) return bounds.status();
  if (partitions == 0 && bounds->front().begin == 0 && bounds->front().end > 0) {
    const absl::StatusOr<int> genesis = genesis_partitions(settings, client);
    if (!genesis.ok()) return genesis.status();
    partitions = *genesis;
  }

  Checker checker(settings.topic, *std::move(configs));
  checker.fact("partitions", std::to_string(shape->partitions),
               partitions == 0 ? "any, and never another number"
                               : std::to_string(partitions) + ", as the journal began with",
               partitions == 0 || partitions == shape->partitions);
  checker.at_least("replication factor", shape->replication_min, settings.replication_factor);
  checker.at_least("min.insync.replicas", settings.min_insync_replicas);
  checker.is("unclean.leader.election.enable", "false");
  checker.is("cleanup.policy", "delete");
  checker.is("retention.ms", "-1");
  checker.is("retention.bytes", "-1");
  checker.is("message.timestamp.type", "LogAppendTime");
  checker.at_least("max.message.bytes", kTopicMessageBytesMin);
  if (must_sync(settings)) checker.is("flush.messages", "1");
  bool complete = true;
  for (size_t i = 0; i < bounds->size(); ++i) {
    const int64_t begin = (*bounds)[i].begin;
    if (begin == 0) continue;
    complete = false;
    checker.fact("log start offset of partition " + std::to_string(i), std::to_string(begin), "0",
                 false);
  }
  if (complete) checker.fact("log start offset", "0", "0", true);
  for (TopicFact& fact : checker.take()) facts.push_back(std::move(fact));
  return absl::OkStatus();
}

absl::Status check_heartbeats(const KafkaSettings& settings, Client& client,
                              std::vector<TopicFact>& facts) {
  const std::string topic = heartbeat_topic(settings.topic);
  const absl::StatusOr<Shape> shape = shape_of(client, topic, settings.request_ms_max);
  if (absl::IsNotFound(shape.status())) {
    facts.push_back(missing(topic));
    return absl::OkStatus();
  }
  if (!shape.ok()) return shape.status();
  absl::StatusOr<Configs> configs = configs_of(client, topic, settings.request_ms_max);
  if (!configs.ok()) return configs.status();
  Checker checker(topic, *std::move(configs));
  checker.fact("partitions", std::to_string(shape->partitions), "1", shape->partitions == 1);
  checker.is("cleanup.policy", "delete");
  checker.bounded("retention.ms");
  for (TopicFact& fact : checker.take()) facts.push_back(std::move(fact));
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::vector<TopicFact>> check_topics(const KafkaSettings& settings, int partitions) {
  if (absl::Status status = check_settings(settings); !status.ok()) return status;
  const absl::StatusOr<std::shared_ptr<Client>> client = Client::make(settings, Use::kAdmin);
  if (!client.ok()) return client.status();
  std::vector<TopicFact> facts;
  if (absl::Status status = check_journal(settings, *client, partitions, facts); !status.ok()) {
    return status;
  }
  if (absl::Status status = check_heartbeats(settings, **client, facts); !status.ok()) {
    return status;
  }
  return facts;
}

absl::Status require_good(const std::vector<TopicFact>& facts) {
  std::string bad;
  for (const TopicFact& fact : facts) {
    if (fact.good) continue;
    bad += (bad.empty() ? "" : "; ") + std::string("topic ") + fact.topic + ": " + fact.setting +
           " is " + (fact.value.empty() ? "missing" : fact.value) + ", must be " + fact.required;
  }
  if (bad.empty()) return absl::OkStatus();
  return absl::FailedPreconditionError(bad);
}

absl::Status require_safe_topics(const KafkaSettings& settings, int partitions) {
  const absl::StatusOr<std::vector<TopicFact>> facts = check_topics(settings, partitions);
  if (!facts.ok()) return facts.status();
  return require_good(*facts);
}

absl::StatusOr<std::vector<TopicMade>> create_topics(const KafkaSettings& settings,
                                                     int partitions) {
  std::vector<TopicMade> made;
  for (const Wanted& wanted : {Wanted{settings.topic, partitions, journal_configs(settings)},
                               Wanted{heartbeat_topic(settings.topic), 1, heartbeat_configs()}}) {
    const absl::StatusOr<TopicMade> one = create_missing(settings, wanted);
    if (!one.ok()) return one.status();
    made.push_back(*one);
  }
  return made;
}

absl::StatusOr<TopicMade> create_clean_topic(const KafkaSettings& settings, int partitions) {
  return create_missing(settings, {settings.topic, partitions, clean_configs(settings)});
}

absl::StatusOr<std::vector<TopicFact>> check_clean_topic(const KafkaSettings& settings,
                                                         int partitions) {
  if (absl::Status status = check_settings(settings); !status.ok()) return status;
  const absl::StatusOr<std::shared_ptr<Client>> client = Client::make(settings, Use::kAdmin);
  if (!client.ok()) return client.status();
  const absl::StatusOr<Shape> shape = shape_of(**client, settings.topic, settings.request_ms_max);
  if (absl::IsNotFound(shape.status())) return std::vector{missing(settings.topic)};
  if (!shape.ok()) return shape.status();
  absl::StatusOr<Configs> configs = configs_of(**client, settings.topic, settings.request_ms_max);
  if (!configs.ok()) return configs.status();
  Checker checker(settings.topic, *std::move(configs));
  checker.fact("partitions", std::to_string(shape->partitions),
               std::to_string(partitions) + ", as the journal has",
               shape->partitions == partitions);
  checker.at_least("replication factor", shape->replication_min, settings.replication_factor);
  checker.at_least("min.insync.replicas", settings.min_insync_replicas);
  checker.is("unclean.leader.election.enable", "false");
  checker.is("cleanup.policy", "delete");
  checker.at_least("max.message.bytes", kTopicMessageBytesMin);
  return checker.take();
}

std::string unseen_features(const KafkaSettings& settings) {
  return "eligible leader replicas (eligible.leader.replicas.version, 1 or more) cannot be seen "
         "from here; confirm with: kafka-features.sh --bootstrap-server " +
         settings.bootstrap_servers + " describe";
}

}  // namespace taizhang::journal::kafka
