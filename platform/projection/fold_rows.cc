// Decoded rows of a fold.
#include "platform/projection/fold_rows.h"

#include <google/protobuf/message.h>

#include <limits>

#include "platform/projection/row_reader.h"

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

FoldRows::FoldRows(std::shared_ptr<const Store> store, int64_t cache_bytes_max)
    : store_(std::move(store)), cache_bytes_max_(cache_bytes_max) {}

void FoldRows::enter(std::string_view ledger) {
  head_ = store_key::of_ledger(store_key::kRow, ledger);
}

std::string_view FoldRows::row_key(const RowType& type, std::string_view key) const {
  key_.assign(head_);
  key_ += type.prefix;
  key_ += key;
  return key_;
}

std::unique_ptr<Message> FoldRows::load(const RowType& type, std::string_view key,
                                        std::string_view whole) const {
  if (!versions_) versions_ = store_->cursor(CursorKind::kVersions);
  sought_.assign(whole);
  store_key::append_version(sought_, std::numeric_limits<int64_t>::max());
  versions_->seek(sought_);
  if (!versions_->valid()) {
    if (status_.ok()) status_ = versions_->status();
    return nullptr;
  }
  if (store_key::without_version(versions_->key()) != whole || is_erased(versions_->value()))
    return nullptr;
  std::unique_ptr<Message> row(type.prototype->New());
  if (!parse_row_value(type, key, versions_->value(), *row)) {
    status_ = absl::DataLossError("a row of table " + type.name + " cannot be read");
    return nullptr;
  }
  return row;
}

FoldRows::Entry& FoldRows::keep(std::unique_ptr<Entry> made) const {
  Entry& kept = *made;
  bytes_ += kept.bytes;
  ring_.push_back(&kept);
  entries_.emplace(kept.key, std::move(made));
  return kept;
}

FoldRows::Entry& FoldRows::entry(const RowType& type, std::string_view key) const {
  const std::string_view whole = row_key(type, key);
  const auto found = entries_.find(whole);
  if (found != entries_.end()) {
    found->second->used = true;
    return *found->second;
  }
  auto made = std::make_unique<Entry>();
  made->key = whole;
  made->type = &type;
  made->row = load(type, key, whole);
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

void FoldRows::look_at(const RowType& type) const {
  if (!is_only_key(type) || !looked_at_.insert(&type).second) return;
  const size_t head = head_.size() + type.prefix.size();
  const auto make_row = [&](const Mark& mark) -> Entry& {
    const auto found = entries_.find(mark.key);
    Entry* entry = found == entries_.end() ? nullptr : found->second.get();
    if (!entry) {
      auto made = std::make_unique<Entry>();
      made->key = mark.key;
      made->type = &type;
      made->bytes = kEntryBytes + static_cast<int64_t>(mark.key.size());
      entry = &keep(std::move(made));
    }
    entry->row.reset(mark.erased ? nullptr : type.prototype->New());
    if (entry->row) type.fill_key(*entry->row, std::string_view(mark.key).substr(head));
    return *entry;
  };
  for (const Mark& mark : taken_marks_) {
    if (mark.type != &type) continue;
    Entry& entry = make_row(mark);
    if (!entry.unwritten) unwritten_.push_back(&entry);
    entry.unwritten = true;
  }
  for (const Mark& mark : marks_) {
    if (mark.type == &type) change(make_row(mark));
  }
  std::erase_if(marks_, [&](const Mark& mark) { return mark.type == &type; });
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
    for (const auto* list : {&unwritten_, &changed_}) {
      for (Entry* entry : *list) {
        if (entry->type == &type) pending_.emplace(entry->key, entry);
      }
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

int64_t FoldRows::take(int64_t seq, Puts& puts, AdditiveDigest& digest) {
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
    sought_.assign(entry->key);
    store_key::append_version(sought_, seq);
    puts.add(sought_, value_);
    digest.add(sought_, value_);
    entry->changed = false;
    if (!entry->unwritten) {
      entry->unwritten = true;
      unwritten_.push_back(entry);
    }
  }
  for (Mark& mark : marks_) {
    sought_.assign(mark.key);
    store_key::append_version(sought_, seq);
    const std::string_view value = mark.erased ? erased_value() : present_value();
    puts.add(sought_, value);
    digest.add(sought_, value);
    taken_marks_.push_back(std::move(mark));
  }
  const auto count = static_cast<int64_t>(changed_.size() + marks_.size());
  changed_.clear();
  marks_.clear();
  return count;
}

void FoldRows::written() {
  for (Entry* entry : unwritten_) entry->unwritten = false;
  unwritten_.clear();
  taken_marks_.clear();
  pending_.clear();
  versions_.reset();
  // Second chance: whoever was used since the hand last came by stays.
  while (bytes_ > cache_bytes_max_ && !ring_.empty()) {
    if (hand_ >= ring_.size()) hand_ = 0;
    Entry* entry = ring_[hand_];
    if (entry->used) {
      entry->used = false;
      ++hand_;
      continue;
    }
    bytes_ -= entry->bytes;
    ring_[hand_] = ring_.back();
    ring_.pop_back();
    entries_.erase(std::string_view(entry->key));
  }
}

}  // namespace taizhang::projection
