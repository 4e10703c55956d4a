// The clean topic's settings from the process's settings.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "platform/journal/kafka/settings.h"

namespace taizhang::config::v1 {
class Config;
}

namespace taizhang::journal::kafka {

// Of a config with clean_topic: the journal's connection and replication, the clean topic's name
// and linger. `folder` and errors as settings_of(); INVALID_ARGUMENT also where the journal is no
// Kafka topic, or the very same topic.
absl::StatusOr<KafkaSettings> clean_topic_settings(const config::v1::Config& config,
                                                   const std::string& folder);

}  // namespace taizhang::journal::kafka
