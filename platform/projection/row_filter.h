// Which rows a fold from nothing has written: a row that was never written need not be looked for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace taizhang::projection {

// A Bloom filter that grows: filled, it goes on in another one, kGrowth times as large, while a
// bound on its bytes allows. Beyond that, the more rows it holds, the more it takes for known that
// are not, which costs a look into the files and no more. Not thread-safe.
class RowFilter {
 public:
  explicit RowFilter(int64_t bytes_max);
  // By a hash of 64 mixed bits of the row's key.
  void add(uint64_t row_hash);
  // False: was never added.
  bool may_hold(uint64_t row_hash) const;
  int64_t bytes() const { return bytes_; }

 private:
  // All bits of a row stand in one line of the processor's cache.
  static constexpr size_t kLineWords = 8;
  // So few that a row is sought in three of 64 MiB together.
  static constexpr int64_t kGrowth = 8;

  struct Part {
    std::vector<uint64_t> words;
    int64_t rows_left = 0;  // until it is full

    int64_t bytes() const { return static_cast<int64_t>(words.size() * sizeof(uint64_t)); }
    // Index of the first word of the row's line.
    size_t line_of(uint64_t row_hash) const;
  };
  void begin_part(int64_t bytes);

  const int64_t bytes_max_;
  int64_t bytes_ = 0;
  std::vector<Part> parts_;  // smallest first
};

}  // namespace taizhang::projection
