// A frame of an export file. Bytes: docs/formats.md, "Export of events".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "platform/base/bytes.h"
#include "platform/base/sha256.h"

namespace taizhang::replay {

inline constexpr std::string_view kExportMagic = "TZEXPRT1";
inline constexpr int32_t kExportFormat = 1;
// Of an export that names events which views pass over.
inline constexpr int32_t kExportFormatSkipped = 2;
// Length, kind, zeros, ordinal; then the digest.
inline constexpr size_t kFrameHeadBytes = 16;
inline constexpr size_t kFrameBytes = kFrameHeadBytes + kSha256Bytes;
// Of a body. A commit is at most a journal record; the schemas are the largest.
inline constexpr size_t kFrameBodyBytesMax = 16 << 20;

enum class FrameKind : uint8_t { kSchemas = 1, kHeader = 2, kCommit = 3, kTrailer = 4 };

inline std::string frame_head(FrameKind kind, uint64_t ordinal, size_t body_bytes) {
  std::string head(kFrameHeadBytes, '\0');
  store_le(head.data(), static_cast<uint32_t>(body_bytes));
  head[4] = static_cast<char>(kind);
  store_le(head.data() + 8, ordinal);
  return head;
}

// What a frame continues: the digest of the frame before it, of the magic for the first.
inline Sha256Digest frame_digest(const Sha256Digest& before, std::string_view head,
                                 std::string_view body) {
  Sha256 digest;
  digest.add(bytes_of(before));
  digest.add(head);
  digest.add(body);
  return digest.digest();
}

}  // namespace taizhang::replay
