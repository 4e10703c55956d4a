// Makes and checks the Kafka topics of a journal, from the settings of taizhangd.
#include <filesystem>
#include <nlohmann/json.hpp>

#include "apps/taizhang/session.h"
#include "apps/taizhang/text.h"
#include "platform/config/config.h"
#include "platform/journal/kafka/config.h"
#include "platform/journal/kafka/topics.h"
#include "taizhang/config/v1/config.pb.h"

namespace taizhang::cli {
namespace {

namespace kafka = journal::kafka;

int exit_code_of(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kInvalidArgument: return kExitUsage;
    case absl::StatusCode::kNotFound: return kExitNotFound;
    case absl::StatusCode::kUnavailable: return kExitUnavailable;
    case absl::StatusCode::kPermissionDenied:
    case absl::StatusCode::kFailedPrecondition: return kExitRefused;
    case absl::StatusCode::kDataLoss: return kExitDamaged;
    default: return kExitFailed;
  }
}

int fail(const Session& session, const absl::Status& status) {
  return session.fail(exit_code_of(status), std::string(status.message()));
}

// The settings of the server that --config names; 0, or the exit code of what was said.
int load(const Session& session, config::v1::KafkaJournal& config, kafka::KafkaSettings& settings) {
  const std::string path = session.arguments().get("--config");
  if (path.empty()) return session.usage("--config is missing: the settings of taizhangd");
  config::v1::Config process;
  if (absl::Status status = load_config(path, process); !status.ok()) {
    return session.fail(kExitUsage, std::string(status.message()));
  }
  if (!process.journal().has_kafka()) {
    return session.fail(kExitUsage, path + ": has no journal.kafka");
  }
  config = process.journal().kafka();
  absl::StatusOr<kafka::KafkaSettings> read =
      kafka::settings_of(config, std::filesystem::absolute(path).parent_path());
  if (!read.ok())
    return session.fail(kExitUsage, path + ": " + std::string(read.status().message()));
  settings = *std::move(read);
  return kExitOk;
}

// Prints the facts; 0, or kExitRefused when one is bad.
int show(const Session& session, const kafka::KafkaSettings& settings,
         const std::vector<kafka::TopicFact>& facts) {
  bool good = true;
  Table table({"", "topic", "setting", "value", "must be"});
  auto rows = nlohmann::json::array();
  for (const kafka::TopicFact& fact : facts) {
    good = good && fact.good;
    table.row({fact.good ? "ok" : "BAD", fact.topic, fact.setting, fact.value, fact.required});
    rows.push_back({{"topic", fact.topic},
                    {"setting", fact.setting},
                    {"value", fact.value},
                    {"required", fact.required},
                    {"good", fact.good}});
  }
  const std::string unseen = kafka::unseen_features(settings);
  if (session.json()) {
    say(nlohmann::json({{"good", good}, {"facts", rows}, {"unseen", unseen}}).dump() + "\n");
  } else {
    say(table.text() + "Not seen: " + unseen + "\n");
  }
  return good ? kExitOk : kExitRefused;
}

int check(const Session& session, const kafka::KafkaSettings& settings) {
  const auto facts = kafka::check_topics(settings);
  if (!facts.ok()) return fail(session, facts.status());
  return show(session, settings, *facts);
}

}  // namespace

int run_journal_create(Session& session) {
  config::v1::KafkaJournal config;
  kafka::KafkaSettings settings;
  if (const int code = load(session, config, settings)) return code;
  int64_t partitions = config.partitions();
  if (const int code = session.number("--partitions", partitions)) return code;
  if (partitions < 1 || partitions > 1000) return session.usage("--partitions: expected 1 to 1000");
  const auto made = kafka::create_topics(settings, static_cast<int>(partitions));
  if (!made.ok()) return fail(session, made.status());
  if (!session.json()) {
    for (const kafka::TopicMade& topic : *made) {
      say("topic " + topic.topic + (topic.made ? " made\n" : " was there, not touched\n"));
    }
  }
  return check(session, settings);
}

int run_journal_check(Session& session) {
  config::v1::KafkaJournal config;
  kafka::KafkaSettings settings;
  if (const int code = load(session, config, settings)) return code;
  return check(session, settings);
}

}  // namespace taizhang::cli
