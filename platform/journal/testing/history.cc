// Histories for tests.
#include "platform/journal/testing/history.h"

#include "platform/base/log.h"
#include "taizhang/journal/v1/records.pb.h"

namespace taizhang::journal::testing {

Id128 id(uint8_t byte) {
  Id128 id;
  id.fill(byte);
  return id;
}

History::History(uint8_t uuid, uint32_t partition, uint32_t partition_count)
    : uuid_(id(uuid)),
      partition_(partition),
      partition_count_(partition_count),
      fold_(partition, GenesisExpectation{.uuid = id(uuid), .partition_count = partition_count}) {}

std::string History::applied(std::string record) {
  const auto folded = fold_.apply(fold_.offset(), record);
  if (!folded.ok()) broken_invariant("test history: " + folded.status().ToString());
  if (!folded->valid()) broken_invariant("test history: a record is not valid");
  return record;
}

std::string History::genesis() {
  v1::Genesis body;
  body.set_journal_uuid(std::string(bytes_of(uuid_)));
  body.set_partition_count(partition_count_);
  body.set_rule_version(kRuleVersion);
  body.set_created_time_us(next_time_us());
  RecordHeader header;
  header.kind = Kind::kGenesis;
  header.uuid = uuid_;
  header.partition = partition_;
  return applied(encode_record(header, body.SerializeAsString()));
}

std::string History::claim(uint8_t owner) {
  v1::Claim body;
  body.set_replaces_epoch(fold_.epoch());
  if (fold_.has_owner()) body.set_replaces_owner(std::string(bytes_of(fold_.owner())));
  body.set_rule_version(kRuleVersion);
  body.set_address("host:" + std::to_string(owner));
  RecordHeader header;
  header.kind = Kind::kClaim;
  header.uuid = uuid_;
  header.partition = partition_;
  header.epoch = fold_.epoch() + 1;
  header.owner = id(owner);
  return applied(encode_record(header, body.SerializeAsString()));
}

std::string History::next(Kind kind, std::string_view body, uint64_t n_ahead) const {
  RecordHeader header;
  header.kind = kind;
  header.uuid = uuid_;
  header.partition = partition_;
  header.epoch = fold_.epoch();
  header.owner = fold_.owner();
  header.n = fold_.n() + n_ahead;
  header.prev = prev_of(fold_.head());
  return encode_record(header, body);
}

std::string History::release() { return applied(next(Kind::kRelease, "")); }

std::string History::barrier() {
  v1::Barrier body;
  body.set_recorded_time_us(next_time_us());
  return applied(next(Kind::kBarrier, body.SerializeAsString()));
}

std::string History::open(std::string_view ledger, uint64_t generation, int64_t next_seq) {
  v1::LedgerOpened body;
  body.set_ledger(std::string(ledger));
  body.set_generation(generation);
  body.set_next_seq(next_seq);
  body.set_recorded_time_us(next_time_us());
  body.set_kind(common::v1::LEDGER_KIND_COUNTY);
  return applied(next(Kind::kLedgerOpened, body.SerializeAsString()));
}

std::string History::close(std::string_view ledger, uint64_t generation) {
  v1::LedgerClosed body;
  body.set_ledger(std::string(ledger));
  body.set_generation(generation);
  body.set_recorded_time_us(next_time_us());
  return applied(next(Kind::kLedgerClosed, body.SerializeAsString()));
}

std::string History::commit(std::string_view ledger, int events, size_t payload_bytes) {
  v1::Commit body;
  body.set_ledger(std::string(ledger));
  const LedgerState* state = fold_.ledger(ledger);
  body.set_first_seq(state ? state->next_seq : 1);
  body.set_recorded_time_us(next_time_us());
  for (int i = 0; i < events; ++i) {
    auto* event = body.add_events();
    event->set_type("test.v1.SomethingHappened");
    event->set_payload(std::string(payload_bytes, static_cast<char>('a' + i % 26)));
  }
  return applied(next(Kind::kCommit, body.SerializeAsString()));
}

std::string History::settle(std::string_view ledger) {
  v1::RequestSettled body;
  body.set_ledger(std::string(ledger));
  body.set_request_id(std::string(kIdBytes, 'r'));
  body.set_outcome(v1::RequestSettled::OUTCOME_CANCELLED);
  body.set_recorded_time_us(next_time_us());
  return applied(next(Kind::kRequestSettled, body.SerializeAsString()));
}

std::string History::mark() {
  v1::StateMark body;
  body.set_fold_version(1);
  body.set_digest(std::string(kSha256Bytes, 'd'));
  return applied(next(Kind::kStateMark, body.SerializeAsString()));
}

std::vector<std::string> History::begin() { return {genesis(), claim(1), open("510101")}; }

uint64_t SeededRandom::next() {
  // splitmix64.
  state_ += 0x9E3779B97F4A7C15;
  uint64_t z = state_;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
  return z ^ (z >> 31);
}

std::string SeededRandom::bytes(size_t count) {
  std::string out;
  while (out.size() < count) out += static_cast<char>(next());
  return out;
}

}  // namespace taizhang::journal::testing
