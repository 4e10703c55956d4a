// Topic safety (design §3.4): what the topics are made with and must be.
#include "platform/journal/kafka/topics.h"

#include <memory>
#include <utility>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "platform/journal/kafka/client.h"
#include "platform/journal/kafka/fetcher.h"
#include "platform/journal/kafka/topic_admin.h"
#include "platform/journal/record.h"
#include "taizhang/journal/v1/records.pb.h"

namespace taizhang::journal::kafka {
namespace {

// Below this many the brokers may lose power together, and only synced records survive it.
constexpr int kPowerDomainsUnsynced = 3;
constexpr int kGenesisTries = 20;
constexpr absl::Duration kGenesisWait = absl::Milliseconds(250);
constexpr int kSeenStepMs = 50;
// Heartbeats are of no use after seconds.
constexpr int kHeartbeatRetentionMs = 600'000;
constexpr int kHeartbeatSegmentBytes = 1 << 20;

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
  Checker(std::string topic, TopicConfigs configs)
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
  TopicConfigs configs_;
  std::vector<TopicFact> facts_;
};

bool must_sync(const KafkaSettings& settings) {
  return settings.power_domains < kPowerDomainsUnsynced || settings.replication_factor == 1;
}

TopicConfigs journal_configs(const KafkaSettings& settings) {
  TopicConfigs configs = {{"cleanup.policy", "delete"},
                          {"retention.ms", "-1"},
                          {"retention.bytes", "-1"},
                          {"message.timestamp.type", "LogAppendTime"},
                          {"max.message.bytes", std::to_string(kTopicMessageBytesMin)},
                          {"min.insync.replicas", std::to_string(settings.min_insync_replicas)},
                          {"unclean.leader.election.enable", "false"}};
  if (must_sync(settings)) configs.emplace("flush.messages", "1");
  return configs;
}

TopicConfigs heartbeat_configs() {
  return {{"cleanup.policy", "delete"},
          {"retention.ms", std::to_string(kHeartbeatRetentionMs)},
          {"segment.ms", std::to_string(kHeartbeatRetentionMs)},
          {"segment.bytes", std::to_string(kHeartbeatSegmentBytes)},
          {"min.insync.replicas", "1"}};
}

TopicConfigs clean_configs(const KafkaSettings& settings) {
  return {{"cleanup.policy", "delete"},
          {"retention.ms", "-1"},
          {"retention.bytes", "-1"},
          {"max.message.bytes", std::to_string(kTopicMessageBytesMin)},
          {"min.insync.replicas", std::to_string(settings.min_insync_replicas)},
          {"unclean.leader.election.enable", "false"}};
}

absl::StatusOr<TopicMade> create_missing(const KafkaSettings& settings, const WantedTopic& wanted) {
  if (absl::Status status = check_settings(settings); !status.ok()) return status;
  const absl::StatusOr<std::shared_ptr<Client>> client = Client::make(settings, Use::kAdmin);
  if (!client.ok()) return client.status();
  const absl::StatusOr<TopicShape> shape = shape_of(**client, wanted.name, settings.request_ms_max);
  if (shape.ok()) return TopicMade{wanted.name, false};
  if (!absl::IsNotFound(shape.status())) return shape.status();
  if (absl::Status status = create_topic(**client, wanted, settings); !status.ok()) return status;
  // A topic is there a moment before every broker says so.
  for (int waited_ms = 0; waited_ms < settings.request_ms_max; waited_ms += kSeenStepMs) {
    const auto seen = shape_of(**client, wanted.name, settings.request_ms_max);
    if (seen.ok() && seen->led) return TopicMade{wanted.name, true};
    absl::SleepFor(absl::Milliseconds(kSeenStepMs));
  }
  return absl::UnavailableError("topic " + wanted.name + " was made and is not seen yet");
}

TopicFact missing(const std::string& topic) {
  return {topic, "topic", "", "to exist: taizhang journal create", false};
}

absl::Status check_journal(const KafkaSettings& settings, const std::shared_ptr<Client>& client,
                           int partitions, std::vector<TopicFact>& facts) {
  const int timeout_ms = settings.request_ms_max;
  const absl::StatusOr<TopicShape> shape = shape_of(*client, settings.topic, timeout_ms);
  if (absl::IsNotFound(shape.status())) {
    facts.push_back(missing(settings.topic));
    return absl::OkStatus();
  }
  if (!shape.ok()) return shape.status();
  absl::StatusOr<TopicConfigs> configs = configs_of(*client, settings.topic, timeout_ms);
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
  const absl::StatusOr<TopicShape> shape = shape_of(client, topic, settings.request_ms_max);
  if (absl::IsNotFound(shape.status())) {
    facts.push_back(missing(topic));
    return absl::OkStatus();
  }
  if (!shape.ok()) return shape.status();
  absl::StatusOr<TopicConfigs> configs = configs_of(client, topic, settings.request_ms_max);
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
  for (const WantedTopic& wanted :
       {WantedTopic{settings.topic, partitions, journal_configs(settings)},
        WantedTopic{heartbeat_topic(settings.topic), 1, heartbeat_configs()}}) {
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
  const absl::StatusOr<TopicShape> shape =
      shape_of(**client, settings.topic, settings.request_ms_max);
  if (absl::IsNotFound(shape.status())) return std::vector{missing(settings.topic)};
  if (!shape.ok()) return shape.status();
  absl::StatusOr<TopicConfigs> configs =
      configs_of(**client, settings.topic, settings.request_ms_max);
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
