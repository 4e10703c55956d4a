// Digests of stretches of a view's row versions, in key order: what two folds of the same events
// are compared by, without either telling its rows.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "platform/projection/digest.h"
#include "platform/projection/store.h"

namespace taizhang::projection {

struct RowDigest {
  std::string last_key;  // of the last version in it
  int64_t versions = 0;
  AdditiveDigest digest;
};

struct RowDigestsWish {
  std::string ledger;
  int64_t seq = 0;  // versions written by later events do not count
  // Only keys above `after_key` and not above `up_to_key`; empty: from the first, to the last.
  std::string after_key;
  std::string up_to_key;
  int64_t versions_per_digest = 0;
  size_t digests_max = 0;
  int64_t versions_read_max = 0;
};

struct RowDigestsFound {
  std::vector<RowDigest> digests;
  std::string next_after_key;  // go on behind it
  bool end = false;            // nothing follows
};

// DATA_LOSS: the files are damaged.
absl::StatusOr<RowDigestsFound> row_digests(const Store& store, const RowDigestsWish& wish);

// What is found where two folds differ first.
struct RowDifference {
  enum class Kind { kNone, kOnlyHere, kOnlyThere, kDifferent };
  Kind kind = Kind::kNone;
  std::string key;  // of the row version
};

// Walks the row versions of one ledger beside digests that somebody else made of his.
class RowComparison {
 public:
  RowComparison(const Store& store, std::string_view ledger, int64_t seq);

  // The next stretch of the other side. True: here stands the same up to its last key. False:
  // something in it differs; ask for its versions one by one, behind same_up_to().
  bool same(const RowDigest& there);
  // Key up to which all was the same; empty: nothing was compared.
  const std::string& same_up_to() const { return same_up_to_; }
  // One version of the other side, in order.
  RowDifference compare(const RowDigest& there);
  // The other side has no more (up to `up_to_key`, when it is not empty).
  RowDifference end(std::string_view up_to_key);

  // Of what was the same, and of everything compared one by one.
  int64_t versions() const { return versions_; }
  const AdditiveDigest& digest() const { return digest_; }
  // Not OK: the files here are damaged.
  absl::Status status() const { return cursor_->status(); }

 private:
  bool at_row();

  const std::string rows_;  // beginning of every key
  const int64_t seq_;
  std::unique_ptr<StoreCursor> cursor_;
  std::string same_up_to_;
  int64_t versions_ = 0;
  AdditiveDigest digest_;
};

}  // namespace taizhang::projection
