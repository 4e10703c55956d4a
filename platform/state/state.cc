// State of the ledgers: cache and overlay over the rows on disk.
//
// Keys in the store: 'L' ledger(6 bytes) table-prefix row-key = a row; 'M' ... = what the platform
// keeps (position) · 'O' … = commit_offsets.h.
#include "platform/state/state.h"

#include <algorithm>
#include <filesystem>

#include "platform/base/log.h"
#include "platform/state/wire.h"

namespace taizhang {

using google::protobuf::Message;
using journal::Fold;

namespace {

constexpr char kRows = 'L';
const std::string kVersionKey = "Mversion";
const std::string kPartitionKey = "Mpartition";
const std::string kDigestKey = "Mdigest";
const std::string kLedgerKeys = "Mledger/";

// What the tables were written by.
std::string version_text() {
  return std::to_string(kStateFoldVersion) + "/" + std::to_string(kStateTableFormat);
}

}  // namespace

class State::LedgerRows : public Rows {
 public:
  LedgerRows(State& state, std::string code) : state_(state), code_(std::move(code)) {}
  const Message* find(const RowType& type, std::string_view key) const override {
    return state_.current(state_.entry(table(type), key));
  }
  Message& edit(const RowType& type, std::string_view key) override {
    return *state_.edit(table(type), key);
  }
  void erase(const RowType& type, std::string_view key) override { state_.erase(table(type), key); }
  void scan(const RowType& type, std::string_view prefix,
            const std::function<bool(const Message&)>& visit) const override {
    state_.scan(table(type), prefix, visit);
  }

 private:
  Table& table(const RowType& type) const {
    if (type.index >= tables_.size()) tables_.resize(type.index + 1);
    auto& table = tables_[type.index];
    if (!table) {
      table = std::make_unique<Table>();
      table->type = &type;
      table->prefix = kRows + code_ + type.prefix;
    }
    return *table;
  }

  State& state_;
  const std::string code_;
  mutable std::vector<std::unique_ptr<Table>> tables_;  // by RowType::index
};

State::State(StateSettings settings, std::unique_ptr<RowStore> store, DigestSum digest)
    : settings_(std::move(settings)),
      store_(std::move(store)),
      offsets_(*store_),
      writer_(*store_, digest, settings_.flush_us) {}
State::~State() = default;

absl::StatusOr<std::unique_ptr<State>> State::open(const std::string& folder,
                                                   const StateSettings& settings) {
  auto store = RowStore::open(folder, settings.store);
  if (!store.ok()) return store.status();
  const auto version = (*store)->get(kVersionKey);
  if (!version.ok()) return version.status();
  if (*version && **version != version_text()) {
    log(LogLevel::kInfo, "state_dropped",
        {{"stored_version", **version}, {"version", version_text()}});
    store->reset();
    std::error_code error;
    std::filesystem::remove_all(folder, error);
    store = RowStore::open(folder, settings.store);
    if (!store.ok()) return store.status();
  }
  const auto stored = (*store)->get(kDigestKey);
  if (!stored.ok()) return stored.status();
  StateDigest digest{};
  if (*stored) {
    if ((*stored)->size() != digest.size())
      return absl::DataLossError("state tables: digest row is malformed");
    std::copy((*stored)->begin(), (*stored)->end(), digest.begin());
  }
  return std::unique_ptr<State>(new State(settings, *std::move(store), DigestSum(digest)));
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

State::Entry& State::entry(Table& table, std::string_view key) {
  const auto found = table.rows.find(key);
  if (found != table.rows.end()) {
    found->second->used = true;
    return *found->second;
  }
  auto fresh = std::make_unique<Entry>();
  fresh->table = &table;
  fresh->key.reserve(table.prefix.size() + key.size());
  fresh->key += table.prefix;
  fresh->key += key;
  fresh->used = true;
  const auto stored = store_->get(fresh->key);
  if (!stored.ok()) {
    if (status_.ok()) status_ = stored.status();
  } else if (*stored) {
    fresh->base.reset(table.type->prototype->New());
    if (!fresh->base->ParseFromString(**stored)) {
      if (status_.ok())
        status_ =
            absl::DataLossError("state tables: row of " + table.type->name + " cannot be read");
      fresh->base.reset();
    } else {
      fresh->counted = row_hash(fresh->key, **stored);
    }
  }
  auto& placed = *fresh;
  table.rows.emplace(std::string_view(placed.key).substr(table.prefix.size()), std::move(fresh));
  ++entries_;
  eviction_.push_back(placed);
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

Message* State::edit(Table& table, std::string_view key) {
  auto& version = version_for_edit(entry(table, key));
  if (!version.row) {
    version.row.reset(table.type->prototype->New());
    table.type->fill_key(*version.row, key);
  }
  return version.row.get();
}

void State::erase(Table& table, std::string_view key) {
  version_for_edit(entry(table, key)).row.reset();
}

void State::note_unstored(Entry& entry) {
  if (entry.table->scanned) entry.table->unstored.insert(entry.key);
}

void State::note_stored(Entry& entry) {
  if (!entry.table->scanned || !entry.overlay.empty() || entry.dirty || entry.writing) return;
  entry.table->unstored.erase(entry.key);
}

void State::collect_unstored(Table& table) {
  table.scanned = true;
  const auto collect = [&](const std::vector<Entry*>& entries) {
    for (const Entry* entry : entries) {
      if (entry->table == &table) table.unstored.insert(entry->key);
    }
  };
  collect(dirty_);
  collect(writing_);
  for (const auto& [n, touched] : appends_) collect(touched);
}

void State::scan(Table& table, std::string_view prefix,
                 const std::function<bool(const Message&)>& visit) {
  if (!table.scanned) collect_unstored(table);
  const std::string start = table.prefix + std::string(prefix);
  auto pending = table.unstored.lower_bound(start);
  const auto pending_here = [&] {
    return pending != table.unstored.end() && pending->starts_with(start);
  };
  bool go_on = true;
  // Rows of the overlay that sort before `limit` (all of them when it is empty).
  const auto visit_pending = [&](std::string_view limit) {
    while (go_on && pending_here() && (limit.empty() || *pending < limit)) {
      const Message* row = current(*table.rows.at(pending->substr(table.prefix.size())));
      ++pending;
      if (row) go_on = visit(*row);
    }
  };
  const std::unique_ptr<Message> decoded(table.type->prototype->New());
  const auto scanned = store_->scan(start, [&](std::string_view key, std::string_view value) {
    visit_pending(key);
    if (!go_on) return false;
    if (pending_here() && *pending == key)
      return true;  // the newer version comes with the pending ones
    if (!decoded->ParseFromArray(value.data(), static_cast<int>(value.size()))) {
      if (status_.ok())
        status_ =
            absl::DataLossError("state tables: row of " + table.type->name + " cannot be read");
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
}

void State::confirm(uint64_t n) {
  while (!appends_.empty() && appends_.front().first <= n) {
    for (Entry* touched : appends_.front().second) {
      // Only the row that was handed over: one that is dirty has been replaced since.
      if (touched->writing && !touched->dirty && touched->base)
        replaced_.push_back(std::move(touched->base));
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

// Gives the batch pointers to the rows as they are now: an edit makes a new row, and what the batch
// reads is kept until it is done.
void State::hand_over(const Fold& fold) {
  RowWriter::Batch batch;
  batch.rows.reserve(dirty_.size());
  for (Entry* row : dirty_) {
    row->dirty = false;
    row->writing = true;
    row->used = false;
    batch.rows.push_back({row->key, row->base.get(), &row->counted});
  }
  if (all_ledgers_touched_) {
    for (const auto& [code, ledger] : fold.ledgers())
      batch.others.emplace_back(kLedgerKeys + code, fold.ledger_row(code));
  } else {
    for (const auto& code : touched_ledgers_)
      batch.others.emplace_back(kLedgerKeys + code, fold.ledger_row(code));
  }
  for (auto& row : offsets_.next_batch()) batch.others.push_back(std::move(row));
  batch.others.emplace_back(kPartitionKey, fold.partition_row());
  batch.others.emplace_back(kVersionKey, version_text());
  batch.digest_key = kDigestKey;
  all_ledgers_touched_ = false;
  touched_ledgers_.clear();
  writing_.swap(dirty_);
  writer_.start(std::move(batch));
}

// Waits for the batch under way. Rows of a failed one are dirty again.
absl::Status State::take_back() {
  const auto written = writer_.take_result();
  for (Entry* row : writing_) {
    row->writing = false;
    if (!written.ok()) mark_dirty(*row);
    note_stored(*row);
    // Most rows are written once and never looked at again: memory is used again while it is warm.
    if (!row->used && !row->pinned()) forget(*row);
  }
  writing_.clear();
  replaced_.clear();
  offsets_.written(written.ok());
  if (!written.ok()) all_ledgers_touched_ = true;
  sweep();
  return written;
}

absl::Status State::write(const Fold& fold, const std::vector<std::string>& touched_ledgers) {
  touched_ledgers_.insert(touched_ledgers.begin(), touched_ledgers.end());
  const bool wait = must_wait();
  if (!writing_.empty()) {
    if (!writer_.finished() && !wait) return absl::OkStatus();
    if (auto written = take_back(); !written.ok()) return written;
  }
  if (dirty_.empty()) return absl::OkStatus();
  hand_over(fold);
  return wait ? take_back() : absl::OkStatus();
}

absl::Status State::flush(const Fold& fold, const std::vector<std::string>& touched_ledgers) {
  touched_ledgers_.insert(touched_ledgers.begin(), touched_ledgers.end());
  // What became of the batch before this one does not matter: a failed one's rows come again.
  if (const auto before = take_back(); !before.ok())
    log(LogLevel::kWarning, "state_write_failed", {{"why", std::string(before.message())}});
  hand_over(fold);
  if (auto written = take_back(); !written.ok()) return written;
  return store_->flush();
}

void State::forget(Entry& entry) {
  eviction_.remove(entry);
  --entries_;
  auto& table = *entry.table;
  table.rows.erase(std::string_view(entry.key).substr(table.prefix.size()));
}

// Second chance: a row used since it was last looked at goes to the end of the line.
void State::sweep() {
  size_t looks = entries_;
  while (entries_ > settings_.cached_rows_max && looks-- > 0) {
    Entry& row = *eviction_.front();
    if (!row.used && !row.pinned()) {
      forget(row);
      continue;
    }
    row.used = false;
    eviction_.remove(row);
    eviction_.push_back(row);
  }
}

StateDigest State::digest() const {
  auto sum = writer_.digest();
  std::string bytes;
  for (const Entry* row : dirty_) {
    sum.subtract(row->counted);
    if (!row->base) continue;
    serialise_deterministic(*row->base, bytes);
    sum.add(row_hash(row->key, bytes));
  }
  return sum.bytes();
}

absl::StatusOr<StateDigest> State::recomputed_digest() const {
  writer_.digest();  // waits for the batch under way
  DigestSum sum;
  const auto scanned =
      store_->scan(std::string(1, kRows), [&](std::string_view key, std::string_view value) {
        sum.add(row_hash(key, value));
        return true;
      });
  if (!scanned.ok()) return scanned;
  return sum.bytes();
}

}  // namespace taizhang
