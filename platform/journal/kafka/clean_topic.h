// The clean topic on Kafka: headers and key as the CloudEvents binding has them, explicit
// partitions, an idempotent producer, no consumer group.
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "platform/journal/kafka/settings.h"
#include "platform/republish/clean_topic.h"

namespace taizhang::journal::kafka {

// Checks the topic (topics.h) first. `settings.topic` is the clean topic; its in-flight bounds are
// not used, the lanes have their own. `partitions`: of the journal. INVALID_ARGUMENT: a setting.
// FAILED_PRECONDITION: the topic is missing or not as it must be; each finding is named.
// UNAVAILABLE: the brokers do not answer. PERMISSION_DENIED: they do not let us.
//
// After a fatal error of the producer everything in flight is reported as failed, the next
// produce() to each partition is refused once, and a new producer takes what comes then. Destroying
// it drops what is in flight: it may or may not arrive.
absl::StatusOr<std::unique_ptr<republish::CleanTopic>> open_clean_topic(KafkaSettings settings,
                                                                        int partitions);
// Without the check: librdkafka's mock cluster, which tests use, has no way to ask.
absl::StatusOr<std::unique_ptr<republish::CleanTopic>> open_clean_topic_unchecked(
    KafkaSettings settings, int partitions);

}  // namespace taizhang::journal::kafka
