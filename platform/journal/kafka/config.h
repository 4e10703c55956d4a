// The Kafka journal's settings from the process's settings.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "platform/journal/kafka/settings.h"

namespace taizhang::config::v1 {
class KafkaJournal;
}

namespace taizhang::journal::kafka {

// Reads the files that hold secrets. `folder`: of the settings file; relative paths, also those
// that are values (ssl.ca.location …), are relative to it. INVALID_ARGUMENT: names the field or
// property. FAILED_PRECONDITION: a file of a secret is missing or others may read it.
absl::StatusOr<KafkaSettings> settings_of(const config::v1::KafkaJournal& config,
                                          const std::string& folder);

}  // namespace taizhang::journal::kafka
