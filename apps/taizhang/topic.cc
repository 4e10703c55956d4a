// Makes and checks the Kafka topics of a journal and its clean topic, from the settings of
// taizhangd.
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>

#include "apps/taizhang/session.h"
#include "apps/taizhang/text.h"
#include "platform/config/config.h"
#include "platform/journal/kafka/clean_config.h"
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

struct Settings {
  int partitions = 0;  // of topics that are made
  kafka::KafkaSettings journal;
  std::optional<kafka::KafkaSettings> clean;
};

// The settings of the server that --config names; 0, or the exit code of what was said.
int load(const Session& session, Settings& settings) {
  const std::string path = session.arguments().get("--config");
  if (path.empty()) return session.usage("--config is missing: the settings of taizhangd");
  config::v1::Config process;
  if (absl::Status status = load_config(path, process); !status.ok()) {
    return session.fail(kExitUsage, std::string(status.message()));
  }
  if (!process.journal().has_kafka()) {
    return session.fail(kExitUsage, path + ": has no journal.kafka");
  }
  settings.partitions = process.journal().kafka().partitions();
  const std::string folder = std::filesystem::absolute(path).parent_path();
  absl::StatusOr<kafka::KafkaSettings> read = kafka::settings_of(process.journal().kafka(), folder);
  if (!read.ok())
    return session.fail(kExitUsage, path + ": " + std::string(read.status().message()));
  settings.journal = *std::move(read);
  if (process.has_clean_topic()) {
    read = kafka::clean_topic_settings(process, folder);
    if (!read.ok())
      return session.fail(kExitUsage, path + ": " + std::string(read.status().message()));
    settings.clean = *std::move(read);
  }
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

// Of the journal's topic, whose facts come first.
int partitions_of(const std::vector<kafka::TopicFact>& facts) {
  for (const kafka::TopicFact& fact : facts) {
    if (fact.setting == "partitions") return std::stoi(fact.value);
  }
  return 0;
}

int check(const Session& session, const Settings& settings) {
  auto facts = kafka::check_topics(settings.journal);
  if (!facts.ok()) return fail(session, facts.status());
  if (settings.clean) {
    const auto clean = kafka::check_clean_topic(*settings.clean, partitions_of(*facts));
    if (!clean.ok()) return fail(session, clean.status());
    facts->insert(facts->end(), clean->begin(), clean->end());
  }
  return show(session, settings.journal, *facts);
}

}  // namespace

int run_journal_create(Session& session) {
  Settings settings;
  if (const int code = load(session, settings)) return code;
  int64_t partitions = settings.partitions;
  if (const int code = session.number("--partitions", partitions)) return code;
  if (partitions < 1 || partitions > 1000) return session.usage("--partitions: expected 1 to 1000");
  auto made = kafka::create_topics(settings.journal, static_cast<int>(partitions));
  if (!made.ok()) return fail(session, made.status());
  if (settings.clean) {
    // As many as the journal has, which may have been there before.
    const auto facts = kafka::check_topics(settings.journal);
    if (!facts.ok()) return fail(session, facts.status());
    const auto clean = kafka::create_clean_topic(*settings.clean, partitions_of(*facts));
    if (!clean.ok()) return fail(session, clean.status());
    made->push_back(*clean);
  }
  if (!session.json()) {
    for (const kafka::TopicMade& topic : *made) {
      say("topic " + topic.topic + (topic.made ? " made\n" : " was there, not touched\n"));
    }
  }
  return check(session, settings);
}

int run_journal_check(Session& session) {
  Settings settings;
  if (const int code = load(session, settings)) return code;
  return check(session, settings);
}

}  // namespace taizhang::cli
