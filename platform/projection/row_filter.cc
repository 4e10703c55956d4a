// A blocked Bloom filter.
#include "platform/projection/row_filter.h"

#include <algorithm>
#include <bit>

namespace taizhang::projection {
namespace {

constexpr int kBitsPerRow = 6;
// 9 bits of the hash name one of a line's 512 bits.
constexpr int kBitNumberBits = 9;

}  // namespace

RowFilter::RowFilter(int64_t bytes) {
  const size_t lines =
      std::bit_floor(std::max<size_t>(static_cast<size_t>(bytes) / (kLineWords * 8), 1));
  words_.resize(lines * kLineWords);
  line_mask_ = lines - 1;
}

RowFilter::Place RowFilter::place_of(uint64_t hash) const {
  // The bits come from a second mixing, so that rows of one line have different ones.
  constexpr uint64_t kOdd = 0x9e3779b97f4a7c15;
  const uint64_t mixed = (hash ^ hash >> 29) * kOdd;
  return {static_cast<size_t>(hash) & line_mask_, mixed ^ mixed >> 32};
}

void RowFilter::add(uint64_t row_hash) {
  auto [line, bits] = place_of(row_hash);
  uint64_t* words = &words_[line * kLineWords];
  for (int i = 0; i < kBitsPerRow; ++i, bits >>= kBitNumberBits)
    words[(bits >> 6) % kLineWords] |= uint64_t{1} << (bits & 63);
}

bool RowFilter::may_hold(uint64_t row_hash) const {
  auto [line, bits] = place_of(row_hash);
  const uint64_t* words = &words_[line * kLineWords];
  for (int i = 0; i < kBitsPerRow; ++i, bits >>= kBitNumberBits) {
    if (!(words[(bits >> 6) % kLineWords] >> (bits & 63) & 1)) return false;
  }
  return true;
}

}  // namespace taizhang::projection
