// Row versions, digested and compared.
#include "platform/projection/row_digests.h"

#include <algorithm>

namespace taizhang::projection {

absl::StatusOr<RowDigestsFound> row_digests(const Store& store, const RowDigestsWish& wish) {
  const std::string rows = store_key::of_ledger(store_key::kRow, wish.ledger);
  RowDigestsFound found;
  found.next_after_key = wish.after_key;
  const auto cursor = store.cursor(CursorKind::kOrder);
  cursor->seek(std::max(rows, wish.after_key));
  if (cursor->valid() && cursor->key() == wish.after_key) cursor->next();
  RowDigest open;
  const auto close = [&] {
    if (open.versions > 0) found.digests.push_back(std::move(open));
    open = RowDigest();
  };
  int64_t read = 0;
  for (;; cursor->next()) {
    if (!cursor->valid() || !cursor->key().starts_with(rows) ||
        (!wish.up_to_key.empty() && cursor->key() > wish.up_to_key)) {
      found.end = true;
      break;
    }
    if (read++ == wish.versions_read_max || found.digests.size() == wish.digests_max) break;
    found.next_after_key = cursor->key();
    if (store_key::version_of(cursor->key()) > wish.seq) continue;
    open.last_key = cursor->key();
    open.digest.add(cursor->key(), cursor->value());
    if (++open.versions == wish.versions_per_digest) close();
  }
  close();
  if (!cursor->status().ok()) return cursor->status();
  return found;
}

RowComparison::RowComparison(const Store& store, std::string_view ledger, int64_t seq)
    : rows_(store_key::of_ledger(store_key::kRow, ledger)),
      seq_(seq),
      cursor_(store.cursor(CursorKind::kOrder)) {
  cursor_->seek(rows_);
}

bool RowComparison::at_row() {
  while (cursor_->valid() && cursor_->key().starts_with(rows_) &&
         store_key::version_of(cursor_->key()) > seq_)
    cursor_->next();
  return cursor_->valid() && cursor_->key().starts_with(rows_);
}

bool RowComparison::same(const RowDigest& there) {
  RowDigest here;
  for (; at_row() && cursor_->key() <= there.last_key; cursor_->next()) {
    here.digest.add(cursor_->key(), cursor_->value());
    ++here.versions;
  }
  if (here.versions != there.versions || !(here.digest == there.digest)) {
    cursor_->seek(std::max(rows_, same_up_to_));
    if (!same_up_to_.empty() && at_row() && cursor_->key() == same_up_to_) cursor_->next();
    return false;
  }
  versions_ += here.versions;
  digest_.add(here.digest);
  same_up_to_ = there.last_key;
  return true;
}

RowDifference RowComparison::compare(const RowDigest& there) {
  if (!at_row() || cursor_->key() > there.last_key)
    return {RowDifference::Kind::kOnlyThere, there.last_key};
  if (cursor_->key() < there.last_key)
    return {RowDifference::Kind::kOnlyHere, std::string(cursor_->key())};
  AdditiveDigest here;
  here.add(cursor_->key(), cursor_->value());
  if (!(here == there.digest)) return {RowDifference::Kind::kDifferent, there.last_key};
  ++versions_;
  digest_.add(here);
  same_up_to_ = there.last_key;
  cursor_->next();
  return {};
}

RowDifference RowComparison::end(std::string_view up_to_key) {
  if (!at_row() || (!up_to_key.empty() && cursor_->key() > up_to_key)) return {};
  return {RowDifference::Kind::kOnlyHere, std::string(cursor_->key())};
}

}  // namespace taizhang::projection
