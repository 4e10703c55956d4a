// State of the ledgers: cache and overlay over the rows on disk.
//
// Keys in the store: 'L' ledger(6 bytes) table-prefix row-key = a row; 'M' ... = what the platform
// keeps (position) · 'O' ledger first_seq = the offset of that commit.
#include "platform/state/state.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include <algorithm>
#include <filesystem>

#include "platform/base/log.h"
#include "platform/base/sha256.h"

namespace taizhang {

using google::protobuf::Message;
using journal::Fold;

namespace {

constexpr char kRows = 'L';
constexpr char kOffsets = 'O';
const std::string kVersionKey = "Mversion";
const std::string kPartitionKey = "Mpartition";
const std::string kDigestKey = "Mdigest";
const std::string kLedgerKeys = "Mledger/";

// Deterministic, because the digest must not depend on the order of a map's entries in memory.
std::string serialise(const Message& row) {
  std::string out;
  {
    google::protobuf::io::StringOutputStream stream(&out);
    google::protobuf::io::CodedOutputStream coded(&stream);
    coded.SetSerializationDeterministic(true);
    row.SerializeToCodedStream(&coded);
  }
  return out;
}

std::array<uint64_t, 4> words(const std::array<uint8_t, 32>& bytes) {
  std::array<uint64_t, 4> out{};
  for (size_t i = 0; i < 32; ++i) out[i / 8] |= uint64_t{bytes[i]} << (8 * (i % 8));
  return out;
}

void add(std::array<uint64_t, 4>& sum, const std::array<uint64_t, 4>& term) {
  unsigned __int128 carry = 0;
  for (size_t i = 0; i < 4; ++i) {
    carry += static_cast<unsigned __int128>(sum[i]) + term[i];
    sum[i] = static_cast<uint64_t>(carry);
    carry >>= 64;
  }
}

void subtract(std::array<uint64_t, 4>& sum, const std::array<uint64_t, 4>& term) {
  uint64_t borrow = 0;
  for (size_t i = 0; i < 4; ++i) {
    const unsigned __int128 wanted = static_cast<unsigned __int128>(term[i]) + borrow;
    borrow = sum[i] < wanted ? 1 : 0;
    sum[i] -= static_cast<uint64_t>(wanted);
  }
}

StateDigest bytes_of_sum(const std::array<uint64_t, 4>& sum) {
  StateDigest out{};
  for (size_t i = 0; i < 32; ++i) out[i] = static_cast<uint8_t>(sum[i / 8] >> (8 * (i % 8)));
  return out;
}

// Length before key and value, so that no two rows give the same bytes.
std::array<uint8_t, 32> row_hash(std::string_view key, std::string_view value) {
  std::string bytes = std::to_string(key.size()) + ":";
  bytes.append(key);
  bytes.append(value);
  return sha256(bytes);
}

std::string full_key(std::string_view code, const RowType& type, std::string_view key) {
  std::string full;
  full.reserve(1 + code.size() + type.prefix.size() + key.size());
  full += kRows;
  full += code;
  full += type.prefix;
  full += key;
  return full;
}

std::string offset_key(std::string_view code, int64_t first_seq) {
  std::string key(1, kOffsets);
  key += code;
  append_key_number(key, first_seq);
  return key;
}

}  // namespace

class State::LedgerRows : public Rows {
 public:
  LedgerRows(State& state, std::string code) : state_(state), code_(std::move(code)) {}
  const Message* find(const RowType& type, std::string_view key) const override {
    return state_.current(state_.entry(type, full_key(code_, type, key)));
  }
  Message& edit(const RowType& type, std::string_view key) override {
    return *state_.edit(type, full_key(code_, type, key), key);
  }
  void erase(const RowType& type, std::string_view key) override {
    state_.erase(type, full_key(code_, type, key));
  }
  void scan(const RowType& type, std::string_view prefix,
            const std::function<bool(const Message&)>& visit) const override {
    state_.scan(type, full_key(code_, type, prefix), visit);
  }

 private:
  State& state_;
  const std::string code_;
};

State::State(StateSettings settings, std::unique_ptr<RowStore> store)
    : settings_(std::move(settings)), store_(std::move(store)) {}
State::~State() = default;

absl::StatusOr<std::unique_ptr<State>> State::open(const std::string& folder,
                                                   const StateSettings& settings) {
  auto store = RowStore::open(folder, settings.store);
  if (!store.ok()) return store.status();
  const auto version = (*store)->get(kVersionKey);
  if (!version.ok()) return version.status();
  if (*version && **version != std::to_string(kStateFoldVersion)) {
    log(LogLevel::kInfo, "state_dropped",
        {{"stored_version", **version}, {"version", int64_t{kStateFoldVersion}}});
    store->reset();
    std::error_code error;
    std::filesystem::remove_all(folder, error);
    store = RowStore::open(folder, settings.store);
    if (!store.ok()) return store.status();
  }
  const auto digest = (*store)->get(kDigestKey);
  if (!digest.ok()) return digest.status();
  std::unique_ptr<State> state(new State(settings, *std::move(store)));
  if (*digest) {
    if ((*digest)->size() != 32)
      return absl::DataLossError("state tables: digest row is malformed");
    std::array<uint8_t, 32> bytes{};
    std::copy((*digest)->begin(), (*digest)->end(), bytes.begin());
    state->digest_ = words(bytes);
  }
  return state;
}

absl::StatusOr<std::optional<Fold>> State::stored_fold() const {
  const auto partition = store_->get(kPartitionKey);
  if (!partition.ok()) return partition.status();
  if (!*partition) return std::nullopt;
  std::map<std::string, std::string> ledgers;
  const auto scanned = store_->scan(kLedgerKeys, [&](std::string_view key, std::string_view value) {
    ledgers.emplace(key.substr(kLedgerKeys.size()), value);
    return true;
  });
  if (!scanned.ok()) return scanned;
  auto fold = Fold::restore(**partition, ledgers);
  if (!fold.ok()) return fold.status();
  return std::optional<Fold>(*std::move(fold));
}

Rows& State::ledger(std::string_view code) {
  const auto found = ledgers_.find(code);
  if (found != ledgers_.end()) return *found->second;
  return *ledgers_
              .emplace(std::string(code), std::make_unique<LedgerRows>(*this, std::string(code)))
              .first->second;
}

State::Entry& State::entry(const RowType& type, const std::string& key) {
  const auto found = entries_.find(key);
  if (found != entries_.end()) {
    found->second->used = true;
    return *found->second;
  }
  auto fresh = std::make_unique<Entry>();
  fresh->key = key;
  fresh->type = &type;
  fresh->used = true;
  const auto stored = store_->get(key);
  if (!stored.ok()) {
    if (status_.ok()) status_ = stored.status();
  } else if (*stored) {
    fresh->base.reset(type.prototype->New());
    if (!fresh->base->ParseFromString(**stored)) {
      if (status_.ok())
        status_ = absl::DataLossError("state tables: row of " + type.name + " cannot be read");
      fresh->base.reset();
    } else {
      fresh->stored_hash = row_hash(key, **stored);
    }
  }
  auto& placed = *fresh;
  entries_.emplace(std::string_view(placed.key), std::move(fresh));
  eviction_.push_back(&placed);
  return placed;
}

const Message* State::current(const Entry& entry) const {
  return entry.overlay.empty() ? entry.base.get() : entry.overlay.back().row.get();
}

void State::begin(uint64_t n) { appends_.emplace_back(n, std::vector<Entry*>()); }

State::Version& State::version_for_edit(Entry& entry) {
  if (appends_.empty()) broken_invariant("state edited outside an append");
  const uint64_t n = appends_.back().first;
  if (entry.overlay.empty() || entry.overlay.back().n != n) {
    const Message* before = current(entry);
    std::unique_ptr<Message> copy;
    if (before) {
      copy.reset(before->New());
      copy->CopyFrom(*before);
    }
    entry.overlay.push_back({n, std::move(copy)});
    appends_.back().second.push_back(&entry);
    note_unstored(entry);
  }
  return entry.overlay.back();
}

Message* State::edit(const RowType& type, const std::string& key, std::string_view row_key) {
  auto& version = version_for_edit(entry(type, key));
  if (!version.row) {
    version.row.reset(type.prototype->New());
    type.fill_key(*version.row, row_key);
  }
  return version.row.get();
}

void State::erase(const RowType& type, const std::string& key) {
  version_for_edit(entry(type, key)).row.reset();
}

void State::note_unstored(Entry& entry) {
  const auto table = unstored_.find(entry.type);
  if (table != unstored_.end()) table->second.insert(entry.key);
}

void State::note_stored(Entry& entry) {
  if (!entry.overlay.empty() || entry.dirty) return;
  const auto table = unstored_.find(entry.type);
  if (table != unstored_.end()) table->second.erase(entry.key);
}

std::set<std::string_view>& State::unstored_of(const RowType& type) {
  const auto known = unstored_.find(&type);
  if (known != unstored_.end()) return known->second;
  auto& keys = unstored_[&type];
  for (const Entry* entry : dirty_) {
    if (entry->type == &type) keys.insert(entry->key);
  }
  for (const auto& [n, touched] : appends_) {
    for (const Entry* entry : touched) {
      if (entry->type == &type) keys.insert(entry->key);
    }
  }
  return keys;
}

void State::scan(const RowType& type, const std::string& prefix,
                 const std::function<bool(const Message&)>& visit) {
  const auto& unstored = unstored_of(type);
  auto pending = unstored.lower_bound(prefix);
  const auto pending_here = [&] {
    return pending != unstored.end() && pending->starts_with(prefix);
  };
  bool go_on = true;
  // Rows of the overlay that sort before `limit` (all of them when it is empty).
  const auto visit_pending = [&](std::string_view limit) {
    while (go_on && pending_here() && (limit.empty() || *pending < limit)) {
      const Message* row = current(*entries_.at(*pending));
      ++pending;
      if (row) go_on = visit(*row);
    }
  };
  std::unique_ptr<Message> decoded(type.prototype->New());
  const auto scanned = store_->scan(prefix, [&](std::string_view key, std::string_view value) {
    visit_pending(key);
    if (!go_on) return false;
    if (pending_here() && *pending == key)
      return true;  // the newer version comes with the pending ones
    if (!decoded->ParseFromArray(value.data(), static_cast<int>(value.size()))) {
      if (status_.ok())
        status_ = absl::DataLossError("state tables: row of " + type.name + " cannot be read");
      return false;
    }
    go_on = visit(*decoded);
    return go_on;
  });
  if (!scanned.ok() && status_.ok()) status_ = scanned;
  visit_pending({});
}

void State::rollback() {
  for (Entry* touched : appends_.back().second) {
    touched->overlay.pop_back();
    note_stored(*touched);
  }
  appends_.pop_back();
}

void State::mark_dirty(Entry& entry) {
  if (entry.dirty) return;
  entry.dirty = true;
  dirty_.push_back(&entry);
  ++unwritten_confirmed_;
}

void State::confirm(uint64_t n) {
  while (!appends_.empty() && appends_.front().first <= n) {
    for (Entry* touched : appends_.front().second) {
      touched->base = std::move(touched->overlay.front().row);
      touched->overlay.erase(touched->overlay.begin());
      mark_dirty(*touched);
    }
    appends_.pop_front();
  }
}

void State::discard() {
  while (!appends_.empty()) rollback();
}

void State::account(Entry& entry, std::string_view bytes) {
  subtract(digest_, words(entry.stored_hash));
  entry.stored_hash = entry.base ? row_hash(entry.key, bytes) : std::array<uint8_t, 32>{};
  add(digest_, words(entry.stored_hash));
}

absl::Status State::write(const Fold& fold, const std::vector<std::string>& touched_ledgers) {
  std::vector<std::pair<std::string, std::optional<std::string>>> batch;
  batch.reserve(dirty_.size() + 8);
  // Neighbours one after another: the store's sorted memory finds their place faster.
  std::sort(dirty_.begin(), dirty_.end(),
            [](const Entry* a, const Entry* b) { return a->key < b->key; });
  for (Entry* row : dirty_) {
    std::optional<std::string> bytes;
    if (row->base) bytes = serialise(*row->base);
    account(*row, bytes ? *bytes : std::string_view());
    batch.emplace_back(row->key, std::move(bytes));
  }
  // A failed batch took the touched ledgers with it: then all of them are written again.
  if (unwritten_ledgers_) {
    for (const auto& [code, ledger] : fold.ledgers())
      batch.emplace_back(kLedgerKeys + code, fold.ledger_row(code));
  } else {
    for (const auto& code : touched_ledgers)
      batch.emplace_back(kLedgerKeys + code, fold.ledger_row(code));
  }
  for (const auto& [key, offset] : offsets_) batch.emplace_back(key, make_key(offset));
  const auto digest = bytes_of_sum(digest_);
  batch.emplace_back(kDigestKey, std::string(digest.begin(), digest.end()));
  batch.emplace_back(kPartitionKey, fold.partition_row());
  batch.emplace_back(kVersionKey, std::to_string(kStateFoldVersion));
  // Rows of a failed batch stay dirty; that their hashes are counted already does no harm, they are
  // counted again.
  const auto written = store_->write(batch);
  unwritten_ledgers_ = !written.ok();
  if (!written.ok()) return written;
  for (Entry* row : dirty_) {
    row->dirty = false;
    // Most rows are written once and never looked at again: they go first.
    row->used = false;
    note_stored(*row);
  }
  dirty_.clear();
  offsets_.clear();
  unwritten_confirmed_ = 0;
  sweep();
  return absl::OkStatus();
}

absl::Status State::flush(const Fold& fold, const std::vector<std::string>& touched_ledgers) {
  if (const auto written = write(fold, touched_ledgers); !written.ok()) return written;
  return store_->flush();
}

// Second chance: a row used since it was last looked at goes to the end of the line.
void State::sweep() {
  size_t looks = entries_.size();
  while (entries_.size() > settings_.cached_rows_max && looks-- > 0) {
    Entry* row = eviction_.front();
    eviction_.pop_front();
    if (row->used || row->dirty || !row->overlay.empty()) {
      row->used = false;
      eviction_.push_back(row);
    } else {
      entries_.erase(row->key);
    }
  }
}

void State::note_offset(std::string_view ledger_code, int64_t first_seq, int64_t offset) {
  offsets_[offset_key(ledger_code, first_seq)] = offset;
}

absl::StatusOr<std::optional<int64_t>> State::offset_of(std::string_view ledger_code,
                                                        int64_t first_seq) const {
  const std::string key = offset_key(ledger_code, first_seq);
  if (const auto noted = offsets_.find(key); noted != offsets_.end()) return noted->second;
  const auto stored = store_->get(key);
  if (!stored.ok()) return stored.status();
  if (!*stored) return std::nullopt;
  std::string_view text = **stored;
  int64_t offset = 0;
  if (!take_key_number(text, offset))
    return absl::DataLossError("state tables: offset row is malformed");
  return offset;
}

StateDigest State::digest() const {
  auto sum = digest_;
  for (const Entry* row : dirty_) {
    subtract(sum, words(row->stored_hash));
    if (row->base) add(sum, words(row_hash(row->key, serialise(*row->base))));
  }
  return bytes_of_sum(sum);
}

absl::StatusOr<StateDigest> State::recomputed_digest() const {
  std::array<uint64_t, 4> sum{};
  const auto scanned =
      store_->scan(std::string(1, kRows), [&](std::string_view key, std::string_view value) {
        add(sum, words(row_hash(key, value)));
        return true;
      });
  if (!scanned.ok()) return scanned;
  return bytes_of_sum(sum);
}

}  // namespace taizhang
