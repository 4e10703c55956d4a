// Digests from progress rows and from row versions.
#include "platform/projection/view_digest.h"

#include "platform/state/key.h"

namespace taizhang::projection {

absl::StatusOr<std::vector<LedgerDigest>> digests_now(const Store& store, std::string_view ledger) {
  const std::string from = ledger.empty() ? std::string(1, store_key::kLedger)
                                          : store_key::of_ledger(store_key::kLedger, ledger);
  std::vector<LedgerDigest> digests;
  const auto cursor = store.cursor(CursorKind::kOrder);
  for (cursor->seek(from); cursor->valid() && cursor->key().starts_with(from); cursor->next()) {
    std::string_view key = cursor->key().substr(1);
    LedgerDigest found;
    const auto progress = LedgerProgress::parse(cursor->value());
    if (!progress || !take_key_text(key, found.ledger))
      return absl::DataLossError("a progress row cannot be read");
    found.seq = progress->seq;
    found.versions = progress->versions;
    found.digest = progress->digest.hex();
    digests.push_back(std::move(found));
  }
  if (!cursor->status().ok()) return cursor->status();
  if (digests.empty() && !ledger.empty())
    return absl::NotFoundError("the view does not hold ledger " + std::string(ledger));
  return digests;
}

absl::StatusOr<LedgerDigest> digest_at(const Store& store, std::string_view ledger, int64_t seq) {
  auto now = digests_now(store, ledger);
  if (!now.ok()) return now.status();
  if (now->front().seq < seq) {
    return absl::OutOfRangeError("the view holds seq " + std::to_string(now->front().seq) +
                                 " of ledger " + std::string(ledger));
  }
  LedgerDigest found{std::string(ledger), seq, 0, ""};
  AdditiveDigest digest;
  const std::string rows = store_key::of_ledger(store_key::kRow, ledger);
  const auto cursor = store.cursor(CursorKind::kOrder);
  for (cursor->seek(rows); cursor->valid() && cursor->key().starts_with(rows); cursor->next()) {
    if (store_key::version_of(cursor->key()) > seq) continue;
    digest.add(cursor->key(), cursor->value());
    ++found.versions;
  }
  if (!cursor->status().ok()) return cursor->status();
  found.digest = digest.hex();
  return found;
}

}  // namespace taizhang::projection
