// The seqs that stand under several keys of an index, merged in order.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "platform/projection/snapshot.h"

namespace taizhang::ledger_view {

// Seqs in walking order: places grow by one with every seq, forward or backward.
struct Way {
  int64_t low = 1;  // inclusive, both
  int64_t high = 0;
  bool backward = false;

  int64_t place(int64_t seq) const { return backward ? -seq : seq; }
  int64_t seq(int64_t place) const { return backward ? -place : place; }
  int64_t first() const { return backward ? -high : low; }
  int64_t last() const { return backward ? -low : high; }
};

// A key is read in short stretches, long ones while it is read on without leaps, so the cost is
// that of what is found, however much stands beside it.
class IndexedSeqs {
 public:
  // `type`: a table whose last key field is a seq; `keys`: of what stands before it. `rows` must
  // outlive it.
  IndexedSeqs(SnapshotRows& rows, const RowType& type, std::vector<std::string> keys,
              const Way& way);

  static constexpr int64_t kNone = std::numeric_limits<int64_t>::max();
  // The first place at or behind `place` that has a seq. `place` never falls between calls.
  int64_t at_or_behind(int64_t place);

 private:
  struct Key {
    std::string prefix;
    std::vector<int64_t> stretch;  // places
    size_t next = 0;
    int64_t known_until = 0;  // every place of this key up to here is or was in the stretch
    size_t size = 0;          // of the stretch that is read next
  };
  using Head = std::pair<int64_t, size_t>;  // place, key

  int64_t at_or_behind(Key& key, int64_t place);
  void read(Key& key, int64_t from);

  const Way way_;
  const std::unique_ptr<RowCursor> cursor_;
  std::vector<Key> keys_;
  std::vector<Head> heads_;  // a heap, the nearest first
  std::string target_;
};

}  // namespace taizhang::ledger_view
