// The fold of one partition: which records are valid, and what they make of the partition (design
// §3.1).
//
// Pure and independent of the engine: the same bytes at the same offsets give the same answer
// everywhere, for ever. Not thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "platform/journal/record.h"

namespace taizhang::journal {

class Log;

namespace v1 {
class Barrier;
class Claim;
class Commit;
class Genesis;
class LedgerClosed;
class LedgerOpened;
class Release;
class RequestSettled;
class StateMark;
}  // namespace v1

enum class Verdict {
  kValid,
  kVoid,     // ours, but not on this history: a zombie, a duplicate, a lost race
  kForeign,  // not a record of this journal and partition: counted, to be alarmed
};

// One judged record. Views and pointers live until the next apply() of the same Fold and as long as
// the bytes given.
struct Folded {
  Verdict verdict = Verdict::kForeign;
  int64_t offset = 0;
  RecordHeader header;    // not set when foreign
  std::string_view body;  // not set when foreign

  // The parsed body; of a valid record the one of its kind is set, all others are null.
  const v1::Genesis* genesis = nullptr;
  const v1::Claim* claim = nullptr;
  const v1::Barrier* barrier = nullptr;
  const v1::LedgerOpened* ledger_opened = nullptr;
  const v1::LedgerClosed* ledger_closed = nullptr;
  const v1::Commit* commit = nullptr;  // null after leave_commits_as_bytes()
  const v1::RequestSettled* request_settled = nullptr;
  const v1::StateMark* state_mark = nullptr;

  bool valid() const { return verdict == Verdict::kValid; }
  Kind kind() const { return header.kind; }
  // Recorded time this record carries, 0 when it carries none (or is not valid).
  int64_t recorded_time_us = 0;
};

struct LedgerState {
  uint64_t generation = 0;         // of the last opening here; 0: never opened here
  uint64_t closed_generation = 0;  // the highest closed; only a higher one may open
  int64_t next_seq = 1;
  int64_t last_recorded_us = 0;  // of its last record in this partition
  int32_t kind = 0;              // common.v1.LedgerKind
  bool open = false;
};

// What the first record must say where it is already known. Partition 0 fixes it; the others must
// match it.
struct GenesisExpectation {
  Id128 uuid{};
  uint32_t partition_count = 0;  // 0: any
};

class Fold {
 public:
  // Partition 0: the first Genesis wins, and another UUID than expected stops the fold (wrong
  // journal). Others: an expectation is required, a Genesis of another UUID is foreign.
  explicit Fold(uint32_t partition, std::optional<GenesisExpectation> expected = std::nullopt);
  Fold(Fold&&) noexcept;
  Fold& operator=(Fold&&) noexcept;
  ~Fold();
  // Copies the state without the parse buffers.
  Fold clone() const;

  // For those who decode commits on their own: Folded::commit stays null from now on, and most
  // commits are judged without being parsed. The verdicts are the same.
  void leave_commits_as_bytes() { commits_as_bytes_ = true; }

  // Judges the record at `offset`, which must not be below offset(). Error: stop the partition, the
  // fold has not moved. UNIMPLEMENTED: ours, but of a newer version. DATA_LOSS: ours, but not
  // decodable. INTERNAL: it stands on this very history and still breaks a rule that follows from
  // it: a writer is broken. FAILED_PRECONDITION: another journal.
  absl::StatusOr<Folded> apply(int64_t offset, std::string_view record);

  // The same for a record this process wrote on top of this very state and knows confirmed at
  // `offset`: neither parsed nor hashed again. `hash` is record_hash(), `head` the head after it.
  absl::Status apply_own(int64_t offset, const RecordHeader& header, const Effect& effect,
                         const Sha256Digest& hash, const Sha256Digest& head);

  // Whether a record with this effect may be appended now. INTERNAL: it would stop every reader.
  absl::Status check(const Effect& effect) const;

  // Whether `log` still holds what was folded: the last valid record is read again and compared,
  // and a next record of the current writer must continue the head. DATA_LOSS: the log was rewound,
  // damaged or replaced.
  absl::Status check_resume(Log& log) const;

  bool has_genesis() const { return state_.has_genesis; }
  const Id128& uuid() const { return state_.uuid; }
  uint32_t partition() const { return partition_; }
  const std::optional<GenesisExpectation>& expected() const { return expected_; }
  uint32_t partition_count() const { return state_.partition_count; }
  uint64_t epoch() const { return state_.epoch; }
  bool has_owner() const { return state_.owner != Id128{}; }
  const Id128& owner() const { return state_.owner; }
  const std::string& owner_address() const { return state_.owner_address; }
  uint64_t n() const { return state_.n; }
  const Sha256Digest& head() const { return state_.head; }
  uint32_t rule_version() const { return state_.rule_version; }
  int64_t closed_time_us() const { return state_.closed_time_us; }
  // Next offset to read.
  int64_t offset() const { return state_.offset; }
  int64_t valid_count() const { return state_.valid_count; }
  int64_t void_count() const { return state_.void_count; }
  int64_t foreign_count() const { return state_.foreign_count; }
  // Null: neither opened nor closed here so far. Valid until the next apply.
  const LedgerState* ledger(std::string_view code) const;
  const std::map<std::string, LedgerState, std::less<>>& ledgers() const { return ledgers_; }

  // For derived stores. They keep partition_row() and the rows of the touched ledgers in the batch
  // of the rows they derive; restore() of both continues exactly where the batch was written.
  std::string partition_row() const;
  // Empty: unknown ledger.
  std::string ledger_row(std::string_view code) const;
  // Codes changed since the last take; each once, ascending.
  std::vector<std::string> take_touched_ledgers();
  // DATA_LOSS: not rows of this format.
  static absl::StatusOr<Fold> restore(std::string_view partition_row,
                                      const std::map<std::string, std::string>& ledger_rows);

 private:
  struct State {
    bool has_genesis = false;
    Id128 uuid{};
    uint32_t partition_count = 0;
    uint32_t rule_version = 0;
    uint64_t epoch = 0;
    Id128 owner{};
    std::string owner_address;
    uint64_t n = 0;
    Sha256Digest head{};
    int64_t closed_time_us = 0;
    int64_t offset = 0;
    int64_t valid_count = 0;
    int64_t void_count = 0;
    int64_t foreign_count = 0;
    // Where the last valid record stands and its record_hash(); offset -1: none yet.
    int64_t last_valid_offset = -1;
    Sha256Digest last_valid_hash{};
  };
  struct Bodies;  // one reusable message per kind

  absl::StatusOr<bool> is_ours(const RecordIdentity& identity) const;
  absl::StatusOr<bool> judge(const RecordHeader& header) const;
  absl::StatusOr<bool> judge_genesis(const RecordHeader& header) const;
  absl::StatusOr<bool> judge_claim(const RecordHeader& header) const;
  bool chained(const RecordHeader& header) const;
  void move(int64_t offset, const RecordHeader& header, const Effect& effect,
            const Sha256Digest& hash, const Sha256Digest& head);
  void move_ledger(const Effect& effect);

  uint32_t partition_;
  std::optional<GenesisExpectation> expected_;
  State state_;
  std::map<std::string, LedgerState, std::less<>> ledgers_;
  std::set<std::string, std::less<>> touched_;
  std::unique_ptr<Bodies> bodies_;
  bool commits_as_bytes_ = false;
};

}  // namespace taizhang::journal
