// Keys of a view's files and the values that are the platform's own.
#include <google/protobuf/io/coded_stream.h>

#include <algorithm>

#include "platform/projection/store.h"
#include "platform/state/key.h"

namespace taizhang::projection {
namespace {

using google::protobuf::io::CodedInputStream;
using google::protobuf::io::CodedOutputStream;

class VarintReader {
 public:
  explicit VarintReader(std::string_view bytes)
      : in_(reinterpret_cast<const uint8_t*>(bytes.data()), static_cast<int>(bytes.size())) {}
  bool number(int64_t& value) {
    uint64_t read = 0;
    if (!in_.ReadVarint64(&read)) return false;
    value = static_cast<int64_t>(read);
    return true;
  }
  bool text(std::string& value) {
    uint32_t size = 0;
    return in_.ReadVarint32(&size) && in_.ReadString(&value, static_cast<int>(size));
  }
  bool fixed(std::string& value, size_t size) {
    return in_.ReadString(&value, static_cast<int>(size));
  }

 private:
  CodedInputStream in_;
};

void append_varint(std::string& out, int64_t value) {
  uint8_t bytes[10];
  const auto* end = CodedOutputStream::WriteVarint64ToArray(static_cast<uint64_t>(value), bytes);
  out.append(reinterpret_cast<const char*>(bytes), static_cast<size_t>(end - bytes));
}

}  // namespace

namespace store_key {

std::string meta(std::string_view name) { return kMeta + std::string(name); }

std::string of_partition(char area, int partition) {
  std::string key(1, area);
  append_key_number(key, partition);
  return key;
}

std::string of_partition(char area, int partition, std::string_view ledger) {
  std::string key = of_partition(area, partition);
  append_key_text(key, ledger);
  return key;
}

std::string of_ledger(char area, std::string_view ledger) {
  std::string key(1, area);
  append_key_text(key, ledger);
  return key;
}

std::string of_ledger(char area, std::string_view ledger, int64_t number) {
  std::string key = of_ledger(area, ledger);
  append_key_number(key, number);
  return key;
}

std::string row(std::string_view ledger, std::string_view table_prefix, std::string_view key) {
  std::string whole = of_ledger(kRow, ledger);
  whole += table_prefix;
  whole += key;
  return whole;
}

void append_version(std::string& key, int64_t seq) {
  const uint64_t newest_first = ~static_cast<uint64_t>(seq);
  char bytes[kVersionBytes];
  for (size_t i = 0; i < kVersionBytes; ++i)
    bytes[i] = static_cast<char>(newest_first >> (8 * (kVersionBytes - 1 - i)));
  key.append(bytes, sizeof bytes);
}

int64_t version_of(std::string_view key) {
  uint64_t newest_first = 0;
  for (const char c : key.substr(key.size() - kVersionBytes)) {
    newest_first = newest_first << 8 | static_cast<unsigned char>(c);
  }
  return static_cast<int64_t>(~newest_first);
}

}  // namespace store_key

std::string LedgerProgress::bytes() const {
  std::string out;
  append_varint(out, partition);
  append_varint(out, seq);
  append_varint(out, recorded_time_us);
  append_varint(out, versions);
  out += digest.bytes();
  append_varint(out, stopped_seq);
  append_varint(out, static_cast<int64_t>(stopped_why.size()));
  out += stopped_why;
  return out;
}

std::optional<LedgerProgress> LedgerProgress::parse(std::string_view bytes) {
  LedgerProgress progress;
  VarintReader in(bytes);
  std::string digest;
  if (!in.number(progress.partition) || !in.number(progress.seq) ||
      !in.number(progress.recorded_time_us) || !in.number(progress.versions) ||
      !in.fixed(digest, AdditiveDigest::kBytes) || !progress.digest.parse(digest) ||
      !in.number(progress.stopped_seq) || !in.text(progress.stopped_why)) {
    return std::nullopt;
  }
  return progress;
}

std::string CommitStretch::bytes() const {
  std::string out;
  append_varint(out, static_cast<int64_t>(commits.size()));
  Commit before;
  for (const Commit& commit : commits) {
    append_varint(out, commit.last_seq - before.last_seq);
    append_varint(out, commit.recorded_time_us - before.recorded_time_us);
    before = commit;
  }
  return out;
}

bool LedgerStretch::holds(std::string_view of_ledger, int64_t seq) const {
  // Where the first commit begins is not said.
  return ledger == of_ledger && !stretch.commits.empty() &&
         stretch.commits.front().last_seq <= seq && seq <= stretch.commits.back().last_seq;
}

int64_t LedgerStretch::time_of(int64_t seq) const {
  const auto& commits = stretch.commits;
  const auto found = std::lower_bound(
      commits.begin(), commits.end(), seq,
      [](const CommitStretch::Commit& commit, int64_t at) { return commit.last_seq < at; });
  return found == commits.end() ? 0 : found->recorded_time_us;
}

std::shared_ptr<const LedgerStretch> Store::last_stretch() const {
  const std::lock_guard lock(stretch_mutex_);
  return last_stretch_;
}

void Store::set_last_stretch(std::shared_ptr<const LedgerStretch> stretch) const {
  const std::lock_guard lock(stretch_mutex_);
  last_stretch_.swap(stretch);
}

std::optional<CommitStretch> CommitStretch::parse(std::string_view bytes) {
  CommitStretch stretch;
  VarintReader in(bytes);
  int64_t count = 0;
  if (!in.number(count)) return std::nullopt;
  Commit before;
  for (int64_t i = 0; i < count; ++i) {
    Commit step;
    if (!in.number(step.last_seq) || !in.number(step.recorded_time_us)) return std::nullopt;
    before.last_seq += step.last_seq;
    before.recorded_time_us += step.recorded_time_us;
    stretch.commits.push_back(before);
  }
  return stretch;
}

}  // namespace taizhang::projection
