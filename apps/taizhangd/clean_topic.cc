// The clean topic's republisher, from the settings to its metrics.
#include "apps/taizhangd/clean_topic.h"

#include "apps/taizhangd/process_journal.h"
#include "platform/base/clock.h"
#include "platform/journal/kafka/clean_config.h"
#include "platform/journal/kafka/clean_topic.h"
#include "platform/republish/republisher.h"
#include "platform/rpc/metrics.h"
#include "taizhang/config/v1/config.pb.h"

namespace taizhang {
namespace {

using republish::LaneStatus;
using republish::Republisher;

constexpr double kMicrosPerSecond = 1e6;

}  // namespace

absl::StatusOr<std::unique_ptr<Republisher>> start_republisher(const config::v1::Config& config,
                                                               const std::string& folder,
                                                               ProcessJournal& journal) {
  const config::v1::CleanTopic& given = config.clean_topic();
  if (!config.has_clean_topic() || !given.republish() ||
      config.role() == config::v1::PROCESS_ROLE_WRITER) {
    return nullptr;
  }
  auto kafka = journal::kafka::clean_topic_settings(config, folder);
  if (!kafka.ok()) return kafka.status();
  auto topic = journal::kafka::open_clean_topic(*std::move(kafka),
                                                static_cast<int>(journal.partitions().size()));
  if (!topic.ok()) return topic.status();
  republish::RepublisherSettings settings;
  settings.directory = config.data_dir() + "/republish";
  settings.lane.in_flight_records_max = given.in_flight_records_max();
  settings.lane.in_flight_bytes_max = given.in_flight_bytes_max();
  settings.checkpoint_interval_us = int64_t{given.checkpoint_interval_ms()} * 1'000;
  auto republisher = std::make_unique<Republisher>(journal.partitions(), *std::move(topic),
                                                   system_clock(), std::move(settings));
  if (auto started = republisher->start(); !started.ok()) return started;
  return republisher;
}

void observe_republisher(Metrics& metrics, const Republisher& republisher) {
  const size_t partitions = republisher.status().size();
  for (size_t i = 0; i < partitions; ++i) {
    const auto read = [&republisher, i](auto value) {
      return
          [&republisher, i, value] { return static_cast<double>(value(republisher.status()[i])); };
    };
    const Metrics::Labels labels = {{"partition", std::to_string(i)}};
    metrics.gauge("taizhang_clean_topic_events",
                  "Events known to stand in the clean topic: the k reached.", labels,
                  read([](const LaneStatus& lane) { return lane.k; }));
    metrics.gauge("taizhang_clean_topic_lag_seconds",
                  "Since the oldest event that was read and is not confirmed was recorded.", labels,
                  read([](const LaneStatus& lane) {
                    return static_cast<double>(lane.lag_us) / kMicrosPerSecond;
                  }));
    metrics.gauge(
        "taizhang_clean_topic_journal_records_behind",
        "Records of the journal's partition not read yet.", labels,
        read([](const LaneStatus& lane) { return lane.journal_end - lane.journal_offset; }));
    metrics.gauge(
        "taizhang_clean_topic_stopped",
        "1: it does not go on until an operator acts (the log says why), alarm.", labels,
        read([](const LaneStatus& lane) { return republish::is_final(lane.status) ? 1 : 0; }));
    metrics.total("taizhang_clean_topic_attempts_total",
                  "Times it began again at the k reached; the first counts.", labels,
                  read([](const LaneStatus& lane) { return lane.attempts; }));
    metrics.total("taizhang_clean_topic_foreign_records_total",
                  "Records there that are none of a republisher, skipped; alarm.", labels,
                  read([](const LaneStatus& lane) { return lane.foreign_records; }));
  }
}

}  // namespace taizhang
