// A topic without the engine, for benchmarks: whether its broker syncs, and how fast a plain
// consumer reads it.
#pragma once

#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "platform/journal/kafka/settings.h"

namespace taizhang::journal::kafka::testing {

// True: the broker syncs every record before it confirms it (flush.messages=1); false: it confirms
// from its page cache. The other settings of the topic stay. The engine opens no topic of a single
// broker that does not sync; that a running process measures one here is because it looks again
// only after check_interval_s. UNAVAILABLE: the broker does not answer.
absl::Status set_synced(const KafkaSettings& settings, bool synced);

struct BareRead {
  int64_t records = 0;
  int64_t bytes = 0;
  double seconds = 0;  // from the first request of a connected consumer to the last record
};

// Everything that the partition holds now, with librdkafka's defaults. UNAVAILABLE: the broker does
// not answer, or nothing came for 10 s.
absl::StatusOr<BareRead> bare_read(const KafkaSettings& settings, int32_t partition);

}  // namespace taizhang::journal::kafka::testing
