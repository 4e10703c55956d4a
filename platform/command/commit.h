// Between requests, events, commits and answers.
#pragma once

#include <google/protobuf/message.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "platform/command/decision.h"
#include "platform/command/registry.h"

namespace taizhang {
namespace journal::v1 {
class Commit;
}

// Text of a UUID from its 16 bytes, and back (empty: not a UUID).
std::string uuid_text(std::string_view bytes);
std::string uuid_bytes(std::string_view text);

// Appends the events to the commit, each serialised once.
void add_events(const std::vector<Emitted>& events, int32_t effective_day,
                journal::v1::Commit& commit);

// The events of a stored commit, parsed by their registered types. UNIMPLEMENTED: an unknown type.
// DATA_LOSS: bytes that are not of their type.
absl::StatusOr<std::vector<std::unique_ptr<google::protobuf::Message>>> parse_events(
    const Registry& registry, const journal::v1::Commit& commit);

// What a caller gets back about positions.
struct ReceiptFields {
  std::string_view ledger;
  int64_t first_seq = 0;
  int64_t last_seq = 0;
  int64_t recorded_time_us = 0;
  bool duplicate = false;
  bool unchanged = false;
  int64_t decided_on_seq = 0;  // validate_only
};

// A response of `prototype`'s type: receipt, version, and every field that an event has under the
// same name and type (the last event that has it).
std::unique_ptr<google::protobuf::Message> make_response(
    const google::protobuf::Message& prototype, const ReceiptFields& receipt,
    const std::vector<const google::protobuf::Message*>& events);

}  // namespace taizhang
