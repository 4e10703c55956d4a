// The clean topic stands beside the journal's.
#include "platform/journal/kafka/clean_config.h"

#include "platform/journal/kafka/config.h"
#include "taizhang/config/v1/config.pb.h"

namespace taizhang::journal::kafka {
namespace {

constexpr char kSuffix[] = ".events";
// Of all its partitions together this is read ahead while a start looks how far the topic came.
constexpr int64_t kReadAheadBytes = int64_t{16} << 20;

}  // namespace

absl::StatusOr<KafkaSettings> clean_topic_settings(const config::v1::Config& config,
                                                   const std::string& folder) {
  if (!config.journal().has_kafka()) {
    return absl::InvalidArgumentError("clean_topic: needs journal.kafka");
  }
  absl::StatusOr<KafkaSettings> settings = settings_of(config.journal().kafka(), folder);
  if (!settings.ok()) return settings;
  const std::string journal = settings->topic;
  const config::v1::CleanTopic& given = config.clean_topic();
  settings->topic = given.has_topic() ? given.topic() : journal + kSuffix;
  settings->linger_ms = given.linger_ms();
  settings->read_ahead_bytes_max = kReadAheadBytes;
  if (settings->topic == journal || settings->topic == heartbeat_topic(journal)) {
    return absl::InvalidArgumentError("clean_topic.topic: " + settings->topic +
                                      " is the journal's own topic");
  }
  if (absl::Status status = check_settings(*settings); !status.ok()) {
    return absl::InvalidArgumentError("clean_topic: " + std::string(status.message()));
  }
  return settings;
}

}  // namespace taizhang::journal::kafka
