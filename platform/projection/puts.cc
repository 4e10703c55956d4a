// Gathered and sorted puts.
#include "platform/projection/puts.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "platform/base/bytes.h"

namespace taizhang::projection {
namespace {

// Live a view writes a few rows at a time, in a build millions.
constexpr size_t kFirstBlockBytes = 16 << 10;
constexpr size_t kBlockBytesMax = 1 << 20;
// So few are sorted by comparing keys: of more, each key is looked at once for its next bytes.
constexpr size_t kSmall = 3;

// A put with the eight bytes of its key that were looked at last.
struct Item {
  uint64_t word;
  Puts::Put put;
  uint32_t order;  // in which it was added
};

// Eight bytes of the key as a number that sorts like them; zeros behind its end.
uint64_t word_at(std::string_view key, size_t depth) {
  uint64_t word = 0;
  if (key.size() > depth) {
    std::memcpy(&word, key.data() + depth, std::min(sizeof word, key.size() - depth));
  }
  return __builtin_bswap64(word);
}

// How many bytes two keys share, `from` of which they are known to.
size_t shared_bytes(std::string_view a, std::string_view b, size_t from) {
  const size_t limit = std::min(a.size(), b.size());
  while (from + sizeof(uint64_t) <= limit) {
    const uint64_t different =
        load_le<uint64_t>(a.data() + from) ^ load_le<uint64_t>(b.data() + from);
    if (different != 0) return from + static_cast<size_t>(std::countr_zero(different)) / 8;
    from += sizeof(uint64_t);
  }
  while (from < limit && a[from] == b[from]) ++from;
  return from;
}

bool by_key(const Item& a, const Item& b) {
  const int order = a.put.key().compare(b.put.key());
  return order != 0 ? order < 0 : a.order < b.order;
}

// Sorts by eight bytes at a time, which stand beside each other in memory where keys do not; keys
// of one range are equal before `depth`. Keys of a view share long beginnings, so what all of a
// range share is skipped.
void sort_from(std::vector<Item>::iterator begin, std::vector<Item>::iterator end, size_t depth) {
  const auto count = static_cast<size_t>(end - begin);
  if (count <= kSmall) return std::sort(begin, end, by_key);
  const std::string_view first = begin->put.key();
  size_t shared = first.size();
  for (auto item = begin + 1; item != end && shared > depth; ++item)
    shared = std::min(shared, shared_bytes(first, item->put.key(), depth));
  depth = std::max(depth, shared);
  for (auto item = begin; item != end; ++item) item->word = word_at(item->put.key(), depth);
  std::sort(begin, end, [](const Item& a, const Item& b) { return a.word < b.word; });
  for (auto from = begin; from != end;) {
    const size_t next = depth + sizeof from->word;
    auto to = from + 1;
    bool whole = from->put.key_size >= next;  // the word is of the key alone, not of its end
    while (to != end && to->word == from->word) whole = to++->put.key_size >= next && whole;
    if (to - from > 1) {
      if (whole) {
        sort_from(from, to, next);
      } else {
        std::sort(from, to, by_key);
      }
    }
    from = to;
  }
}

}  // namespace

size_t Puts::add(std::string_view key, std::string_view value) {
  const size_t size = key.size() + value.size();
  if (blocks_.empty() || blocks_.back().size - used_ < size) {
    const size_t wanted =
        blocks_.empty() ? kFirstBlockBytes : std::min(kBlockBytesMax, blocks_.back().size * 2);
    Block block{nullptr, std::max(wanted, size)};
    block.bytes.reset(new char[block.size]);
    block_bytes_ += static_cast<int64_t>(block.size);
    blocks_.push_back(std::move(block));
    used_ = 0;
  }
  char* at = blocks_.back().bytes.get() + used_;
  std::memcpy(at, key.data(), key.size());
  std::memcpy(at + key.size(), value.data(), value.size());
  used_ += size;
  list_.push_back({at, static_cast<uint32_t>(key.size()), static_cast<uint32_t>(value.size())});
  return list_.size() - 1;
}

int64_t Puts::bytes() const {
  return block_bytes_ + static_cast<int64_t>(list_.capacity() * sizeof(Put));
}

void Puts::clear() {
  list_.clear();
  used_ = 0;
  if (blocks_.empty()) return;
  // The next batch is likely as large.
  blocks_.erase(blocks_.begin(), blocks_.end() - 1);
  block_bytes_ = static_cast<int64_t>(blocks_.back().size);
}

std::vector<Puts::Put> sorted(const std::vector<const Puts*>& lists) {
  std::vector<Item> items;
  size_t count = 0;
  for (const Puts* puts : lists) count += puts->size();
  items.reserve(count);
  for (const Puts* puts : lists) {
    for (const Puts::Put& put : puts->list())
      items.push_back({0, put, static_cast<uint32_t>(items.size())});
  }
  sort_from(items.begin(), items.end(), 0);
  std::vector<Puts::Put> all;
  all.reserve(items.size());
  const Item* before = nullptr;
  for (const Item& item : items) {
    // Equal keys were told apart by nothing, so that their words are equal too.
    const bool again = before && before->word == item.word && before->put.key() == item.put.key();
    if (again) {
      all.back() = item.put;
    } else {
      all.push_back(item.put);
    }
    before = &item;
  }
  return all;
}

}  // namespace taizhang::projection
