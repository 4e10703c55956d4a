// Fixed-width little-endian integers in stored bytes.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>

namespace taizhang {

static_assert(std::endian::native == std::endian::little,
              "stored integers are little-endian and are copied as they stand");

// `at` may be unaligned.
template <typename Int>
Int load_le(const void* at) {
  Int value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

template <typename Int>
void store_le(void* at, Int value) {
  std::memcpy(at, &value, sizeof value);
}

template <typename Int>
void append_le(std::string& out, Int value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

}  // namespace taizhang
