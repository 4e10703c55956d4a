// Rows that come, stay and leave.
#include "platform/projection/row_cache.h"

#include <google/protobuf/message.h>

namespace taizhang::projection {
namespace {

using google::protobuf::Message;

// What a row costs besides its key and its contents: entry, places in queue and table, empty
// message.
constexpr int64_t kEntryBytes = 240;
// A decoded row takes about this many times its stored bytes.
constexpr int64_t kDecodedFactor = 3;
// A row's memory is used again only when it is small, or one that was large would keep it for ever.
constexpr int64_t kSpareBytesMax = 4 << 10;
constexpr size_t kSparesMax = 64;

}  // namespace

CachedRow* RowCache::find(const RowKey& key) {
  const auto found = slots_.find(key);
  if (found == slots_.end()) return nullptr;
  CachedRow& row = *found->row;
  if (row.event != event_) {
    row.event = event_;
    row.used = true;
  }
  return &row;
}

CachedRow& RowCache::add(const RowKey& key, const RowType& type, bool is_old) {
  std::unique_ptr<CachedRow> made;
  if (spare_.empty()) {
    made = std::make_unique<CachedRow>();
  } else {
    made = std::move(spare_.back());
    spare_.pop_back();
  }
  CachedRow& row = *made;
  row.key.assign(key.text);
  row.hash = key.hash;
  row.type = &type;
  row.event = event_;
  row.used = is_old;
  young_.push_back(std::move(made));
  slots_.insert({key.hash, &row});
  weigh(row, 0);
  return row;
}

std::unique_ptr<Message> RowCache::make(const RowType& type) {
  if (type.index < spare_rows_.size() && !spare_rows_[type.index].empty()) {
    auto row = std::move(spare_rows_[type.index].back());
    spare_rows_[type.index].pop_back();
    return row;
  }
  return std::unique_ptr<Message>(type.prototype->New());
}

void RowCache::weigh(CachedRow& row, int64_t value_bytes) {
  const int64_t bytes =
      kEntryBytes + static_cast<int64_t>(row.key.size()) + kDecodedFactor * value_bytes;
  bytes_ += bytes - row.bytes;
  row.bytes = bytes;
}

void RowCache::forget(std::unique_ptr<CachedRow> row) {
  slots_.erase(slots_.find(RowKey{row->key, row->hash}));
  bytes_ -= row->bytes;
  if (row->row && row->bytes <= kSpareBytesMax) {
    const size_t type = row->type->index;
    if (type >= spare_rows_.size()) spare_rows_.resize(type + 1);
    if (spare_rows_[type].size() < kSparesMax) {
      row->row->Clear();
      spare_rows_[type].push_back(std::move(row->row));
    }
  }
  if (spare_.size() == kSparesMax) return;
  std::string memory = std::move(row->key);
  *row = CachedRow{};
  row->key = std::move(memory);
  spare_.push_back(std::move(row));
}

}  // namespace taizhang::projection
