// The digest of all rows of a state: the same whatever the order of edits.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace taizhang {

// Sum modulo 2^256 of the SHA-256 of each row.
using StateDigest = std::array<uint8_t, 32>;
// SHA-256 of one row; all zero: no row.
using RowHash = std::array<uint8_t, 32>;

RowHash row_hash(std::string_view key, std::string_view value);

class DigestSum {
 public:
  DigestSum() = default;
  explicit DigestSum(const StateDigest& bytes);
  void add(const RowHash& row);
  void subtract(const RowHash& row);
  StateDigest bytes() const;

 private:
  std::array<uint64_t, 4> words_{};  // the lowest first
};

}  // namespace taizhang
