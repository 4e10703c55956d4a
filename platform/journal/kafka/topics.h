// The topics of a journal: what they must be so that nothing acknowledged is lost, making them and
// checking them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "platform/journal/kafka/settings.h"

namespace taizhang::journal::kafka {

// One thing a topic must be, and what it is.
struct TopicFact {
  std::string topic;
  std::string setting;   // as Kafka names it where it is a setting
  std::string value;     // empty: it is not there
  std::string required;  // in words: "delete", "at least 3"
  bool good = false;
};

// Everything that can be asked for; bad ones too. `partitions`: what the journal is known to have;
// 0: what its Genesis says, if it has one. UNAVAILABLE: the brokers do not answer.
// PERMISSION_DENIED: they do not let us ask.
absl::StatusOr<std::vector<TopicFact>> check_topics(const KafkaSettings& settings,
                                                    int partitions = 0);

// check_topics() and require_good().
absl::Status require_safe_topics(const KafkaSettings& settings, int partitions = 0);

struct TopicMade {
  std::string topic;
  bool made = false;  // false: it was there, and was not touched
};

// Makes the journal topic and its heartbeat topic where they do not exist; what exists is never
// altered. INVALID_ARGUMENT: the brokers refuse the request. Errors as check_topics().
absl::StatusOr<std::vector<TopicMade>> create_topics(const KafkaSettings& settings, int partitions);

// The clean topic that others read (design §6); `settings.topic` is its name. Its records can be
// made again from the journal, so nothing asks for synced ones, and how long they stay is the
// operator's choice; made without an end. Errors as above.
absl::StatusOr<TopicMade> create_clean_topic(const KafkaSettings& settings, int partitions);
// `partitions`: of the journal, which the clean topic mirrors.
absl::StatusOr<std::vector<TopicFact>> check_clean_topic(const KafkaSettings& settings,
                                                         int partitions);

// OK when every fact is good; FAILED_PRECONDITION names those that are not, with their value and
// what it must be.
absl::Status require_good(const std::vector<TopicFact>& facts);

// What a client of librdkafka 2.0.2 cannot see, and how an operator confirms it.
std::string unseen_features(const KafkaSettings& settings);

}  // namespace taizhang::journal::kafka
