// The fold as rows of a derived store. Bytes: docs/formats.md.
#include <cstring>

#include "platform/base/bytes.h"
#include "platform/journal/fold.h"

namespace taizhang::journal {
namespace {

constexpr uint8_t kPartitionRowFormat = 1;
constexpr uint8_t kLedgerRowFormat = 1;

// Takes fields from the front; after the first short read everything is zero and ok() is false.
class RowReader {
 public:
  explicit RowReader(std::string_view row) : rest_(row) {}

  template <typename Int>
  Int integer() {
    const std::string_view field = take(sizeof(Int));
    return field.empty() ? Int{0} : load_le<Int>(field.data());
  }
  template <size_t kSize>
  std::array<uint8_t, kSize> array() {
    std::array<uint8_t, kSize> out{};
    const std::string_view field = take(kSize);
    if (!field.empty()) std::memcpy(out.data(), field.data(), kSize);
    return out;
  }
  std::string text() { return std::string(take(integer<uint32_t>())); }
  bool complete() const { return ok_ && rest_.empty(); }

 private:
  std::string_view take(size_t size) {
    if (size > rest_.size()) {
      ok_ = false;
      return {};
    }
    const std::string_view field = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return field;
  }

  std::string_view rest_;
  bool ok_ = true;
};

}  // namespace

std::string Fold::partition_row() const {
  std::string row;
  append_le<uint8_t>(row, kPartitionRowFormat);
  append_le<uint32_t>(row, partition_);
  append_le<uint8_t>(row, state_.has_genesis ? 1 : 0);
  row += bytes_of(state_.uuid);
  append_le<int64_t>(row, state_.offset);
  row += bytes_of(state_.head);
  append_le<uint32_t>(row, state_.partition_count);
  append_le<uint32_t>(row, state_.rule_version);
  append_le<uint64_t>(row, state_.epoch);
  row += bytes_of(state_.owner);
  append_le<uint64_t>(row, state_.n);
  append_le<int64_t>(row, state_.closed_time_us);
  append_le<int64_t>(row, state_.valid_count);
  append_le<int64_t>(row, state_.void_count);
  append_le<int64_t>(row, state_.foreign_count);
  append_le<int64_t>(row, state_.last_valid_offset);
  row += bytes_of(state_.last_valid_hash);
  append_le<uint32_t>(row, static_cast<uint32_t>(state_.owner_address.size()));
  row += state_.owner_address;
  return row;
}

std::string Fold::ledger_row(std::string_view code) const {
  const LedgerState* ledger = this->ledger(code);
  std::string row;
  if (!ledger) return row;
  append_le<uint8_t>(row, kLedgerRowFormat);
  append_le<uint64_t>(row, ledger->generation);
  append_le<uint64_t>(row, ledger->closed_generation);
  append_le<int64_t>(row, ledger->next_seq);
  append_le<int64_t>(row, ledger->last_recorded_us);
  append_le<int32_t>(row, ledger->kind);
  append_le<uint8_t>(row, ledger->open ? 1 : 0);
  return row;
}

std::vector<std::string> Fold::take_touched_ledgers() {
  std::vector<std::string> codes(touched_.begin(), touched_.end());
  touched_.clear();
  return codes;
}

absl::StatusOr<Fold> Fold::restore(std::string_view partition_row,
                                   const std::map<std::string, std::string>& ledger_rows) {
  RowReader row(partition_row);
  if (row.integer<uint8_t>() != kPartitionRowFormat) {
    return absl::DataLossError("journal position row: unknown format");
  }
  // Should the row say that no Genesis was read yet, an unset expectation of another partition
  // matches nothing.
  Fold fold(row.integer<uint32_t>(), GenesisExpectation{});
  State& state = fold.state_;
  state.has_genesis = row.integer<uint8_t>() != 0;
  state.uuid = row.array<kIdBytes>();
  state.offset = row.integer<int64_t>();
  state.head = row.array<kSha256Bytes>();
  state.partition_count = row.integer<uint32_t>();
  state.rule_version = row.integer<uint32_t>();
  state.epoch = row.integer<uint64_t>();
  state.owner = row.array<kIdBytes>();
  state.n = row.integer<uint64_t>();
  state.closed_time_us = row.integer<int64_t>();
  state.valid_count = row.integer<int64_t>();
  state.void_count = row.integer<int64_t>();
  state.foreign_count = row.integer<int64_t>();
  state.last_valid_offset = row.integer<int64_t>();
  state.last_valid_hash = row.array<kSha256Bytes>();
  state.owner_address = row.text();
  if (!row.complete()) return absl::DataLossError("journal position row: wrong length");
  if (!state.has_genesis && fold.partition_ == 0) fold.expected_.reset();
  if (state.rule_version > kRuleVersion) {
    return absl::UnimplementedError("journal position row: rule version " +
                                    std::to_string(state.rule_version) +
                                    " is newer than this program");
  }
  for (const auto& [code, bytes] : ledger_rows) {
    RowReader fields(bytes);
    if (fields.integer<uint8_t>() != kLedgerRowFormat) {
      return absl::DataLossError("journal ledger row " + code + ": unknown format");
    }
    LedgerState ledger;
    ledger.generation = fields.integer<uint64_t>();
    ledger.closed_generation = fields.integer<uint64_t>();
    ledger.next_seq = fields.integer<int64_t>();
    ledger.last_recorded_us = fields.integer<int64_t>();
    ledger.kind = fields.integer<int32_t>();
    ledger.open = fields.integer<uint8_t>() != 0;
    if (!fields.complete())
      return absl::DataLossError("journal ledger row " + code + ": wrong length");
    fold.ledgers_.emplace(code, ledger);
  }
  return fold;
}

}  // namespace taizhang::journal
