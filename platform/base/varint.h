// Takes apart the numbers of variable length of serialised messages.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace taizhang {

constexpr size_t kVarintBytesMax = 10;

// Takes a varint of at most `bytes_max` bytes, 1 to kVarintBytesMax, off the front; false: there is
// none.
inline bool take_varint(std::string_view& bytes, uint64_t& value,
                        size_t bytes_max = kVarintBytesMax) {
  if (!bytes.empty() && static_cast<uint8_t>(bytes[0]) < 0x80) {  // nearly all
    value = static_cast<uint8_t>(bytes[0]);
    bytes.remove_prefix(1);
    return true;
  }
  value = 0;
  for (size_t i = 0; i < bytes.size() && i < bytes_max; ++i) {
    const auto byte = static_cast<uint8_t>(bytes[i]);
    value |= uint64_t{byte & 0x7fu} << (7 * i);
    if (byte < 0x80) {
      bytes.remove_prefix(i + 1);
      return true;
    }
  }
  return false;
}

}  // namespace taizhang
