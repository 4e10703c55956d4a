// Reads records from segment files in big pieces and checks every frame.
#include <algorithm>
#include <string>
#include <utility>

#include "platform/journal/segments/catalog.h"

namespace taizhang::journal::segments {
namespace {

constexpr int64_t kPieceBytes = 512 * 1024;
// The first read after a seek or at the tail is short: most of those want one record.
constexpr int64_t kFirstPieceBytes = 16 * 1024;

class SegmentCursor : public Cursor {
 public:
  SegmentCursor(std::shared_ptr<Catalog> catalog, int64_t n)
      : catalog_(std::move(catalog)), next_n_(n) {}

  absl::StatusOr<std::optional<LogRecord>> next() override {
    if (!failed_.ok()) return failed_;
    absl::StatusOr<std::optional<LogRecord>> record = find_next();
    if (!record.ok()) failed_ = record.status();
    return record;
  }

 private:
  absl::StatusOr<std::optional<LogRecord>> find_next();
  absl::Status start();
  absl::Status enter(size_t segment, int64_t at, int64_t n);
  absl::Status fill(int64_t bytes_min);
  absl::Status damaged(const std::string& what) const;

  std::shared_ptr<Catalog> catalog_;
  absl::Status failed_;
  int64_t next_n_;  // the record wanted
  int64_t end_n_ = 0;

  std::unique_ptr<File> file_;  // null: not started
  size_t segment_ = 0;
  SegmentHeader header_;
  uint32_t seed_ = 0;
  int64_t at_ = 0;            // place of the next frame
  int64_t frame_n_ = 0;       // its number
  int64_t readable_end_ = 0;  // of this segment, as last asked
  int64_t indexed_at_ = 0;
  int64_t piece_bytes_ = kFirstPieceBytes;
  std::string buffer_;
  int64_t buffer_at_ = 0;
  int64_t buffer_bytes_ = 0;
};

absl::StatusOr<std::optional<LogRecord>> SegmentCursor::find_next() {
  if (next_n_ < 0 || next_n_ >= end_n_) {
    end_n_ = catalog_->end().n;
    if (next_n_ < 0 || next_n_ > end_n_) {
      return absl::DataLossError("record " + std::to_string(next_n_) +
                                 " lies beyond the journal's end, " + std::to_string(end_n_));
    }
    if (next_n_ == end_n_) return std::nullopt;
    if (file_) readable_end_ = catalog_->readable_end(segment_);
  }
  if (!file_) {
    if (absl::Status status = start(); !status.ok()) return status;
  }
  while (true) {
    if (at_ >= readable_end_) {
      // There are records behind this segment, or the check above would have ended it.
      if (absl::Status status = enter(segment_ + 1, kFramesAt, frame_n_); !status.ok())
        return status;
      continue;
    }
    Frame frame;
    const std::string_view bytes(buffer_.data(), static_cast<size_t>(buffer_bytes_));
    const bool buffered = at_ < buffer_at_ + buffer_bytes_;
    const FrameFault fault =
        buffered ? decode_frame(header_, seed_, bytes, buffer_at_, at_, frame) : FrameFault::kShort;
    if (fault == FrameFault::kShort) {
      const int64_t wanted = std::max(frame.bytes, kFrameHeaderBytes);
      if (at_ + wanted > readable_end_) return damaged("a frame goes on behind the end");
      if (absl::Status status = fill(wanted); !status.ok()) return status;
      continue;
    }
    if (fault != FrameFault::kNone)
      return damaged(fault == FrameFault::kEnd ? "a frame is missing" : "a frame is damaged");
    if (frame.n != frame_n_)
      return damaged("another record stands here: " + std::to_string(frame.n));
    const int64_t at = at_;
    at_ += frame.bytes;
    if (frame.type == FrameType::kMark) continue;
    ++frame_n_;
    if (at - indexed_at_ >= kIndexStepBytes) {
      catalog_->add_index(segment_, {frame.n, at});
      indexed_at_ = at;
    }
    if (frame.n < next_n_) continue;
    ++next_n_;
    return LogRecord{.offset = frame.n, .stored_time_us = 0, .bytes = frame.payload};
  }
}

absl::Status SegmentCursor::start() {
  const Catalog::Place place = catalog_->locate(next_n_);
  return enter(place.segment, place.entry.at, place.entry.n);
}

absl::Status SegmentCursor::enter(size_t segment, int64_t at, int64_t n) {
  header_ = catalog_->header(segment);
  auto file = catalog_->files().open(catalog_->path(header_), OpenMode::kRead);
  if (!file.ok()) return file.status();
  file_ = *std::move(file);
  seed_ = header_.seed();
  segment_ = segment;
  at_ = at;
  frame_n_ = n;
  indexed_at_ = at;
  readable_end_ = catalog_->readable_end(segment);
  buffer_bytes_ = 0;
  buffer_at_ = at;
  return absl::OkStatus();
}

// Reads on from the frame at at_, at least `bytes_min`.
absl::Status SegmentCursor::fill(int64_t bytes_min) {
  const int64_t size = std::min(std::max(bytes_min, piece_bytes_), readable_end_ - at_);
  piece_bytes_ = std::min(piece_bytes_ * 4, kPieceBytes);
  buffer_.resize(
      static_cast<size_t>(std::max<int64_t>(size, static_cast<int64_t>(buffer_.size()))));
  buffer_bytes_ = 0;
  const absl::StatusOr<size_t> got = file_->read(at_, buffer_.data(), static_cast<size_t>(size));
  if (!got.ok()) return got.status();
  if (*got != static_cast<size_t>(size)) return damaged("the file is cut short");
  buffer_at_ = at_;
  buffer_bytes_ = size;
  return absl::OkStatus();
}

absl::Status SegmentCursor::damaged(const std::string& what) const {
  return absl::DataLossError("journal damaged: file " + catalog_->path(header_) + ", position " +
                             std::to_string(header_.base + at_) + ", seq " +
                             std::to_string(frame_n_) + ": " + what);
}

}  // namespace

std::unique_ptr<Cursor> make_cursor(std::shared_ptr<Catalog> catalog, int64_t n) {
  return std::make_unique<SegmentCursor>(std::move(catalog), n);
}

}  // namespace taizhang::journal::segments
