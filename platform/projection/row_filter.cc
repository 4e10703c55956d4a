// A blocked Bloom filter in parts.
#include "platform/projection/row_filter.h"

#include <algorithm>

namespace taizhang::projection {
namespace {

constexpr int kBitsSetPerRow = 7;
// With which one row in several hundred is taken for another.
constexpr int64_t kBitsPerRow = 16;
// 9 bits of the hash name one of a line's 512 bits.
constexpr int kBitNumberBits = 9;
constexpr int64_t kLineBytes = 64;
constexpr int64_t kFirstPartBytes = int64_t{1} << 20;

// The bits come from a second mixing, so that rows of one line have different ones.
uint64_t bits_of(uint64_t hash) {
  constexpr uint64_t kOdd = 0x9e3779b97f4a7c15;
  const uint64_t mixed = (hash ^ hash >> 29) * kOdd;
  return mixed ^ mixed >> 32;
}

}  // namespace

RowFilter::RowFilter(int64_t bytes_max) : bytes_max_(bytes_max) {
  begin_part(std::min(bytes_max, kFirstPartBytes));
}

void RowFilter::begin_part(int64_t bytes) {
  const auto lines = static_cast<size_t>(std::max<int64_t>(bytes / kLineBytes, 1));
  Part& part = parts_.emplace_back();
  part.words.resize(lines * kLineWords);
  part.rows_left = part.bytes() * 8 / kBitsPerRow;
  bytes_ += part.bytes();
}

size_t RowFilter::Part::line_of(uint64_t hash) const {
  const uint64_t lines = words.size() / kLineWords;
  return ((hash >> 32) * lines >> 32) * kLineWords;
}

void RowFilter::add(uint64_t hash) {
  if (may_hold(hash)) return;
  if (parts_.back().rows_left <= 0) {
    const int64_t last_bytes = parts_.back().bytes();
    const int64_t left_bytes = bytes_max_ - bytes_;
    // Every part is one more to look in: what the next one would leave over goes into it, unless
    // that makes a larger one itself.
    const int64_t grown_bytes = kGrowth * last_bytes;
    const int64_t next_bytes = left_bytes < 2 * grown_bytes ? left_bytes : grown_bytes;
    if (next_bytes >= kLineBytes) begin_part(next_bytes);
  }
  Part& part = parts_.back();
  --part.rows_left;
  uint64_t* words = &part.words[part.line_of(hash)];
  uint64_t bits = bits_of(hash);
  for (int i = 0; i < kBitsSetPerRow; ++i, bits >>= kBitNumberBits)
    words[(bits >> 6) % kLineWords] |= uint64_t{1} << (bits & 63);
}

bool RowFilter::may_hold(uint64_t hash) const {
  for (auto part = parts_.rbegin(); part != parts_.rend(); ++part) {
    const uint64_t* words = &part->words[part->line_of(hash)];
    uint64_t bits = bits_of(hash);
    int set = 0;
    for (; set < kBitsSetPerRow; ++set, bits >>= kBitNumberBits) {
      if (!(words[(bits >> 6) % kLineWords] >> (bits & 63) & 1)) break;
    }
    if (set == kBitsSetPerRow) return true;
  }
  return false;
}

}  // namespace taizhang::projection
