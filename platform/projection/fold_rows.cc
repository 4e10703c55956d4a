// Decoded rows of a fold.
#include "platform/projection/fold_rows.h"

#include <google/protobuf/message.h>

#include <algorithm>
#include <limits>

#include "platform/projection/row_reader.h"
#include "platform/state/key.h"

namespace taizhang::projection {
namespace {

using google::protobuf::Message;

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

FoldRows::Table& FoldRows::table(const RowType& type) const {
  if (type.index >= tables_.size()) tables_.resize(type.index + 1);
  Table& known = tables_[type.index];
  if (!known.is_known) known.is_only_key = is_only_key(type);
  known.is_known = true;
  return known;
}

CachedRow& FoldRows::take_over(CachedRow& row, std::string_view key, std::string_view value) const {
  if (is_erased(value)) return row;
  row.row = cache_.make(*row.type);
  cache_.weigh(row, static_cast<int64_t>(value.size()));
  if (!parse_row_value(*row.type, key, value, *row.row)) {
    status_ = absl::DataLossError("a row of table " + row.type->name + " cannot be read");
    row.row.reset();
  }
  return row;
}

CachedRow& FoldRows::load(const RowType& type, std::string_view key, const RowKey& whole) const {
  // Marks are not in the filter: there may be as many as events, and few tables of them are read.
  if (filter_ && !table(type).is_only_key && !filter_->may_hold(whole.hash))
    return cache_.add(whole, type, false);
  for (const auto* run : {filling_.get(), leaving_.get()}) {
    if (!run) continue;
    const auto found = run->newest.find(whole);
    if (found == run->newest.end()) continue;
    CachedRow& row = cache_.add(whole, type, true);
    row.run = run->number;
    row.put = found->put;
    return take_over(row, key, row.put.value());
  }
  if (!versions_) versions_ = store_->cursor(CursorKind::kVersions);
  sought_.assign(whole.text);
  store_key::append_version(sought_, std::numeric_limits<int64_t>::max());
  versions_->seek(sought_);
  if (!versions_->valid() && status_.ok()) status_ = versions_->status();
  const bool stored =
      versions_->valid() && store_key::without_version(versions_->key()) == whole.text;
  CachedRow& row = cache_.add(whole, type, stored);
  return stored ? take_over(row, key, versions_->value()) : row;
}

CachedRow& FoldRows::entry(const RowType& type, std::string_view key) const {
  return entry(type, key, row_key(type, key));
}

CachedRow& FoldRows::entry(const RowType& type, std::string_view key, std::string_view text) const {
  const RowKey whole = RowKey::of(text);
  CachedRow* known = cache_.find(whole);
  return known ? *known : load(type, key, whole);
}

Message& FoldRows::mark(const RowType& type, std::string_view key, bool erased) {
  const std::string_view whole = row_key(type, key);
  auto& row = table(type).mark;
  if (!row) row.reset(type.prototype->New());
  if (!erased) type.fill_key(*row, key);
  for (size_t i = 0; i < marked_; ++i) {
    if (marks_[i].key == whole) {  // one version per event
      marks_[i].erased = erased;
      return *row;
    }
  }
  if (marked_ == marks_.size()) marks_.emplace_back();
  Mark& made = marks_[marked_++];
  made.key.assign(whole);
  made.type = &type;
  made.erased = erased;
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
      visit(*run, {whole, rest.substr(type.prefix.size()), &put});
    }
  }
}

void FoldRows::look_at(const RowType& type) const {
  Table& seen = table(type);
  if (!seen.is_only_key || seen.is_looked_at) return;
  seen.is_looked_at = true;
  each_unwritten(type, [](RowRun& run, const Unwritten& row) {
    run.remember(RowKey::of(row.whole).hash, *row.put);
  });
  const size_t head = head_.size() + type.prefix.size();
  const auto of_others =
      std::stable_partition(marks_.begin(), marks_.begin() + static_cast<ptrdiff_t>(marked_),
                            [&](const Mark& mark) { return mark.type != &type; });
  const auto end = marks_.begin() + static_cast<ptrdiff_t>(marked_);
  marked_ = static_cast<size_t>(of_others - marks_.begin());
  for (auto mark = of_others; mark != end; ++mark) {
    const auto key = std::string_view(mark->key).substr(head);
    CachedRow& marked = entry(type, key);
    marked.row = mark->erased ? nullptr : cache_.make(type);
    if (marked.row) type.fill_key(*marked.row, key);
    change(marked);
  }
}

const Message* FoldRows::find(const RowType& type, std::string_view key) const {
  look_at(type);
  return entry(type, key).row.get();
}

void FoldRows::change(CachedRow& row) const {
  if (row.changed) return;
  row.changed = true;
  changed_.push_back(&row);
  if (scanned_ && table(*row.type).is_scanned) pending_.emplace(row.key, &row);
}

Message& FoldRows::edit(const RowType& type, std::string_view key) {
  const Table& known = table(type);
  if (known.is_only_key && !known.is_looked_at) return mark(type, key, false);
  CachedRow& found = entry(type, key);
  if (!found.row) {
    found.row = cache_.make(type);
    type.fill_key(*found.row, key);
  }
  change(found);
  return *found.row;
}

Message& FoldRows::replace(const RowType& type, std::string_view key) {
  const Table& known = table(type);
  if (known.is_only_key && !known.is_looked_at) return mark(type, key, false);
  const RowKey whole = RowKey::of(row_key(type, key));
  CachedRow* found = cache_.find(whole);
  if (!found) found = &cache_.add(whole, type, false);
  if (found->row) {
    found->row->Clear();
  } else {
    found->row = cache_.make(type);
  }
  type.fill_key(*found->row, key);
  change(*found);
  return *found->row;
}

void FoldRows::erase(const RowType& type, std::string_view key) {
  const Table& known = table(type);
  if (known.is_only_key && !known.is_looked_at) {
    mark(type, key, true);
    return;
  }
  CachedRow& found = entry(type, key);
  // A mark is erased without looking, and must be here too: the same events give the same versions,
  // looked at or not.
  if (!found.row && !known.is_only_key) return;
  found.row.reset();
  change(found);
}

void FoldRows::scan(const RowType& type, std::string_view prefix,
                    const std::function<bool(const Message&)>& visit) const {
  look_at(type);
  if (Table& seen = table(type); !seen.is_scanned) {
    scanned_ = seen.is_scanned = true;
    // Those that left come back: from now on all of this table stay until they are in the store.
    each_unwritten(type, [&](RowRun&, const Unwritten& row) { entry(type, row.key, row.whole); });
    cache_.each([&](CachedRow& row) {
      if (row.type == &type && (row.changed || unwritten(row))) pending_.emplace(row.key, &row);
    });
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
  const auto put = [&](std::string_view key, std::string_view value) -> const Puts::Put& {
    sought_.assign(key);
    store_key::append_version(sought_, seq);
    digest.add(sought_, value);
    return puts.list()[puts.add(sought_, value)];
  };
  for (CachedRow* row : changed_) {
    value_.clear();
    if (row->row) {
      append_row_value(*row->type, *row->row, value_);
    } else {
      value_ = erased_value();
    }
    cache_.weigh(*row, static_cast<int64_t>(value_.size()));
    row->put = put(row->key, value_);
    row->run = filling_->number;
    row->changed = false;
    if (filter_ && !table(*row->type).is_only_key) filter_->add(row->hash);
  }
  for (size_t i = 0; i < marked_; ++i)
    put(marks_[i].key, marks_[i].erased ? erased_value() : present_value());
  const auto count = static_cast<int64_t>(changed_.size() + marked_);
  changed_.clear();
  marked_ = 0;
  cache_.end_event([this](const CachedRow& row) { return may_leave(row); });
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
    leaving_->clear();
    spare_ = std::move(leaving_);
  }
  leaving_.reset();
  versions_.reset();
  std::erase_if(pending_, [this](const auto& row) { return !unwritten(*row.second); });
}

bool FoldRows::may_leave(const CachedRow& row) const {
  if (!unwritten(row)) return true;
  // Rows of a scanned table stay until they are written.
  if (scanned_ && table(*row.type).is_scanned) return false;
  run_of(row.run)->remember(row.hash, row.put);
  return true;
}

void FoldRows::trim(int64_t bytes_max) {
  cache_.trim(bytes_max, [this](const CachedRow& row) { return may_leave(row); });
}

}  // namespace taizhang::projection
