// A digest of a set: the sum of its members' SHA-256 modulo 2^256, so that members may be added in
// any order.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace taizhang::projection {

class AdditiveDigest {
 public:
  static constexpr size_t kBytes = 32;

  // A member is the pair; where the key ends matters.
  void add(std::string_view key, std::string_view value);
  void add(const AdditiveDigest& other);
  bool operator==(const AdditiveDigest&) const = default;

  // 32 bytes, and back. False: not 32 bytes.
  std::string bytes() const;
  bool parse(std::string_view bytes);
  std::string hex() const;

 private:
  std::array<uint64_t, 4> words_{};  // least significant first
};

}  // namespace taizhang::projection
