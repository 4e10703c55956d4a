// SHA-256. Thread-safe: each object and call stands alone.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace taizhang {

inline constexpr size_t kSha256Bytes = 32;
using Sha256Digest = std::array<uint8_t, kSha256Bytes>;

// Of all parts, in order.
Sha256Digest sha256(std::string_view part);
Sha256Digest sha256(std::string_view part1, std::string_view part2);

inline std::string_view bytes_of(const Sha256Digest& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

// A digest of what is added piece by piece.
class Sha256 {
 public:
  Sha256();
  void add(std::string_view bytes);
  // Of everything added so far; more may be added afterwards.
  Sha256Digest digest() const;

 private:
  // SHA256_CTX of OpenSSL (112 bytes), kept out of this header.
  alignas(8) std::array<uint8_t, 128> context_;
};

// Lower-case hexadecimal.
std::string hex(std::string_view bytes);

}  // namespace taizhang
