// Which rows a fold from nothing has written: a row that was never written need not be looked for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace taizhang::projection {

// A Bloom filter of a fixed size: the more rows it holds, the more it takes for known that are not,
// which costs a look into the files and no more. Not thread-safe.
class RowFilter {
 public:
  // Rounded down to a power of two.
  explicit RowFilter(int64_t bytes);
  // By a hash of 64 mixed bits of the row's key.
  void add(uint64_t row_hash);
  // False: was never added.
  bool may_hold(uint64_t row_hash) const;

 private:
  // All bits of a row stand in one line of the processor's cache.
  static constexpr size_t kLineWords = 8;
  struct Place {
    size_t line;
    uint64_t bits;
  };
  Place place_of(uint64_t row_hash) const;

  std::vector<uint64_t> words_;
  size_t line_mask_;
};

}  // namespace taizhang::projection
