// The bytes of a segment file: header, frames, footer. Grammar: docs/formats.md.
//
// A position is a byte's place in the whole journal: the base of its segment plus its place in the
// file.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "platform/base/sha256.h"
#include "platform/journal/record.h"

namespace taizhang::journal::segments {

// The header has a block of its own, so that no write of frames can ever tear it.
inline constexpr int64_t kFramesAt = 4096;
inline constexpr int64_t kFrameHeaderBytes = 40;
inline constexpr int64_t kFrameAlignment = 8;
// The footer has the last sector of the file for itself.
inline constexpr int64_t kFooterBytes = 512;
inline constexpr int64_t kSegmentBytesMin = 8192;

struct SegmentHeader {
  Id128 uuid{};  // of the journal's store
  uint64_t id = 0;
  Id128 salt{};  // random and told to nobody: makes a frame inside somebody's payload impossible
  int64_t base = 0;
  int64_t bytes = 0;  // of the whole file

  int64_t end() const { return base + bytes; }
  int64_t frames_end() const { return bytes - kFooterBytes; }
  // Where every checksum in this segment starts from.
  uint32_t seed() const;
};

// kFramesAt bytes.
std::string encode_segment_header(const SegmentHeader& header);
// DATA_LOSS: not a whole header of this format. UNIMPLEMENTED: a newer format.
absl::StatusOr<SegmentHeader> decode_segment_header(std::string_view bytes);

enum class FrameType : uint8_t { kRecord = 1, kMark = 2 };

struct Frame {
  FrameType type = FrameType::kRecord;
  int64_t position = 0;
  int64_t n = 0;             // offset of this record; of a mark: of the next record
  int64_t durable_upto = 0;  // everything below was known synced when this was written
  std::string_view payload;
  int64_t bytes = 0;  // with header and padding
};

// Header, payload and padding.
int64_t frame_bytes(size_t payload_bytes);

// Appends a frame whose durable_upto is not known yet; finish_frame() completes it before it is
// written. Splitting the two lets the payload be summed when it arrives, and leaves 36 bytes a
// frame to the thread that syncs.
void begin_frame(std::string& out, uint32_t seed, FrameType type, int64_t position, int64_t n,
                 std::string_view payload);
void finish_frame(char* frame, int64_t durable_upto);
// Of a begun or finished frame.
int64_t frame_bytes_at(const char* frame);

enum class FrameFault {
  kNone,
  kEnd,      // an all-zero header: nothing was written here
  kDamaged,  // anything else that is not a frame that belongs exactly here
  kShort,    // the frame goes on behind the bytes given
};

// The frame at `at` of a segment's bytes, which begin at file place `bytes_at`.
FrameFault decode_frame(const SegmentHeader& header, uint32_t seed, std::string_view bytes,
                        int64_t bytes_at, int64_t at, Frame& frame);

struct Footer {
  int64_t frames_end = 0;  // place in the file
  int64_t first_n = 0;
  int64_t next_n = 0;
  Sha256Digest digest{};  // SHA-256 of the file's first frames_end bytes
};

// kFooterBytes bytes.
std::string encode_footer(const SegmentHeader& header, const Footer& footer);
// Nothing: these bytes are not this segment's footer.
std::optional<Footer> decode_footer(const SegmentHeader& header, std::string_view bytes);

// "00000001.segment".
std::string segment_name(uint64_t id);
// Nothing: not the name of a segment.
std::optional<uint64_t> parse_segment_name(std::string_view name);

}  // namespace taizhang::journal::segments
