// Decoded rows of a fold.
#include "platform/projection/fold_rows.h"

#include <google/protobuf/message.h>

#include <limits>

#include "platform/projection/row_reader.h"
#include "platform/state/key.h"

namespace taizhang::projection {
namespace {

using google::protobuf::Message;

// What an entry costs besides its key and the contents of its row: entry, places in map and ring,
// empty message.
constexpr int64_t kEntryBytes = 240;
// A decoded row takes about this many times its stored bytes.
constexpr int64_t kDecodedFactor = 3;
constexpr std::string_view kBehindVersions = "\xff\xff\xff\xff\xff\xff\xff\xff\xff";

}  // namespace

FoldRows::FoldRows(std::shared_ptr<const Store> store)
    : store_(std::move(store)), filling_(std::make_shared<RowRun>()) {
  filling_->number = written_ + 1;
}

void FoldRows::enter(std::string_view ledger) {
  head_ = store_key::of_ledger(store_key::kRow, ledger);
}

std::string_view FoldRows::row_key(const RowType& type, std::string_view key) const {
  key_.assign(head_);
  key_ += type.prefix;
  key_ += key;
  return key_;
}

RowRun* FoldRows::run_of(uint64_t number) const {
  if (number == filling_->number) return filling_.get();
  return leaving_ && number == leaving_->number ? leaving_.get() : nullptr;
}

std::unique_ptr<Message> FoldRows::parse(const RowType& type, std::string_view key,
                                         std::string_view value) const {
  if (is_erased(value)) return nullptr;
  std::unique_ptr<Message> row(type.prototype->New());
  if (!parse_row_value(type, key, value, *row)) {
    status_ = absl::DataLossError("a row of table " + type.name + " cannot be read");
    return nullptr;
  }
  return row;
}

void FoldRows::load(Entry& entry, std::string_view key) const {
  const RowType& type = *entry.type;
  for (const auto* run : {filling_.get(), leaving_.get()}) {
    if (!run) continue;
    const auto found = run->newest.find(entry.key);
    if (found == run->newest.end()) continue;
    entry.run = run->number;
    entry.value = found->second;
    entry.row = parse(type, key, entry.value);
    return;
  }
  // Marks are not in the filter: there may be as many as events, and few tables of them are read.
  if (filter_ && !is_only_key(type) && !filter_->may_hold(entry.key)) return;
  if (!versions_) versions_ = store_->cursor(CursorKind::kVersions);
  sought_.assign(entry.key);
  store_key::append_version(sought_, std::numeric_limits<int64_t>::max());
  versions_->seek(sought_);
  if (!versions_->valid()) {
    if (status_.ok()) status_ = versions_->status();
    return;
  }
  if (store_key::without_version(versions_->key()) == entry.key)
    entry.row = parse(type, key, versions_->value());
}

FoldRows::Entry& FoldRows::keep(std::unique_ptr<Entry> made) const {
  Entry& kept = *made;
  bytes_ += kept.bytes;
  ring_.push_back(&kept);
  entries_.emplace(kept.key, std::move(made));
  return kept;
}

FoldRows::Entry& FoldRows::entry(const RowType& type, std::string_view key) const {
  return entry(type, key, row_key(type, key));
}

FoldRows::Entry& FoldRows::entry(const RowType& type, std::string_view key,
                                 std::string_view whole) const {
  const auto found = entries_.find(whole);
  if (found != entries_.end()) {
    found->second->used = true;
    return *found->second;
  }
  auto made = std::make_unique<Entry>();
  made->key = whole;
  made->type = &type;
  load(*made, key);
  made->bytes = kEntryBytes + static_cast<int64_t>(whole.size());
  if (made->row) made->bytes += kDecodedFactor * static_cast<int64_t>(made->row->ByteSizeLong());
  return keep(std::move(made));
}

bool FoldRows::only_marked(const RowType& type) const {
  return is_only_key(type) && !looked_at_.contains(&type);
}

Message& FoldRows::mark(const RowType& type, std::string_view key, bool erased) {
  const std::string_view whole = row_key(type, key);
  auto& row = mark_rows_[&type];
  if (!row) row.reset(type.prototype->New());
  if (!erased) type.fill_key(*row, key);
  for (Mark& known : marks_) {
    if (known.key == whole) {  // one version per event
      known.erased = erased;
      return *row;
    }
  }
  marks_.push_back({std::string(whole), &type, erased});
  return *row;
}

void FoldRows::each_unwritten(const RowType& type, const VisitUnwritten& visit) const {
  for (auto* run : {leaving_.get(), filling_.get()}) {
    if (!run) continue;
    for (const auto& put : run->puts.list()) {
      const std::string_view whole = store_key::without_version(put.key());
      std::string_view rest = whole.substr(1);
      std::string ledger;
      if (!take_key_text(rest, ledger) || !rest.starts_with(type.prefix)) continue;
      visit(*run, {whole, rest.substr(type.prefix.size()), put.value()});
    }
  }
}

void FoldRows::look_at(const RowType& type) const {
  if (!is_only_key(type) || !looked_at_.insert(&type).second) return;
  each_unwritten(type,
                 [](RowRun& run, const Unwritten& row) { run.newest[row.whole] = row.value; });
  std::vector<Mark> marks;
  std::swap(marks, marks_);
  const size_t head = head_.size() + type.prefix.size();
  for (Mark& mark : marks) {
    if (mark.type != &type) {
      marks_.push_back(std::move(mark));
      continue;
    }
    const auto key = std::string_view(mark.key).substr(head);
    Entry& marked = entry(type, key);
    marked.row.reset(mark.erased ? nullptr : type.prototype->New());
    if (marked.row) type.fill_key(*marked.row, key);
    change(marked);
  }
}

const Message* FoldRows::find(const RowType& type, std::string_view key) const {
  look_at(type);
  return entry(type, key).row.get();
}

void FoldRows::change(Entry& entry) const {
  if (entry.changed) return;
  entry.changed = true;
  changed_.push_back(&entry);
  if (!scanned_.empty() && scanned_.contains(entry.type)) pending_.emplace(entry.key, &entry);
}

Message& FoldRows::edit(const RowType& type, std::string_view key) {
  if (only_marked(type)) return mark(type, key, false);
  Entry& found = entry(type, key);
  if (!found.row) {
    found.row.reset(type.prototype->New());
    type.fill_key(*found.row, key);
  }
  change(found);
  return *found.row;
}

void FoldRows::erase(const RowType& type, std::string_view key) {
  if (only_marked(type)) {
    mark(type, key, true);
    return;
  }
  Entry& found = entry(type, key);
  // A mark is erased without looking, and must be here too: the same events give the same versions,
  // looked at or not.
  if (!found.row && !is_only_key(type)) return;
  found.row.reset();
  change(found);
}

void FoldRows::scan(const RowType& type, std::string_view prefix,
                    const std::function<bool(const Message&)>& visit) const {
  look_at(type);
  if (scanned_.insert(&type).second) {
    // Those that left come back: from now on all of this table stay until they are in the store.
    each_unwritten(type, [&](RowRun&, const Unwritten& row) { entry(type, row.key, row.whole); });
    for (Entry* entry : ring_) {
      if (entry->type == &type && (entry->changed || unwritten(*entry)))
        pending_.emplace(entry->key, entry);
    }
  }
  const std::string within(row_key(type, prefix));
  const size_t head = within.size() - prefix.size();
  const auto cursor = store_->cursor(CursorKind::kOrder);
  const std::unique_ptr<Message> row(type.prototype->New());
  auto newer = pending_.lower_bound(within);
  std::string stored_key;
  cursor->seek(within);
  for (;;) {
    const bool in_store = cursor->valid() && cursor->key().starts_with(within);
    const bool in_newer = newer != pending_.end() && newer->first.starts_with(within);
    if (!in_store && !in_newer) break;
    if (in_store) stored_key = store_key::without_version(cursor->key());
    const bool take_newer = in_newer && (!in_store || newer->first <= stored_key);
    const bool take_store = in_store && (!in_newer || stored_key <= newer->first);
    bool more = true;
    if (take_newer) {
      if (newer->second->row) more = visit(*newer->second->row);
      ++newer;
    } else if (!is_erased(cursor->value())) {
      row->Clear();
      if (!parse_row_value(type, std::string_view(stored_key).substr(head), cursor->value(),
                           *row)) {
        status_ = absl::DataLossError("a row of table " + type.name + " cannot be read");
        return;
      }
      more = visit(*row);
    }
    if (!more) return;
    if (take_store) {
      cursor->next();
      if (cursor->valid() && store_key::without_version(cursor->key()) == stored_key) {
        cursor->seek(stored_key + std::string(kBehindVersions));
      }
    }
  }
  if (!cursor->valid() && status_.ok()) status_ = cursor->status();
}

int64_t FoldRows::take(int64_t seq, AdditiveDigest& digest) {
  Puts& puts = filling_->puts;
  const auto put = [&](std::string_view key, std::string_view value) {
    sought_.assign(key);
    store_key::append_version(sought_, seq);
    digest.add(sought_, value);
    return puts.value(puts.add(sought_, value));
  };
  for (Entry* entry : changed_) {
    value_.clear();
    if (entry->row) {
      append_row_value(*entry->type, *entry->row, value_);
    } else {
      value_ = erased_value();
    }
    const int64_t bytes = kEntryBytes + static_cast<int64_t>(entry->key.size()) +
                          kDecodedFactor * static_cast<int64_t>(value_.size());
    bytes_ += bytes - entry->bytes;
    entry->bytes = bytes;
    entry->value = put(entry->key, value_);
    entry->run = filling_->number;
    entry->changed = false;
    if (filter_ && !is_only_key(*entry->type)) filter_->add(entry->key);
  }
  for (const Mark& mark : marks_) put(mark.key, mark.erased ? erased_value() : present_value());
  const auto count = static_cast<int64_t>(changed_.size() + marks_.size());
  changed_.clear();
  marks_.clear();
  return count;
}

std::shared_ptr<const RowRun> FoldRows::hand_over() {
  leaving_ = std::move(filling_);
  filling_ = spare_ ? std::move(spare_) : std::make_shared<RowRun>();
  filling_->number = leaving_->number + 1;
  return leaving_;
}

void FoldRows::written() {
  written_ = leaving_->number;
  // The next batch is likely as large.
  if (leaving_.use_count() == 1) {
    leaving_->puts.clear();
    leaving_->newest.clear();
    spare_ = std::move(leaving_);
  }
  leaving_.reset();
  versions_.reset();
  std::erase_if(pending_, [this](const auto& row) { return !unwritten(*row.second); });
}

void FoldRows::trim(int64_t bytes_max) {
  // Second chance: whoever was used since the hand last came by stays. Rows of a scanned table stay
  // until they are written, so that one round may not be enough: two are looked at.
  for (size_t looked = 0, limit = 2 * ring_.size(); bytes_ > bytes_max && looked < limit;
       ++looked) {
    if (ring_.empty()) return;
    if (hand_ >= ring_.size()) hand_ = 0;
    Entry* entry = ring_[hand_];
    const bool waits = unwritten(*entry);
    if (entry->used || (waits && !scanned_.empty() && scanned_.contains(entry->type))) {
      entry->used = false;
      ++hand_;
      continue;
    }
    if (waits) {
      // The key as the run holds it, in front of the version and the value.
      const char* at = entry->value.data() - store_key::kVersionBytes - entry->key.size();
      run_of(entry->run)->newest[{at, entry->key.size()}] = entry->value;
    }
    bytes_ -= entry->bytes;
    ring_[hand_] = ring_.back();
    ring_.pop_back();
    entries_.erase(std::string_view(entry->key));
  }
}

}  // namespace taizhang::projection
