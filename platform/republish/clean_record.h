// One record of the clean topic: an event as a CloudEvent in Kafka's binary mode.
//
// A record is a pure function of the journal and the mapping version: whoever makes it, whenever,
// gives the same bytes. Headers: docs/formats.md, "Clean topic".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "platform/base/sha256.h"

namespace taizhang {

struct EventMeta;

namespace republish {

// Fixed for the life of a topic. Whatever would change a record of an event that exists (a header,
// its order, an event's subject) is a new mapping and goes to a new topic.
inline constexpr std::string_view kMapping = "1";

struct Header {
  std::string name;
  std::string value;

  friend bool operator==(const Header&, const Header&) = default;
};

struct CleanRecord {
  std::string key;  // code of the ledger
  std::vector<Header> headers;
  std::string value;  // the stored bytes of the event message

  friend bool operator==(const CleanRecord&, const CleanRecord&) = default;
};

// The event with the ordinal `k` (1, 2, 3 …) among the events of its partition. UNIMPLEMENTED: a
// type this program does not know. DATA_LOSS: the payload is not of its type.
absl::StatusOr<CleanRecord> map_event(const EventMeta& meta, int64_t k);

// Its k; nullopt: no record of a clean topic, which the consumer rule ignores.
// FAILED_PRECONDITION: of another mapping.
absl::StatusOr<std::optional<int64_t>> ordinal_of(const CleanRecord& record);

// Of key, headers in order, and value.
Sha256Digest digest_of(const CleanRecord& record);

// Bytes of key, headers and value together.
int64_t bytes_of(const CleanRecord& record);

}  // namespace republish
}  // namespace taizhang
