// One segment file.
#include "platform/journal/segments/segment.h"

#include <algorithm>

namespace taizhang::journal::segments {
namespace {

constexpr int64_t kZeroPieceBytes = 4 << 20;

// Frames behind damage do not follow on from anything, so they are looked for at every aligned
// place. The position in a frame's header makes nearly every other place fail at once, and the salt
// the rest.
void scan_behind(const SegmentHeader& header, uint32_t seed, std::string_view bytes, int64_t at,
                 SegmentScan& scan) {
  while (at + kFrameHeaderBytes <= header.frames_end()) {
    Frame frame;
    if (decode_frame(header, seed, bytes, 0, at, frame) == FrameFault::kNone) {
      scan.mark_max = std::max(scan.mark_max, frame.durable_upto);
      ++scan.frames_behind;
      at += frame.bytes;
    } else {
      at += kFrameAlignment;
    }
  }
}

}  // namespace

SegmentScan scan(const SegmentHeader& header, std::string_view bytes) {
  SegmentScan scan;
  const uint32_t seed = header.seed();
  int64_t at = kFramesAt;
  while (true) {
    Frame frame;
    const FrameFault fault = decode_frame(header, seed, bytes, 0, at, frame);
    if (fault != FrameFault::kNone) {
      scan.damaged = fault != FrameFault::kEnd;
      break;
    }
    if (scan.frames == 0) {
      scan.first_n = frame.n;
    } else if (frame.n != scan.next_n) {
      scan.damaged = true;
      break;
    }
    scan.next_n = frame.n + (frame.type == FrameType::kRecord ? 1 : 0);
    scan.mark_max = std::max(scan.mark_max, frame.durable_upto);
    if (frame.type == FrameType::kRecord &&
        (scan.index.empty() || at - scan.index.back().at >= kIndexStepBytes)) {
      scan.index.push_back({frame.n, at});
    }
    ++scan.frames;
    at += frame.bytes;
  }
  scan.intact_end = at;
  scan_behind(header, seed, bytes, at, scan);
  scan.footer = decode_footer(header, bytes.substr(static_cast<size_t>(header.frames_end())));
  if (scan.footer) scan.mark_max = std::max(scan.mark_max, header.end());
  return scan;
}

absl::StatusOr<std::string> read_whole(File& file, const SegmentHeader& header) {
  std::string bytes(static_cast<size_t>(header.bytes), '\0');
  const absl::StatusOr<size_t> got = file.read(0, bytes.data(), bytes.size());
  if (!got.ok()) return got.status();
  if (*got != bytes.size()) {
    return absl::DataLossError(segment_name(header.id) + " is cut short: " + std::to_string(*got) +
                               " of " + std::to_string(bytes.size()) + " bytes");
  }
  return bytes;
}

absl::Status write_zeros(File& file, int64_t from, int64_t to) {
  const std::string zeros(
      static_cast<size_t>(std::min(kZeroPieceBytes, std::max<int64_t>(to - from, 0))), '\0');
  while (from < to) {
    const int64_t piece = std::min(to - from, kZeroPieceBytes);
    if (absl::Status status =
            file.write(from, std::string_view(zeros).substr(0, static_cast<size_t>(piece)));
        !status.ok()) {
      return status;
    }
    if (absl::Status status = file.sync(); !status.ok()) return status;
    from += piece;
  }
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<File>> make_segment(FileSystem& files, const std::string& directory,
                                                   const SegmentHeader& header) {
  const std::string path = directory + "/" + segment_name(header.id);
  const std::string temporary = path + std::string(kTemporarySuffix);
  if (absl::Status status = files.remove(temporary); !status.ok() && !absl::IsNotFound(status))
    return status;
  absl::StatusOr<std::unique_ptr<File>> file = files.open(temporary, OpenMode::kCreate);
  if (!file.ok()) return file.status();
  absl::Status status = (*file)->write(0, encode_segment_header(header));
  if (status.ok()) status = write_zeros(**file, kFramesAt, header.bytes);
  if (!status.ok()) {
    file->reset();
    const absl::Status removed = files.remove(temporary);
    // Under this name nobody trusts it; it is tried again from the start.
    return absl::IsResourceExhausted(status) && !removed.ok() ? removed : status;
  }
  if (status = files.rename(temporary, path); !status.ok()) return status;
  if (status = files.sync_directory(directory); !status.ok()) return status;
  return file;
}

}  // namespace taizhang::journal::segments
