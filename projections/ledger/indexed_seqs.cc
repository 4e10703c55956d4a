// Merges short stretches of index keys.
#include "projections/ledger/indexed_seqs.h"

#include <algorithm>
#include <functional>
#include <string_view>

#include "platform/state/key.h"

namespace taizhang::ledger_view {
namespace {

constexpr size_t kStretchMin = 4;
constexpr size_t kStretchMax = 128;

}  // namespace

IndexedSeqs::IndexedSeqs(SnapshotRows& rows, const RowType& type, std::vector<std::string> keys,
                         const Way& way)
    : way_(way), cursor_(rows.cursor(type)) {
  std::sort(keys.begin(), keys.end());
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  for (auto& prefix : keys) {
    Key& key = keys_.emplace_back();
    key.prefix = std::move(prefix);
    key.known_until = way_.first() - 1;
    key.size = kStretchMin;
    heads_.emplace_back(key.known_until, heads_.size());
  }
}

int64_t IndexedSeqs::at_or_behind(int64_t place) {
  while (!heads_.empty() && heads_.front().first < place) {
    std::pop_heap(heads_.begin(), heads_.end(), std::greater<>());
    const size_t index = heads_.back().second;
    heads_.back().first = at_or_behind(keys_[index], place);
    if (heads_.back().first == kNone) {
      heads_.pop_back();
    } else {
      std::push_heap(heads_.begin(), heads_.end(), std::greater<>());
    }
  }
  return heads_.empty() ? kNone : heads_.front().first;
}

int64_t IndexedSeqs::at_or_behind(Key& key, int64_t place) {
  for (;;) {
    const auto found = std::lower_bound(key.stretch.begin() + static_cast<std::ptrdiff_t>(key.next),
                                        key.stretch.end(), place);
    key.next = static_cast<size_t>(found - key.stretch.begin());
    if (found != key.stretch.end()) return *found;
    if (key.known_until >= way_.last()) return kNone;
    const bool leaps = place > key.known_until + 1;
    key.size = leaps ? kStretchMin : std::min(key.size * 2, kStretchMax);
    read(key, std::max(place, key.known_until + 1));
  }
}

void IndexedSeqs::read(Key& key, int64_t from) {
  key.stretch.clear();
  key.next = 0;
  key.known_until = way_.last();
  target_ = key.prefix;
  append_key_number(target_, way_.backward ? way_.seq(from) + 1 : from);
  way_.backward ? cursor_->seek_before(target_) : cursor_->seek(target_);
  while (cursor_->valid() && cursor_->key().starts_with(key.prefix)) {
    std::string_view rest = cursor_->key().substr(key.prefix.size());
    int64_t seq = 0;
    if (!take_key_number(rest, seq)) return;
    const int64_t place = way_.place(seq);
    if (place > way_.last()) return;
    key.stretch.push_back(place);
    if (key.stretch.size() == key.size) {
      key.known_until = place;
      return;
    }
    if (way_.backward) {
      target_ = cursor_->key();
      cursor_->seek_before(target_);
    } else {
      cursor_->next();
    }
  }
}

}  // namespace taizhang::ledger_view
