// A journal record: a fixed header and a protobuf body (proto/taizhang/journal/v1). Bytes:
// docs/formats.md.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "platform/base/sha256.h"

namespace google::protobuf {
class MessageLite;
}

namespace taizhang::journal {

enum class Kind : uint8_t {
  kGenesis = 1,
  kClaim = 2,
  kRelease = 3,
  kBarrier = 4,
  kLedgerOpened = 5,
  kLedgerClosed = 6,
  kCommit = 7,
  kRequestSettled = 8,
  kStateMark = 9,
};

std::string_view name_of(Kind kind);

inline constexpr size_t kIdBytes = 16;
using Id128 = std::array<uint8_t, kIdBytes>;

inline constexpr uint32_t kRecordMagic = 0x314A5A54;  // "TZJ1"
inline constexpr uint8_t kRecordFormat = 1;
inline constexpr size_t kRecordHeaderBytes = 80;
// Header and body. Kafka's default bound is 1 MiB with its own framing.
inline constexpr size_t kRecordBytesMax = 1'000'000;
// The validity rule this code implements; a journal that asks for a newer one is not read.
inline constexpr uint32_t kRuleVersion = 1;

struct RecordHeader {
  Kind kind = Kind::kBarrier;
  Id128 uuid{};  // of the journal
  uint32_t partition = 0;
  uint32_t body_bytes = 0;
  uint64_t epoch = 0;
  Id128 owner{};  // all zero: none
  uint64_t n = 0;
  Id128 prev{};  // first 16 bytes of the head it was decided on; zero in Genesis and Claim
};

// Writes exactly kRecordHeaderBytes.
void encode_header(const RecordHeader& header, char* out);

// Header and body in one string. `body` must fit.
std::string encode_record(RecordHeader header, std::string_view body);

// Whose record this is: the fields that stand at the same place in every format.
struct RecordIdentity {
  uint8_t kind = 0;  // possibly one this code does not know
  Id128 uuid{};
  uint32_t partition = 0;
};

// Nothing: the bytes do not begin like a record of any journal.
std::optional<RecordIdentity> identify(std::string_view record);

// Of a record that is ours. UNIMPLEMENTED: a format or kind this code does not know. DATA_LOSS: not
// well-formed.
absl::StatusOr<RecordHeader> decode_header(std::string_view record);

// H(header ‖ H(body)); `header` is the encoded header.
Sha256Digest record_hash(std::string_view header, const Sha256Digest& body_hash);
// H(head ‖ record_hash).
Sha256Digest next_head(const Sha256Digest& head, const Sha256Digest& record_hash);
// First 16 bytes of a head.
Id128 prev_of(const Sha256Digest& head);

using taizhang::bytes_of;
inline std::string_view bytes_of(const Id128& id) {
  return {reinterpret_cast<const char*>(id.data()), id.size()};
}
// `bytes` must be 16 long.
Id128 id_of(std::string_view bytes);

// What a body does to the fold beyond moving the chain: the fields the validity rule looks at.
struct Effect {
  Kind kind = Kind::kBarrier;
  int64_t recorded_time_us = 0;  // 0: the kind carries none
  std::string ledger;            // empty: none
  int64_t first_seq = 0;         // Commit
  int64_t event_count = 0;       // Commit
  uint64_t generation = 0;       // LedgerOpened, LedgerClosed
  int64_t next_seq = 0;          // LedgerOpened
  int32_t ledger_kind = 0;       // LedgerOpened: common.v1.LedgerKind
};

// `message` must be the body of `kind`.
Effect effect_of(Kind kind, const google::protobuf::MessageLite& message);

// A record as far as it can be made before its place in the chain is known: serialised and hashed,
// header still blank. Any thread may make one; Owner::append() fills the header and produces the
// same bytes without another copy.
struct Draft {
  std::string bytes;  // kRecordHeaderBytes of zeros, then the body
  Sha256Digest body_hash{};
  Effect effect;

  // `message` is the body of `kind`; its fields are read once, nothing is parsed again.
  static absl::StatusOr<Draft> of(Kind kind, const google::protobuf::MessageLite& message);
  // From a body already serialised; parses it. DATA_LOSS: not the body of that kind.
  static absl::StatusOr<Draft> parse(Kind kind, std::string_view body);
};

}  // namespace taizhang::journal
