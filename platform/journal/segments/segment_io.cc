// The segment engine: writing groups, syncing them, sealing segments, and what happens when the
// disk fails.
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "platform/base/log.h"
#include "platform/journal/segments/segment_log.h"

namespace taizhang::journal::segments {
namespace {

constexpr int kExitIoError = 74;  // EX_IOERR of sysexits.h
constexpr int64_t kDigestPieceBytes = 256 * 1024;
constexpr int64_t kDigestWakeBytes = 1 << 20;
constexpr size_t kSpareBuffersMax = 4;

}  // namespace

void SegmentLog::flush(bool inline_ok) {
  std::unique_lock lock(mutex_);
  if (waiting_.empty()) return;
  flush_requested_ = true;
  if (io_busy_) return;  // who holds it looks again before giving it back
  if (!inline_ok) {
    flush_wanted_.notify_one();
    return;
  }
  io_busy_ = true;
  run_waiting(lock);
  release_io(lock);
}

bool SegmentLog::flush_once() {
  std::unique_lock lock(mutex_);
  if (waiting_.empty() || io_busy_) return false;
  io_busy_ = true;
  Group group = std::move(waiting_.front());
  waiting_.pop_front();
  run_group(lock, std::move(group));
  release_io(lock);
  return true;
}

void SegmentLog::write_mark() {
  std::unique_lock lock(mutex_);
  if (io_busy_) return;
  io_busy_ = true;
  run_mark(lock);
  release_io(lock);
}

void SegmentLog::release_io(std::unique_lock<std::mutex>& /*lock*/) {
  io_busy_ = false;
  changed_.notify_all();
  // Somebody must write what was asked for meanwhile, or the mark after the last group.
  const bool work = flush_requested_ && !waiting_.empty();
  if (work || (flush_asleep_ && uncovered_)) flush_wanted_.notify_one();
}

void SegmentLog::run_waiting(std::unique_lock<std::mutex>& lock) {
  // A request covers what waited when it was made. Records produced since belong to the next one,
  // so that a batch that is just being decided is not torn into two syncs.
  while (flush_requested_ && !waiting_.empty()) {
    flush_requested_ = false;
    for (size_t left = waiting_.size(); left > 0; --left) {
      Group group = std::move(waiting_.front());
      waiting_.pop_front();
      run_group(lock, std::move(group));
    }
  }
}

bool SegmentLog::run_mark(std::unique_lock<std::mutex>& lock) {
  const bool due = uncovered_ && waiting_.empty() && dead_.ok() && fill_ == active_;
  if (!due || fill_at_ + frame_bytes(0) > fill_->header.frames_end()) return false;
  Group group;
  group.segment = fill_;
  group.at = fill_at_;
  group.first_n = next_n_;
  begin_frame(group.bytes, fill_->seed, FrameType::kMark, fill_->header.base + fill_at_, next_n_,
              "");
  fill_at_ += frame_bytes(0);
  run_group(lock, std::move(group));
  return true;
}

void SegmentLog::run_group(std::unique_lock<std::mutex>& lock, Group group) {
  absl::Status status = dead_;
  lock.unlock();
  if (status.ok()) {
    status = write_group(group);
    if (!status.ok()) fatal(status);
  }
  report(group, status);
  lock.lock();
  last_io_ = std::chrono::steady_clock::now();
  if (!status.ok()) return;
  uncovered_ = !group.tags.empty();
  digest_limit_ = {active_->header.id, active_end_};
  if (digest_limit_.segment != digest_requested_.segment ||
      digest_limit_.at - digest_requested_.at >= kDigestWakeBytes) {
    helper_wanted_.notify_one();
  }
  if (spare_buffers_.size() < kSpareBuffersMax) {
    group.bytes.clear();
    spare_buffers_.push_back(std::move(group.bytes));
  }
}

absl::Status SegmentLog::write_group(Group& group) {
  if (group.segment != active_) {
    if (absl::Status status = seal_active(group); !status.ok()) return status;
  }
  std::vector<IndexEntry> index;
  const auto size = static_cast<int64_t>(group.bytes.size());
  int64_t n = group.first_n;
  for (int64_t at = 0; at < size; ++n) {
    char* frame = group.bytes.data() + at;
    finish_frame(frame, synced_position_);
    if (!group.tags.empty() &&
        (index.empty() || group.at + at - index.back().at >= kIndexStepBytes)) {
      index.push_back({n, group.at + at});
    }
    at += frame_bytes_at(frame);
  }
  if (absl::Status status = active_->file->write(group.at, group.bytes); !status.ok())
    return status;
  if (absl::Status status = timed_sync(*active_->file); !status.ok()) return status;
  active_end_ = group.at + size;
  synced_position_ = active_->header.base + active_end_;
  stats_.add_group(static_cast<int64_t>(group.tags.size()), size);
  catalog_->move_end(group.first_n + static_cast<int64_t>(group.tags.size()), active_end_, index);
  return absl::OkStatus();
}

// The last group of the active segment is synced. Its footer is synced, too, before the first byte
// of the next segment is written: a segment that holds anything proves that the one before is
// whole.
absl::Status SegmentLog::seal_active(const Group& next) {
  if (absl::Status status = sum_digest(active_->header.id, active_end_); !status.ok())
    return status;
  Footer footer;
  footer.frames_end = active_end_;
  footer.first_n = active_first_n_;
  footer.next_n = next.first_n;
  {
    const std::lock_guard lock(digest_mutex_);
    footer.digest = digest_.digest();
    digest_ = Sha256();
    digest_of_ = next.segment;
    digest_upto_ = 0;
  }
  const SegmentHeader& header = active_->header;
  if (absl::Status status =
          active_->file->write(header.frames_end(), encode_footer(header, footer));
      !status.ok()) {
    return status;
  }
  if (absl::Status status = timed_sync(*active_->file); !status.ok()) return status;
  catalog_->seal_last(
      footer, {.header = next.segment->header, .footer = {}, .first_n = next.first_n, .index = {}});
  synced_position_ = header.end();
  active_ = next.segment;
  active_first_n_ = next.first_n;
  active_end_ = kFramesAt;
  stats_.add_seal();
  return absl::OkStatus();
}

absl::Status SegmentLog::timed_sync(File& file) {
  const auto start = std::chrono::steady_clock::now();
  absl::Status status = file.sync();
  stats_.add_sync(std::chrono::duration_cast<std::chrono::microseconds>(
                      std::chrono::steady_clock::now() - start)
                      .count());
  return status;
}

// Sums the file up to there, unless it went on to another segment meanwhile.
absl::Status SegmentLog::sum_digest(uint64_t segment, int64_t upto) {
  std::string piece;
  while (true) {
    // Given back after each piece, so that sealing waits for one piece at most.
    const std::lock_guard lock(digest_mutex_);
    if (digest_of_->header.id != segment || digest_upto_ >= upto) return absl::OkStatus();
    piece.resize(static_cast<size_t>(std::min(kDigestPieceBytes, upto - digest_upto_)));
    const absl::StatusOr<size_t> got =
        digest_of_->file->read(digest_upto_, piece.data(), piece.size());
    if (!got.ok()) return got.status();
    if (*got != piece.size()) {
      return absl::DataLossError(segment_name(segment) + " became shorter while it was in use");
    }
    digest_.add(piece);
    digest_upto_ += static_cast<int64_t>(piece.size());
  }
}

void SegmentLog::report(const Group& group, const absl::Status& status) {
  if (group.tags.empty()) return;
  std::shared_ptr<const ReportSink> sink;
  {
    const std::lock_guard lock(mutex_);
    sink = sink_;
  }
  int64_t offset = group.first_n;
  for (const uint64_t tag : group.tags) {
    if (status.ok()) {
      (*sink)({tag, offset++});
    } else {
      (*sink)({tag, absl::InternalError(std::string(status.message()))});
    }
  }
}

void SegmentLog::fatal(const absl::Status& status) {
  log(LogLevel::kError, "journal_disk_failed",
      {{"directory", options_.directory}, {"why", status.ToString()}});
  // What of the group is on the disk is unknown, and a second sync would report success for pages
  // the kernel dropped. Only a new start, which reads and writes again what is there, may go on.
  if (!options_.on_fatal) _exit(kExitIoError);
  options_.on_fatal(status);
  const std::lock_guard lock(mutex_);
  dead_ = absl::InternalError("the journal's disk failed: " + std::string(status.message()));
  changed_.notify_all();
  helper_wanted_.notify_all();
  flush_wanted_.notify_all();
}

}  // namespace taizhang::journal::segments
