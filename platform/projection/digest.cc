// Sum of SHA-256 values.
#include "platform/projection/digest.h"

#include "platform/base/bytes.h"
#include "platform/base/sha256.h"

namespace taizhang::projection {

void AdditiveDigest::add(std::string_view key, std::string_view value) {
  // In one piece: copying it costs less than hashing three. Rows are small, a large one gives its
  // memory back.
  constexpr size_t kKeptBytes = 64 << 10;
  thread_local std::string whole;
  whole.clear();
  append_le(whole, static_cast<uint32_t>(key.size()));
  whole += key;
  whole += value;
  AdditiveDigest member;
  member.parse(bytes_of(sha256(whole)));
  add(member);
  if (whole.capacity() > kKeptBytes) whole = {};
}

void AdditiveDigest::add(const AdditiveDigest& other) {
  unsigned __int128 carry = 0;
  for (size_t i = 0; i < words_.size(); ++i) {
    carry += static_cast<unsigned __int128>(words_[i]) + other.words_[i];
    words_[i] = static_cast<uint64_t>(carry);
    carry >>= 64;
  }
}

std::string AdditiveDigest::bytes() const {
  std::string out;
  for (const uint64_t word : words_) append_le(out, word);
  return out;
}

bool AdditiveDigest::parse(std::string_view bytes) {
  if (bytes.size() != kBytes) return false;
  for (size_t i = 0; i < words_.size(); ++i) words_[i] = load_le<uint64_t>(bytes.data() + 8 * i);
  return true;
}

std::string AdditiveDigest::hex() const { return taizhang::hex(bytes()); }

}  // namespace taizhang::projection
