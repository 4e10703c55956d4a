// A journal in a Kafka topic: every partition is a log that several processes write to and read
// (design §3.4).
//
// Reports come in the order of produce() from a thread of the engine. A cursor that is up to date
// reads from memory what one consumer of the process follows; one that is behind fetches. While the
// brokers are unreachable, next() says that there is nothing now, a cursor that has read nothing
// yet fails UNAVAILABLE after 10 s, and reachable() is false; that is no damage. A log that was
// cut, whose first records are gone or that was made anew is DATA_LOSS, for good.
#pragma once

#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "platform/journal/heartbeat.h"
#include "platform/journal/kafka/settings.h"
#include "platform/journal/log.h"

namespace taizhang::journal::kafka {

enum class Access { kWriter, kReader };

// Thread-safe. Logs and channels of it must not be used after close(); cursors must be gone.
class KafkaJournal {
 public:
  // Checks the settings and the topic (topics.h) first. INVALID_ARGUMENT: a setting.
  // FAILED_PRECONDITION: the topic is unsafe or missing; each finding is named. UNAVAILABLE: the
  // brokers do not answer. PERMISSION_DENIED: they do not let us. DATA_LOSS: the topic does not
  // begin at offset 0.
  static absl::StatusOr<std::unique_ptr<KafkaJournal>> open(KafkaSettings settings, Access access);
  // Without the check of the topic's settings: librdkafka's mock cluster, which tests use, has no
  // way to ask for them.
  static absl::StatusOr<std::unique_ptr<KafkaJournal>> open_unchecked(KafkaSettings settings,
                                                                      Access access);
  ~KafkaJournal();

  // Fixed for the life of the journal.
  int partitions() const;
  Log& partition(int index);
  // The topic as it is now: FAILED_PRECONDITION names what changed to the unsafe, DATA_LOSS says
  // which partition is not what it was, UNAVAILABLE that nothing could be seen.
  absl::Status check();
  // The brokers answer. False from a lost connection until all partitions were seen unharmed.
  bool reachable() const;
  // The channel of the topic's heartbeat topic, from its end on. UNAVAILABLE, INVALID_ARGUMENT.
  absl::StatusOr<std::unique_ptr<HeartbeatChannel>> heartbeats();
  // Reports what is in flight as failed and ends all threads. Idempotent.
  void close();

 private:
  struct Parts;
  explicit KafkaJournal(KafkaSettings settings);

  const KafkaSettings settings_;
  std::unique_ptr<Parts> parts_;
};

}  // namespace taizhang::journal::kafka
