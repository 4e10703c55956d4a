// Encoding, decoding and hashing of journal records.
#include "platform/journal/record.h"

#include <cstring>

#include "platform/base/bytes.h"
#include "taizhang/journal/v1/records.pb.h"

namespace taizhang::journal {
namespace {

// Places in the header; docs/formats.md. Magic to partition keep their places in every format,
// because a reader must be able to tell its own record of an unknown format (stop) from a foreign
// one (skip).
constexpr size_t kMagicAt = 0;
constexpr size_t kFormatAt = 4;
constexpr size_t kKindAt = 5;
constexpr size_t kReservedAt = 6;
constexpr size_t kUuidAt = 8;
constexpr size_t kPartitionAt = 24;
constexpr size_t kBodyBytesAt = 28;
constexpr size_t kEpochAt = 32;
constexpr size_t kOwnerAt = 40;
constexpr size_t kNAt = 56;
constexpr size_t kPrevAt = 64;
static_assert(kPrevAt + kIdBytes == kRecordHeaderBytes);
constexpr size_t kIdentityBytes = kBodyBytesAt;

Id128 load_id(const char* at) {
  Id128 id;
  std::memcpy(id.data(), at, kIdBytes);
  return id;
}

template <typename Body>
Effect timed(Kind kind, const google::protobuf::MessageLite& message) {
  Effect effect;
  effect.kind = kind;
  effect.recorded_time_us = static_cast<const Body&>(message).recorded_time_us();
  return effect;
}

std::unique_ptr<google::protobuf::MessageLite> make_body(Kind kind) {
  switch (kind) {
    case Kind::kGenesis: return std::make_unique<v1::Genesis>();
    case Kind::kClaim: return std::make_unique<v1::Claim>();
    case Kind::kRelease: return std::make_unique<v1::Release>();
    case Kind::kBarrier: return std::make_unique<v1::Barrier>();
    case Kind::kLedgerOpened: return std::make_unique<v1::LedgerOpened>();
    case Kind::kLedgerClosed: return std::make_unique<v1::LedgerClosed>();
    case Kind::kCommit: return std::make_unique<v1::Commit>();
    case Kind::kRequestSettled: return std::make_unique<v1::RequestSettled>();
    case Kind::kStateMark: return std::make_unique<v1::StateMark>();
  }
  return nullptr;
}

}  // namespace

std::string_view name_of(Kind kind) {
  switch (kind) {
    case Kind::kGenesis: return "Genesis";
    case Kind::kClaim: return "Claim";
    case Kind::kRelease: return "Release";
    case Kind::kBarrier: return "Barrier";
    case Kind::kLedgerOpened: return "LedgerOpened";
    case Kind::kLedgerClosed: return "LedgerClosed";
    case Kind::kCommit: return "Commit";
    case Kind::kRequestSettled: return "RequestSettled";
    case Kind::kStateMark: return "StateMark";
  }
  return "unknown";
}

void encode_header(const RecordHeader& header, char* out) {
  store_le<uint32_t>(out + kMagicAt, kRecordMagic);
  store_le<uint8_t>(out + kFormatAt, kRecordFormat);
  store_le<uint8_t>(out + kKindAt, static_cast<uint8_t>(header.kind));
  store_le<uint16_t>(out + kReservedAt, 0);
  std::memcpy(out + kUuidAt, header.uuid.data(), kIdBytes);
  store_le<uint32_t>(out + kPartitionAt, header.partition);
  store_le<uint32_t>(out + kBodyBytesAt, header.body_bytes);
  store_le<uint64_t>(out + kEpochAt, header.epoch);
  std::memcpy(out + kOwnerAt, header.owner.data(), kIdBytes);
  store_le<uint64_t>(out + kNAt, header.n);
  std::memcpy(out + kPrevAt, header.prev.data(), kIdBytes);
}

std::string encode_record(RecordHeader header, std::string_view body) {
  std::string record(kRecordHeaderBytes, '\0');
  header.body_bytes = static_cast<uint32_t>(body.size());
  encode_header(header, record.data());
  record += body;
  return record;
}

std::optional<RecordIdentity> identify(std::string_view record) {
  if (record.size() < kIdentityBytes) return std::nullopt;
  if (load_le<uint32_t>(record.data() + kMagicAt) != kRecordMagic) return std::nullopt;
  return RecordIdentity{.kind = load_le<uint8_t>(record.data() + kKindAt),
                        .uuid = load_id(record.data() + kUuidAt),
                        .partition = load_le<uint32_t>(record.data() + kPartitionAt)};
}

absl::StatusOr<RecordHeader> decode_header(std::string_view record) {
  if (record.size() < kIdentityBytes) return absl::DataLossError("record header is cut short");
  const auto format = load_le<uint8_t>(record.data() + kFormatAt);
  if (format != kRecordFormat) {
    return absl::UnimplementedError("record format " + std::to_string(format) +
                                    " is newer than this program");
  }
  const auto kind = load_le<uint8_t>(record.data() + kKindAt);
  if (kind == 0) return absl::DataLossError("record kind 0");
  if (kind > static_cast<uint8_t>(Kind::kStateMark)) {
    return absl::UnimplementedError("record kind " + std::to_string(kind) +
                                    " is newer than this program");
  }
  if (record.size() < kRecordHeaderBytes) return absl::DataLossError("record header is cut short");
  if (record.size() > kRecordBytesMax)
    return absl::DataLossError("record is larger than the bound");
  if (load_le<uint16_t>(record.data() + kReservedAt) != 0)
    return absl::DataLossError("reserved bytes are not zero");
  RecordHeader header;
  header.kind = static_cast<Kind>(kind);
  header.uuid = load_id(record.data() + kUuidAt);
  header.partition = load_le<uint32_t>(record.data() + kPartitionAt);
  header.body_bytes = load_le<uint32_t>(record.data() + kBodyBytesAt);
  header.epoch = load_le<uint64_t>(record.data() + kEpochAt);
  header.owner = load_id(record.data() + kOwnerAt);
  header.n = load_le<uint64_t>(record.data() + kNAt);
  header.prev = load_id(record.data() + kPrevAt);
  if (header.body_bytes != record.size() - kRecordHeaderBytes) {
    return absl::DataLossError("record length does not match its header");
  }
  return header;
}

Sha256Digest record_hash(std::string_view header, const Sha256Digest& body_hash) {
  return sha256(header, bytes_of(body_hash));
}

Sha256Digest next_head(const Sha256Digest& head, const Sha256Digest& record_hash) {
  return sha256(bytes_of(head), bytes_of(record_hash));
}

Id128 prev_of(const Sha256Digest& head) { return id_of(bytes_of(head).substr(0, kIdBytes)); }

Id128 id_of(std::string_view bytes) { return load_id(bytes.data()); }

Effect effect_of(Kind kind, const google::protobuf::MessageLite& message) {
  Effect effect;
  effect.kind = kind;
  switch (kind) {
    case Kind::kBarrier: return timed<v1::Barrier>(kind, message);
    case Kind::kLedgerOpened: {
      effect = timed<v1::LedgerOpened>(kind, message);
      const auto& body = static_cast<const v1::LedgerOpened&>(message);
      effect.ledger = body.ledger();
      effect.generation = body.generation();
      effect.next_seq = body.next_seq();
      effect.ledger_kind = body.kind();
      return effect;
    }
    case Kind::kLedgerClosed: {
      effect = timed<v1::LedgerClosed>(kind, message);
      const auto& body = static_cast<const v1::LedgerClosed&>(message);
      effect.ledger = body.ledger();
      effect.generation = body.generation();
      return effect;
    }
    case Kind::kCommit: {
      effect = timed<v1::Commit>(kind, message);
      const auto& body = static_cast<const v1::Commit&>(message);
      effect.ledger = body.ledger();
      effect.first_seq = body.first_seq();
      effect.event_count = body.events_size();
      return effect;
    }
    case Kind::kRequestSettled:
      effect = timed<v1::RequestSettled>(kind, message);
      effect.ledger = static_cast<const v1::RequestSettled&>(message).ledger();
      return effect;
    case Kind::kGenesis:
    case Kind::kClaim:
    case Kind::kRelease:
    case Kind::kStateMark: return effect;
  }
  return effect;
}

absl::StatusOr<Draft> Draft::of(Kind kind, const google::protobuf::MessageLite& message) {
  const size_t body_bytes = message.ByteSizeLong();
  if (body_bytes > kRecordBytesMax - kRecordHeaderBytes) {
    return absl::InvalidArgumentError("record of " + std::to_string(body_bytes) +
                                      " bytes is above the bound of " +
                                      std::to_string(kRecordBytesMax));
  }
  Draft draft;
  draft.bytes.resize(kRecordHeaderBytes + body_bytes);
  message.SerializeWithCachedSizesToArray(
      reinterpret_cast<uint8_t*>(draft.bytes.data() + kRecordHeaderBytes));
  draft.body_hash = sha256(std::string_view(draft.bytes).substr(kRecordHeaderBytes));
  draft.effect = effect_of(kind, message);
  return draft;
}

absl::StatusOr<Draft> Draft::parse(Kind kind, std::string_view body) {
  if (body.size() > kRecordBytesMax - kRecordHeaderBytes) {
    return absl::InvalidArgumentError("record of " + std::to_string(body.size()) +
                                      " bytes is above the bound of " +
                                      std::to_string(kRecordBytesMax));
  }
  const auto message = make_body(kind);
  if (!message || !message->ParseFromArray(body.data(), static_cast<int>(body.size()))) {
    return absl::DataLossError("not the body of a " + std::string(name_of(kind)));
  }
  Draft draft;
  draft.bytes.assign(kRecordHeaderBytes, '\0');
  draft.bytes += body;
  draft.body_hash = sha256(body);
  draft.effect = effect_of(kind, *message);
  return draft;
}

}  // namespace taizhang::journal
