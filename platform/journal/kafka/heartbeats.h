// Heartbeats in a Kafka topic of their own.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "platform/journal/heartbeat.h"
#include "platform/journal/kafka/settings.h"

namespace taizhang::journal::kafka {

// From the topic's end on.
absl::StatusOr<std::unique_ptr<HeartbeatChannel>> open_heartbeats(const KafkaSettings& settings);

// The stored form: magic, version, the fields in order, little-endian; 74 bytes.
std::string encode_heartbeat(const Heartbeat& heartbeat);
// Nothing: not a heartbeat of this version.
std::optional<Heartbeat> decode_heartbeat(std::string_view bytes);

}  // namespace taizhang::journal::kafka
