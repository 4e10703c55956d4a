// The validity rule of design §3.1 and the state it leaves.
#include "platform/journal/fold.h"

#include <algorithm>
#include <utility>

#include "platform/base/log.h"
#include "platform/journal/log.h"
#include "platform/journal/plain_commit.h"
#include "taizhang/journal/v1/records.pb.h"

namespace taizhang::journal {

// Parsing into the same message again keeps its memory: folding allocates nothing per record in the
// steady state.
struct Fold::Bodies {
  v1::Genesis genesis;
  v1::Claim claim;
  v1::Release release;
  v1::Barrier barrier;
  v1::LedgerOpened ledger_opened;
  v1::LedgerClosed ledger_closed;
  v1::Commit commit;
  v1::RequestSettled request_settled;
  v1::StateMark state_mark;

  google::protobuf::MessageLite& of(Kind kind) {
    switch (kind) {
      case Kind::kGenesis: return genesis;
      case Kind::kClaim: return claim;
      case Kind::kRelease: return release;
      case Kind::kBarrier: return barrier;
      case Kind::kLedgerOpened: return ledger_opened;
      case Kind::kLedgerClosed: return ledger_closed;
      case Kind::kCommit: return commit;
      case Kind::kRequestSettled: return request_settled;
      case Kind::kStateMark: return state_mark;
    }
    broken_invariant("fold: a record of unknown kind passed decode_header");
  }

  void show(Folded& folded) const {
    switch (folded.kind()) {
      case Kind::kGenesis: folded.genesis = &genesis; return;
      case Kind::kClaim: folded.claim = &claim; return;
      case Kind::kRelease: return;
      case Kind::kBarrier: folded.barrier = &barrier; return;
      case Kind::kLedgerOpened: folded.ledger_opened = &ledger_opened; return;
      case Kind::kLedgerClosed: folded.ledger_closed = &ledger_closed; return;
      case Kind::kCommit: folded.commit = &commit; return;
      case Kind::kRequestSettled: folded.request_settled = &request_settled; return;
      case Kind::kStateMark: folded.state_mark = &state_mark; return;
    }
  }
};

namespace {

absl::Status malformed(const RecordHeader& header, std::string_view what) {
  return absl::DataLossError(std::string(name_of(header.kind)) + " of epoch " +
                             std::to_string(header.epoch) + ", n " + std::to_string(header.n) +
                             " is not decodable: " + std::string(what));
}

absl::Status broken(const Effect& effect, const std::string& what) {
  return absl::InternalError("broken invariant: " + std::string(name_of(effect.kind)) +
                             (effect.ledger.empty() ? "" : " of ledger " + effect.ledger) + ": " +
                             what);
}

bool carries_time(Kind kind) {
  return kind == Kind::kBarrier || kind == Kind::kLedgerOpened || kind == Kind::kLedgerClosed ||
         kind == Kind::kCommit || kind == Kind::kRequestSettled;
}

}  // namespace

Fold::Fold(uint32_t partition, std::optional<GenesisExpectation> expected)
    : partition_(partition), expected_(expected), bodies_(std::make_unique<Bodies>()) {
  // Without it a reader of partition 1 would accept the Genesis of any journal that comes first.
  if (partition != 0 && !expected)
    broken_invariant("fold: only partition 0 may be read without knowing the journal");
}

Fold::Fold(Fold&&) noexcept = default;
Fold& Fold::operator=(Fold&&) noexcept = default;
Fold::~Fold() = default;

Fold Fold::clone() const {
  Fold copy(partition_,
            expected_ ? expected_ : std::optional<GenesisExpectation>(GenesisExpectation{}));
  copy.expected_ = expected_;
  copy.state_ = state_;
  copy.ledgers_ = ledgers_;
  copy.touched_ = touched_;
  copy.commits_as_bytes_ = commits_as_bytes_;
  return copy;
}

absl::StatusOr<bool> Fold::is_ours(const RecordIdentity& identity) const {
  if (identity.partition != partition_) return false;
  if (state_.has_genesis) return identity.uuid == state_.uuid;
  const bool genesis = identity.kind == static_cast<uint8_t>(Kind::kGenesis);
  if (!expected_) return genesis;  // partition 0: the first Genesis says what this journal is
  if (identity.uuid == expected_->uuid) return true;
  if (genesis && partition_ == 0) {
    return absl::FailedPreconditionError("this is journal " + hex(bytes_of(identity.uuid)) +
                                         ", not " + hex(bytes_of(expected_->uuid)));
  }
  return false;
}

absl::StatusOr<Folded> Fold::apply(int64_t offset, std::string_view record) {
  if (offset < state_.offset) {
    return absl::InternalError("fold: offset " + std::to_string(offset) + " was folded already");
  }
  Folded folded;
  folded.offset = offset;
  const std::optional<RecordIdentity> identity = identify(record);
  const absl::StatusOr<bool> ours = identity ? is_ours(*identity) : absl::StatusOr<bool>(false);
  if (!ours.ok()) return ours.status();
  if (!*ours) {
    ++state_.foreign_count;
    state_.offset = offset + 1;
    return folded;
  }

  // From here on the record is ours: what cannot be understood stops the partition and is never
  // skipped, or readers of different versions would disagree for ever. That holds for records that
  // would be void, too.
  const absl::StatusOr<RecordHeader> header = decode_header(record);
  if (!header.ok()) return header.status();
  folded.header = *header;
  folded.body = record.substr(kRecordHeaderBytes);
  google::protobuf::MessageLite& body = bodies_->of(header->kind);
  std::optional<Effect> plain;
  if (commits_as_bytes_ && header->kind == Kind::kCommit)
    plain = effect_of_plain_commit(folded.body);
  if (!plain && !body.ParseFromArray(folded.body.data(), static_cast<int>(folded.body.size()))) {
    return malformed(*header, "its body is not a protobuf message of its kind");
  }
  const absl::StatusOr<bool> valid = judge(*header);
  if (!valid.ok()) return valid.status();
  if (!*valid) {
    folded.verdict = Verdict::kVoid;
    ++state_.void_count;
    state_.offset = offset + 1;
    return folded;
  }

  const Effect effect = plain ? *std::move(plain) : effect_of(header->kind, body);
  if (absl::Status status = check(effect); !status.ok()) return status;
  const Sha256Digest hash = record_hash(record.substr(0, kRecordHeaderBytes), sha256(folded.body));
  move(offset, *header, effect, hash, next_head(state_.head, hash));
  folded.verdict = Verdict::kValid;
  folded.recorded_time_us = effect.recorded_time_us;
  if (!commits_as_bytes_ || header->kind != Kind::kCommit) bodies_->show(folded);
  return folded;
}

absl::StatusOr<bool> Fold::judge(const RecordHeader& header) const {
  if (header.kind == Kind::kGenesis) return judge_genesis(header);
  if (header.kind == Kind::kClaim) return judge_claim(header);
  return state_.has_genesis && chained(header);
}

absl::StatusOr<bool> Fold::judge_genesis(const RecordHeader& header) const {
  const v1::Genesis& genesis = bodies_->genesis;
  if (genesis.rule_version() > kRuleVersion) {
    return absl::UnimplementedError(
        "the journal's rule version " + std::to_string(genesis.rule_version()) +
        " is newer than this program's " + std::to_string(kRuleVersion));
  }
  if (genesis.journal_uuid() != bytes_of(header.uuid))
    return malformed(header, "its journal UUID differs inside");
  if (genesis.rule_version() == 0) return malformed(header, "rule version 0");
  if (header.partition >= genesis.partition_count())
    return malformed(header, "partition above the partition count");
  if (header.epoch != 0 || header.owner != Id128{} || header.n != 0 || header.prev != Id128{}) {
    return malformed(header, "a Genesis has no writer");
  }
  if (state_.has_genesis) return false;
  if (expected_ && expected_->partition_count != 0 &&
      expected_->partition_count != genesis.partition_count()) {
    return absl::FailedPreconditionError("partition " + std::to_string(partition_) + " says " +
                                         std::to_string(genesis.partition_count()) +
                                         " partitions, partition 0 says " +
                                         std::to_string(expected_->partition_count));
  }
  return true;
}

absl::StatusOr<bool> Fold::judge_claim(const RecordHeader& header) const {
  const v1::Claim& claim = bodies_->claim;
  if (claim.rule_version() > kRuleVersion) {
    return absl::UnimplementedError("a claim asks for rule version " +
                                    std::to_string(claim.rule_version()) +
                                    ", newer than this program's " + std::to_string(kRuleVersion));
  }
  const std::string& replaces = claim.replaces_owner();
  if (!replaces.empty() && replaces.size() != kIdBytes)
    return malformed(header, "length of replaces_owner");
  if (header.owner == Id128{}) return malformed(header, "a claim needs an owner");
  if (header.n != 0 || header.prev != Id128{})
    return malformed(header, "a claim has neither n nor prev");
  if (!state_.has_genesis) return false;
  const Id128 replaced = replaces.empty() ? Id128{} : id_of(replaces);
  return claim.replaces_epoch() == state_.epoch && replaced == state_.owner &&
         header.epoch == state_.epoch + 1;
}

bool Fold::chained(const RecordHeader& header) const {
  return has_owner() && header.epoch == state_.epoch && header.owner == state_.owner &&
         header.n == state_.n + 1 && header.prev == prev_of(state_.head);
}

absl::Status Fold::check(const Effect& effect) const {
  if (!carries_time(effect.kind)) return absl::OkStatus();
  if (effect.recorded_time_us <= state_.closed_time_us) {
    return broken(effect, "recorded time " + std::to_string(effect.recorded_time_us) +
                              " is not above the closed time " +
                              std::to_string(state_.closed_time_us));
  }
  if (effect.kind == Kind::kBarrier) return absl::OkStatus();
  if (effect.ledger.empty()) return broken(effect, "it names no ledger");
  const LedgerState* ledger = this->ledger(effect.ledger);
  const bool open = ledger && ledger->open;
  switch (effect.kind) {
    case Kind::kLedgerOpened:
      if (open) return broken(effect, "it is open already");
      if (effect.generation == 0 || effect.next_seq < 1)
        return broken(effect, "generation or next seq is not set");
      if (ledger && effect.generation <= ledger->closed_generation) {
        return broken(effect, "generation " + std::to_string(effect.generation) +
                                  " is not above the closed " +
                                  std::to_string(ledger->closed_generation));
      }
      return absl::OkStatus();
    case Kind::kLedgerClosed:
      return effect.generation == 0 ? broken(effect, "generation is not set") : absl::OkStatus();
    case Kind::kCommit:
      if (!open) return broken(effect, "it is not open in this partition");
      if (effect.first_seq != ledger->next_seq) {
        return broken(effect, "first seq " + std::to_string(effect.first_seq) +
                                  " is not the next one, " + std::to_string(ledger->next_seq));
      }
      return absl::OkStatus();
    default: return open ? absl::OkStatus() : broken(effect, "it is not open in this partition");
  }
}

absl::Status Fold::apply_own(int64_t offset, const RecordHeader& header, const Effect& effect,
                             const Sha256Digest& hash, const Sha256Digest& head) {
  if (offset < state_.offset) {
    return absl::InternalError("fold: offset " + std::to_string(offset) + " was folded already");
  }
  if (!chained(header)) return absl::InternalError("fold: own record does not continue the head");
  if (absl::Status status = check(effect); !status.ok()) return status;
  move(offset, header, effect, hash, head);
  return absl::OkStatus();
}

void Fold::move(int64_t offset, const RecordHeader& header, const Effect& effect,
                const Sha256Digest& hash, const Sha256Digest& head) {
  state_.offset = offset + 1;
  state_.head = head;
  state_.n = header.n;
  state_.last_valid_offset = offset;
  state_.last_valid_hash = hash;
  ++state_.valid_count;
  if (effect.recorded_time_us != 0) state_.closed_time_us = effect.recorded_time_us;
  if (!effect.ledger.empty()) move_ledger(effect);
  switch (header.kind) {
    case Kind::kGenesis:
      state_.has_genesis = true;
      state_.uuid = header.uuid;
      state_.partition_count = bodies_->genesis.partition_count();
      state_.rule_version = bodies_->genesis.rule_version();
      break;
    case Kind::kClaim:
      state_.epoch = header.epoch;
      state_.owner = header.owner;
      state_.owner_address = bodies_->claim.address();
      // A claim by an older program does not take a rule back that the journal already follows.
      state_.rule_version = std::max(state_.rule_version, bodies_->claim.rule_version());
      break;
    case Kind::kRelease:
      state_.owner = {};
      state_.owner_address.clear();
      state_.n = 0;
      break;
    default: break;
  }
}

void Fold::move_ledger(const Effect& effect) {
  auto at = ledgers_.find(effect.ledger);
  if (at == ledgers_.end()) at = ledgers_.emplace(effect.ledger, LedgerState{}).first;
  LedgerState& ledger = at->second;
  ledger.last_recorded_us = effect.recorded_time_us;
  switch (effect.kind) {
    case Kind::kLedgerOpened:
      ledger.generation = effect.generation;
      ledger.next_seq = effect.next_seq;
      ledger.kind = effect.ledger_kind;
      ledger.open = true;
      break;
    case Kind::kLedgerClosed:
      ledger.closed_generation = std::max(ledger.closed_generation, effect.generation);
      if (ledger.generation <= ledger.closed_generation) ledger.open = false;
      break;
    case Kind::kCommit: ledger.next_seq = effect.first_seq + effect.event_count; break;
    default: break;
  }
  if (!touched_.contains(effect.ledger)) touched_.insert(effect.ledger);
}

const LedgerState* Fold::ledger(std::string_view code) const {
  const auto at = ledgers_.find(code);
  return at == ledgers_.end() ? nullptr : &at->second;
}

absl::Status Fold::check_resume(Log& log) const {
  const auto rewound = [this](const std::string& what) {
    return absl::DataLossError("the journal does not continue what was folded up to offset " +
                               std::to_string(state_.offset) + ": " + what);
  };
  const int64_t end = log.end();
  if (end < state_.offset) return rewound("it ends at offset " + std::to_string(end));
  if (state_.last_valid_offset >= 0) {
    // Its prev (or, of a claim, its 128 random bits) ties this one record to the whole history
    // before it.
    const std::unique_ptr<Cursor> cursor = log.read(state_.last_valid_offset);  // owns the bytes
    const auto record = cursor->next();
    if (!record.ok()) return record.status();
    if (!*record || (*record)->offset != state_.last_valid_offset ||
        (*record)->bytes.size() < kRecordHeaderBytes ||
        record_hash((*record)->bytes.substr(0, kRecordHeaderBytes),
                    sha256((*record)->bytes.substr(kRecordHeaderBytes))) !=
            state_.last_valid_hash) {
      return rewound("another record stands at offset " + std::to_string(state_.last_valid_offset));
    }
  }
  if (end == state_.offset) return absl::OkStatus();
  const std::unique_ptr<Cursor> cursor = log.read(state_.offset);
  const auto next = cursor->next();
  if (!next.ok()) return next.status();
  if (!*next) return absl::OkStatus();
  const std::optional<RecordIdentity> identity = identify((*next)->bytes);
  if (!identity || !state_.has_genesis || identity->uuid != state_.uuid ||
      identity->partition != partition_) {
    return absl::OkStatus();
  }
  const absl::StatusOr<RecordHeader> header = decode_header((*next)->bytes);
  if (!header.ok()) return absl::OkStatus();  // apply() stops there, with the better message
  // The writer whose record n we hold never gave n + 1 other bytes before it: a different prev
  // means another history.
  const bool next_of_writer = has_owner() && header->kind != Kind::kClaim &&
                              header->epoch == state_.epoch && header->owner == state_.owner &&
                              header->n == state_.n + 1;
  if (next_of_writer && header->prev != prev_of(state_.head))
    return rewound("the next record has another head");
  return absl::OkStatus();
}

}  // namespace taizhang::journal
