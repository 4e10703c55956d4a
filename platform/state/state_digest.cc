// Additive digest of rows.
#include "platform/state/state_digest.h"

#include <string>

#include "platform/base/bytes.h"
#include "platform/base/sha256.h"

namespace taizhang {
namespace {

uint64_t word(const std::array<uint8_t, 32>& bytes, size_t index) {
  return load_le<uint64_t>(reinterpret_cast<const char*>(bytes.data()) + index * 8);
}

}  // namespace

// Length before key and value, so that no two rows give the same bytes.
RowHash row_hash(std::string_view key, std::string_view value) {
  Sha256 hash;
  hash.add(std::to_string(key.size()) + ":");
  hash.add(key);
  hash.add(value);
  return hash.digest();
}

DigestSum::DigestSum(const StateDigest& bytes) {
  for (size_t i = 0; i < words_.size(); ++i) words_[i] = word(bytes, i);
}

void DigestSum::add(const RowHash& row) {
  unsigned __int128 carry = 0;
  for (size_t i = 0; i < words_.size(); ++i) {
    carry += static_cast<unsigned __int128>(words_[i]) + word(row, i);
    words_[i] = static_cast<uint64_t>(carry);
    carry >>= 64;
  }
}

void DigestSum::subtract(const RowHash& row) {
  uint64_t borrow = 0;
  for (size_t i = 0; i < words_.size(); ++i) {
    const unsigned __int128 wanted = static_cast<unsigned __int128>(word(row, i)) + borrow;
    borrow = words_[i] < wanted ? 1 : 0;
    words_[i] -= static_cast<uint64_t>(wanted);
  }
}

StateDigest DigestSum::bytes() const {
  StateDigest out{};
  for (size_t i = 0; i < words_.size(); ++i)
    store_le<uint64_t>(reinterpret_cast<char*>(out.data()) + i * 8, words_[i]);
  return out;
}

}  // namespace taizhang
