// Encoding and decoding of segment files.
#include "platform/journal/segments/format.h"

#include <cstdio>
#include <cstring>

#include "platform/base/bytes.h"
#include "platform/base/crc32c.h"

namespace taizhang::journal::segments {
namespace {

constexpr std::string_view kSegmentMagic = "TZSEGMT1";
constexpr std::string_view kFooterMagic = "TZFOOTR1";
constexpr uint32_t kSegmentFormat = 1;

constexpr size_t kHeaderCrcAt = 8;
constexpr size_t kHeaderFormatAt = 12;
constexpr size_t kHeaderUuidAt = 16;
constexpr size_t kHeaderIdAt = 32;
constexpr size_t kHeaderSaltAt = 40;
constexpr size_t kHeaderBaseAt = 56;
constexpr size_t kHeaderSizeAt = 64;
constexpr size_t kHeaderUsedBytes = 72;

constexpr size_t kFrameCrcAt = 0;
constexpr size_t kFrameLengthAt = 4;
constexpr size_t kFrameTypeAt = 8;
constexpr size_t kFrameZeroAt = 9;
constexpr size_t kFramePositionAt = 16;
constexpr size_t kFrameNAt = 24;
constexpr size_t kFrameDurableAt = 32;

constexpr size_t kFooterCrcAt = 8;
constexpr size_t kFooterSummedAt = 12;
constexpr size_t kFooterIdAt = 16;
constexpr size_t kFooterEndAt = 24;
constexpr size_t kFooterFirstNAt = 32;
constexpr size_t kFooterNextNAt = 40;
constexpr size_t kFooterDigestAt = 48;

int64_t padded(int64_t bytes) {
  return (bytes + kFrameAlignment - 1) / kFrameAlignment * kFrameAlignment;
}

}  // namespace

uint32_t SegmentHeader::seed() const {
  std::string bytes(bytes_of(uuid));
  append_le<uint64_t>(bytes, id);
  bytes += bytes_of(salt);
  return crc32c(0, bytes);
}

std::string encode_segment_header(const SegmentHeader& header) {
  std::string out(kFramesAt, '\0');
  std::memcpy(out.data(), kSegmentMagic.data(), kSegmentMagic.size());
  store_le<uint32_t>(out.data() + kHeaderFormatAt, kSegmentFormat);
  std::memcpy(out.data() + kHeaderUuidAt, header.uuid.data(), kIdBytes);
  store_le<uint64_t>(out.data() + kHeaderIdAt, header.id);
  std::memcpy(out.data() + kHeaderSaltAt, header.salt.data(), kIdBytes);
  store_le<int64_t>(out.data() + kHeaderBaseAt, header.base);
  store_le<int64_t>(out.data() + kHeaderSizeAt, header.bytes);
  const std::string_view summed = std::string_view(out).substr(kHeaderFormatAt);
  store_le<uint32_t>(out.data() + kHeaderCrcAt, crc32c(0, summed));
  return out;
}

absl::StatusOr<SegmentHeader> decode_segment_header(std::string_view bytes) {
  if (bytes.size() < static_cast<size_t>(kFramesAt))
    return absl::DataLossError("the segment header is cut short");
  bytes = bytes.substr(0, kFramesAt);
  if (!bytes.starts_with(kSegmentMagic)) return absl::DataLossError("no segment header");
  // Of the whole block: also what is zero today must stay zero, until a newer format gives it a
  // meaning.
  if (load_le<uint32_t>(bytes.data() + kHeaderCrcAt) != crc32c(0, bytes.substr(kHeaderFormatAt))) {
    return absl::DataLossError("the segment header is damaged");
  }
  const auto format = load_le<uint32_t>(bytes.data() + kHeaderFormatAt);
  if (format != kSegmentFormat) {
    return absl::UnimplementedError("segment format " + std::to_string(format) +
                                    " is newer than this program");
  }
  SegmentHeader header;
  header.uuid = id_of(bytes.substr(kHeaderUuidAt));
  header.id = load_le<uint64_t>(bytes.data() + kHeaderIdAt);
  header.salt = id_of(bytes.substr(kHeaderSaltAt));
  header.base = load_le<int64_t>(bytes.data() + kHeaderBaseAt);
  header.bytes = load_le<int64_t>(bytes.data() + kHeaderSizeAt);
  return header;
}

int64_t frame_bytes(size_t payload_bytes) {
  return padded(kFrameHeaderBytes + static_cast<int64_t>(payload_bytes));
}

void begin_frame(std::string& out, uint32_t seed, FrameType type, int64_t position, int64_t n,
                 std::string_view payload) {
  const size_t at = out.size();
  char header[kFrameHeaderBytes] = {};
  store_le<uint32_t>(header + kFrameLengthAt,
                     static_cast<uint32_t>(kFrameHeaderBytes + payload.size()));
  store_le<uint8_t>(header + kFrameTypeAt, static_cast<uint8_t>(type));
  store_le<int64_t>(header + kFramePositionAt, position);
  store_le<int64_t>(header + kFrameNAt, n);
  out.append(header, sizeof header);
  out.append(payload);
  out.append(static_cast<size_t>(frame_bytes(payload.size())) - sizeof header - payload.size(),
             '\0');
  const std::string_view summed = std::string_view(out).substr(at + kFrameHeaderBytes);
  store_le<uint32_t>(out.data() + at + kFrameCrcAt, crc32c(seed, summed));
}

void finish_frame(char* frame, int64_t durable_upto) {
  store_le<int64_t>(frame + kFrameDurableAt, durable_upto);
  const uint32_t payload_crc = load_le<uint32_t>(frame + kFrameCrcAt);
  const std::string_view summed(frame + kFrameLengthAt, kFrameHeaderBytes - kFrameLengthAt);
  store_le<uint32_t>(frame + kFrameCrcAt, crc32c(payload_crc, summed));
}

int64_t frame_bytes_at(const char* frame) {
  return padded(load_le<uint32_t>(frame + kFrameLengthAt));
}

FrameFault decode_frame(const SegmentHeader& header, uint32_t seed, std::string_view bytes,
                        int64_t bytes_at, int64_t at, Frame& frame) {
  if (at + kFrameHeaderBytes > header.frames_end()) return FrameFault::kEnd;
  const std::string_view rest = bytes.substr(static_cast<size_t>(at - bytes_at));
  if (rest.size() < static_cast<size_t>(kFrameHeaderBytes)) return FrameFault::kShort;
  const char* start = rest.data();
  const int64_t length = load_le<uint32_t>(start + kFrameLengthAt);
  if (length == 0) {
    constexpr char kZeros[kFrameHeaderBytes] = {};
    return std::memcmp(start, kZeros, kFrameHeaderBytes) == 0 ? FrameFault::kEnd
                                                              : FrameFault::kDamaged;
  }
  frame.bytes = padded(length);
  frame.position = load_le<int64_t>(start + kFramePositionAt);
  if (length < kFrameHeaderBytes || at + frame.bytes > header.frames_end())
    return FrameFault::kDamaged;
  if (frame.position != header.base + at) return FrameFault::kDamaged;
  if (rest.size() < static_cast<size_t>(frame.bytes)) return FrameFault::kShort;
  const std::string_view body =
      rest.substr(kFrameHeaderBytes, static_cast<size_t>(frame.bytes - kFrameHeaderBytes));
  const std::string_view head = rest.substr(kFrameLengthAt, kFrameHeaderBytes - kFrameLengthAt);
  if (crc32c(crc32c(seed, body), head) != load_le<uint32_t>(start + kFrameCrcAt))
    return FrameFault::kDamaged;
  for (size_t i = kFrameZeroAt; i < kFramePositionAt; ++i) {
    if (start[i] != 0) return FrameFault::kDamaged;
  }
  const auto type = load_le<uint8_t>(start + kFrameTypeAt);
  if (type != static_cast<uint8_t>(FrameType::kRecord) &&
      type != static_cast<uint8_t>(FrameType::kMark)) {
    return FrameFault::kDamaged;
  }
  frame.type = static_cast<FrameType>(type);
  frame.n = load_le<int64_t>(start + kFrameNAt);
  frame.durable_upto = load_le<int64_t>(start + kFrameDurableAt);
  // A frame cannot know of a sync that comes after it.
  if (frame.durable_upto > frame.position) return FrameFault::kDamaged;
  frame.payload = body.substr(0, static_cast<size_t>(length - kFrameHeaderBytes));
  return FrameFault::kNone;
}

std::string encode_footer(const SegmentHeader& header, const Footer& footer) {
  std::string out(kFooterBytes, '\0');
  std::memcpy(out.data(), kFooterMagic.data(), kFooterMagic.size());
  store_le<uint64_t>(out.data() + kFooterIdAt, header.id);
  store_le<int64_t>(out.data() + kFooterEndAt, footer.frames_end);
  store_le<int64_t>(out.data() + kFooterFirstNAt, footer.first_n);
  store_le<int64_t>(out.data() + kFooterNextNAt, footer.next_n);
  std::memcpy(out.data() + kFooterDigestAt, footer.digest.data(), footer.digest.size());
  store_le<uint32_t>(out.data() + kFooterCrcAt,
                     crc32c(header.seed(), std::string_view(out).substr(kFooterSummedAt)));
  return out;
}

std::optional<Footer> decode_footer(const SegmentHeader& header, std::string_view bytes) {
  if (bytes.size() != static_cast<size_t>(kFooterBytes) || !bytes.starts_with(kFooterMagic))
    return std::nullopt;
  if (load_le<uint32_t>(bytes.data() + kFooterCrcAt) !=
      crc32c(header.seed(), bytes.substr(kFooterSummedAt))) {
    return std::nullopt;
  }
  if (load_le<uint64_t>(bytes.data() + kFooterIdAt) != header.id) return std::nullopt;
  Footer footer;
  footer.frames_end = load_le<int64_t>(bytes.data() + kFooterEndAt);
  footer.first_n = load_le<int64_t>(bytes.data() + kFooterFirstNAt);
  footer.next_n = load_le<int64_t>(bytes.data() + kFooterNextNAt);
  std::memcpy(footer.digest.data(), bytes.data() + kFooterDigestAt, footer.digest.size());
  return footer;
}

std::string segment_name(uint64_t id) {
  char name[32];
  snprintf(name, sizeof name, "%08llu.segment", static_cast<unsigned long long>(id));
  return name;
}

std::optional<uint64_t> parse_segment_name(std::string_view name) {
  uint64_t id = 0;
  size_t digits = 0;
  while (digits < name.size() && name[digits] >= '0' && name[digits] <= '9' && digits < 19) {
    id = id * 10 + static_cast<uint64_t>(name[digits++] - '0');
  }
  if (id == 0 || name != segment_name(id)) return std::nullopt;
  return id;
}

}  // namespace taizhang::journal::segments
