// CRC-32C (Castagnoli), as in RFC 3720 appendix B.4. Thread-safe.
#pragma once

#include <cstdint>
#include <string_view>

namespace taizhang {

// Of `bytes` after what gave `crc` (0: nothing), so that a sum can be built piece by piece.
uint32_t crc32c(uint32_t crc, std::string_view bytes);

// The path without the processor's instruction; the same values. For tests.
uint32_t crc32c_portable(uint32_t crc, std::string_view bytes);

}  // namespace taizhang
