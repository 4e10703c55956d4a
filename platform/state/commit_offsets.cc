// Offsets of commits, many to a row.
#include "platform/state/commit_offsets.h"

#include <algorithm>

#include "platform/state/key.h"

namespace taizhang {
namespace {

constexpr char kOffsets = 'O';
constexpr size_t kNumberBytes = 8;

std::string prefix_of(std::string_view ledger) { return kOffsets + std::string(ledger); }

std::string key_of(std::string_view ledger, int64_t first_seq) {
  std::string key = prefix_of(ledger);
  append_key_number(key, first_seq);
  return key;
}

// The part before the number tells rows of different ledgers apart.
std::string_view ledger_part(std::string_view key) {
  return key.substr(0, key.size() - kNumberBytes);
}
std::string_view seq_part(std::string_view key) { return key.substr(key.size() - kNumberBytes); }

}  // namespace

void CommitOffsets::note(std::string_view ledger, int64_t first_seq, int64_t offset) {
  noted_[key_of(ledger, first_seq)] = offset;
}

absl::StatusOr<std::optional<int64_t>> CommitOffsets::find(std::string_view ledger,
                                                           int64_t first_seq) const {
  const std::string key = key_of(ledger, first_seq);
  for (const auto* offsets : {&noted_, &writing_}) {
    if (const auto found = offsets->find(key); found != offsets->end()) return found->second;
  }
  const auto row = store_.at_or_before(key, prefix_of(ledger));
  if (!row.ok()) return row.status();
  if (!*row) return std::nullopt;
  std::string_view commits = **row;
  while (!commits.empty()) {
    int64_t seq = 0;
    int64_t offset = 0;
    if (!take_key_number(commits, seq) || !take_key_number(commits, offset))
      return absl::DataLossError("state tables: row of offsets is malformed");
    if (seq == first_seq) return offset;
  }
  return std::nullopt;
}

std::vector<std::pair<std::string, std::string>> CommitOffsets::next_batch() {
  writing_.swap(noted_);
  std::vector<std::pair<std::string_view, int64_t>> commits(writing_.begin(), writing_.end());
  std::sort(commits.begin(), commits.end());
  std::vector<std::pair<std::string, std::string>> rows;
  size_t in_row = 0;
  for (const auto& [key, offset] : commits) {
    if (rows.empty() || in_row == kOffsetsPerRow ||
        ledger_part(rows.back().first) != ledger_part(key)) {
      rows.emplace_back(key, "");
      in_row = 0;
    }
    rows.back().second += seq_part(key);
    append_key_number(rows.back().second, offset);
    ++in_row;
  }
  return rows;
}

void CommitOffsets::written(bool ok) {
  if (!ok) noted_.insert(writing_.begin(), writing_.end());
  writing_.clear();
}

}  // namespace taizhang
