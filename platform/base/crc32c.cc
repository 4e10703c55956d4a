// CRC-32C by the SSE4.2 instruction where the processor has it, otherwise by a table.
#include "platform/base/crc32c.h"

#include <array>
#include <cstddef>

#include "platform/base/bytes.h"

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

namespace taizhang {
namespace {

constexpr uint32_t kPolynomialReflected = 0x82f63b78;

constexpr std::array<uint32_t, 256> make_table() {
  std::array<uint32_t, 256> table{};
  for (uint32_t i = 0; i < 256; ++i) {
    uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit)
      value = (value >> 1) ^ ((value & 1) ? kPolynomialReflected : 0);
    table[i] = value;
  }
  return table;
}

constexpr std::array<uint32_t, 256> kTable = make_table();

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) uint32_t crc32c_sse42(uint32_t crc, std::string_view bytes) {
  uint64_t value = static_cast<uint32_t>(~crc);
  const char* at = bytes.data();
  size_t left = bytes.size();
  for (; left >= 8; at += 8, left -= 8) value = _mm_crc32_u64(value, load_le<uint64_t>(at));
  auto narrow = static_cast<uint32_t>(value);
  for (; left > 0; ++at, --left) narrow = _mm_crc32_u8(narrow, static_cast<uint8_t>(*at));
  return ~narrow;
}

const bool kHasSse42 = __builtin_cpu_supports("sse4.2");
#endif

}  // namespace

uint32_t crc32c_portable(uint32_t crc, std::string_view bytes) {
  uint32_t value = ~crc;
  for (const char c : bytes)
    value = (value >> 8) ^ kTable[(value ^ static_cast<uint8_t>(c)) & 0xff];
  return ~value;
}

uint32_t crc32c(uint32_t crc, std::string_view bytes) {
#if defined(__x86_64__)
  if (kHasSse42) return crc32c_sse42(crc, bytes);
#endif
  return crc32c_portable(crc, bytes);
}

}  // namespace taizhang
