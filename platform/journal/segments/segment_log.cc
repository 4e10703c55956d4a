// The segment engine: opening, producing, and the threads. Writing and syncing: segment_io.cc.
#include "platform/journal/segments/segment_log.h"

#include <algorithm>
#include <utility>

#include "platform/base/log.h"

namespace taizhang::journal::segments {
namespace {

std::string parent_of(const std::string& directory) {
  const size_t slash = directory.find_last_of('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : directory.substr(0, slash);
}

}  // namespace

SegmentLog::SegmentLog(SegmentOptions options)
    : options_(std::move(options)),
      sink_(std::make_shared<const ReportSink>([](AppendReport) {})) {}

absl::StatusOr<std::unique_ptr<SegmentLog>> SegmentLog::open(SegmentOptions options) {
  if (options.segment_bytes < kSegmentBytesMin || options.segment_bytes % kFramesAt != 0) {
    return absl::InvalidArgumentError("segment size " + std::to_string(options.segment_bytes) +
                                      " is not a multiple of 4096 from " +
                                      std::to_string(kSegmentBytesMin) + " on");
  }
  std::unique_ptr<SegmentLog> log(new SegmentLog(std::move(options)));
  if (absl::Status status = log->start(); !status.ok()) return status;
  return log;
}

absl::Status SegmentLog::start() {
  absl::StatusOr<Recovered> recovered = recover();
  if (!recovered.ok()) return recovered.status();
  recovery_ = recovered->report;
  const FoundSegment& last = recovered->segments.back();
  uuid_ = last.header.uuid;
  active_ = std::make_shared<Segment>();
  active_->header = last.header;
  active_->seed = last.header.seed();
  active_->file = std::move(recovered->active);
  active_first_n_ = last.first_n;
  active_end_ = recovered->active_at;
  synced_position_ = last.header.base + active_end_;
  // What stood above the mark is durable now, but no frame says so yet.
  uncovered_ = recovery_.bytes_above_mark > 0;
  last_io_ = std::chrono::steady_clock::now();
  fill_ = active_;
  fill_at_ = active_end_;
  next_n_ = recovery_.records;
  digest_of_ = active_;
  digest_limit_ = {last.header.id, active_end_};
  ahead_.assign(recovered->ahead.begin(), recovered->ahead.end());
  const SyncedEnd end{next_n_, recovered->segments.size() - 1, active_end_};
  catalog_ = std::make_shared<Catalog>(*options_.files, options_.directory,
                                       std::move(recovered->segments), end);
  log(LogLevel::kInfo, "journal_opened",
      {{"directory", options_.directory},
       {"created", recovery_.created ? 1 : 0},
       {"segments", static_cast<uint64_t>(recovery_.segments)},
       {"records", recovery_.records},
       {"durable_mark", recovery_.durable_mark},
       {"bytes_above_mark", recovery_.bytes_above_mark},
       {"cut", recovery_.cut ? 1 : 0}});
  if (options_.threads) {
    flush_thread_ = std::thread([this] { flush_loop(); });
    helper_thread_ = std::thread([this] { helper_loop(); });
  }
  return absl::OkStatus();
}

absl::StatusOr<Recovered> SegmentLog::recover() {
  FileSystem& files = *options_.files;
  const std::string& directory = options_.directory;
  if (absl::Status status = files.make_directory(directory); !status.ok()) return status;
  if (absl::Status status = files.check_durable_kind(directory); !status.ok()) return status;
  // Before the first read: what another process is still writing must not be judged.
  absl::StatusOr<std::unique_ptr<DirectoryLock>> lock = files.lock_directory(directory);
  if (!lock.ok()) return lock.status();
  lock_ = *std::move(lock);
  absl::StatusOr<std::optional<Recovered>> recovered = examine(files, directory);
  if (!recovered.ok()) return recovered.status();
  if (!*recovered) return create();
  if (absl::Status status = make_durable(files, directory, **recovered); !status.ok())
    return status;
  if (absl::Status status = drop_ahead_of_other_size(**recovered); !status.ok()) return status;
  return **std::move(recovered);
}

absl::StatusOr<Recovered> SegmentLog::create() {
  SegmentHeader header;
  header.uuid = id_of(options_.random->bytes(kIdBytes));
  header.id = 1;
  header.salt = id_of(options_.random->bytes(kIdBytes));
  header.bytes = options_.segment_bytes;
  absl::StatusOr<std::unique_ptr<File>> file =
      make_segment(*options_.files, options_.directory, header);
  if (!file.ok()) return file.status();
  if (absl::Status status = options_.files->sync_directory(parent_of(options_.directory));
      !status.ok())
    return status;
  Recovered created;
  created.segments.push_back({.header = header, .footer = {}, .first_n = 0, .index = {}});
  created.active = *std::move(file);
  created.report.created = true;
  created.report.segments = 1;
  created.report.tail = kFramesAt;
  return created;
}

// They hold nothing; a record that fits a new segment must fit the next one. Removed from the last
// one down, so that a crash in between leaves no hole in the ids.
absl::Status SegmentLog::drop_ahead_of_other_size(Recovered& recovered) {
  const bool same =
      std::all_of(recovered.ahead.begin(), recovered.ahead.end(),
                  [this](const SegmentHeader& h) { return h.bytes == options_.segment_bytes; });
  if (same) return absl::OkStatus();
  while (!recovered.ahead.empty()) {
    const std::string path = options_.directory + "/" + segment_name(recovered.ahead.back().id);
    if (absl::Status status = options_.files->remove(path); !status.ok()) return status;
    recovered.ahead.pop_back();
  }
  return options_.files->sync_directory(options_.directory);
}

SegmentLog::~SegmentLog() {
  if (options_.threads) close();
  stop_threads();
}

void SegmentLog::stop_threads() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
  }
  flush_wanted_.notify_all();
  helper_wanted_.notify_all();
  changed_.notify_all();
  if (flush_thread_.joinable()) flush_thread_.join();
  if (helper_thread_.joinable()) helper_thread_.join();
  if (catalog_) catalog_->close();
}

void SegmentLog::close() {
  stop_threads();
  if (!catalog_) return;  // it never opened
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return !io_busy_; });
  io_busy_ = true;
  flush_requested_ = true;
  run_waiting(lock);
  run_mark(lock);
  release_io(lock);
}

void SegmentLog::set_report_sink(ReportSink sink) {
  const std::lock_guard lock(mutex_);
  sink_ = std::make_shared<const ReportSink>(std::move(sink));
}

// Of a new segment, for one frame: after each the mark that covers it must still fit.
int64_t SegmentLog::capacity() const {
  return options_.segment_bytes - kFooterBytes - kFramesAt - frame_bytes(0);
}

bool SegmentLog::has_room(int64_t frame_bytes_wanted) const {
  return fill_at_ + frame_bytes_wanted + frame_bytes(0) <= fill_->header.frames_end();
}

absl::Status SegmentLog::room() const {
  const std::lock_guard lock(mutex_);
  if (!dead_.ok()) return dead_;
  if (next_ || next_failed_.ok()) return absl::OkStatus();
  return has_room(std::min(frame_bytes(kRecordBytesMax), capacity())) ? absl::OkStatus()
                                                                      : next_failed_;
}

absl::Status SegmentLog::produce(std::string bytes, uint64_t tag) {
  std::unique_lock lock(mutex_);
  if (!dead_.ok()) return dead_;
  if (closing_) return absl::UnavailableError("the journal is closed");
  const int64_t wanted = frame_bytes(bytes.size());
  if (wanted > capacity()) {
    return absl::InvalidArgumentError("record of " + std::to_string(bytes.size()) +
                                      " bytes does not fit a segment of " +
                                      std::to_string(options_.segment_bytes));
  }
  if (!has_room(wanted)) {
    if (absl::Status status = enter_next_segment(lock); !status.ok()) return status;
  }
  Group& group = filling_group(wanted);
  begin_frame(group.bytes, fill_->seed, FrameType::kRecord, fill_->header.base + fill_at_, next_n_,
              bytes);
  group.tags.push_back(tag);
  fill_at_ += wanted;
  ++next_n_;
  return absl::OkStatus();
}

SegmentLog::Group& SegmentLog::filling_group(int64_t wanted) {
  const bool fits =
      !waiting_.empty() && waiting_.back().segment == fill_ &&
      static_cast<int64_t>(waiting_.back().bytes.size()) + wanted <= options_.group_bytes_max;
  if (!fits) {
    Group group;
    group.segment = fill_;
    group.at = fill_at_;
    group.first_n = next_n_;
    if (!spare_buffers_.empty()) {
      group.bytes = std::move(spare_buffers_.back());
      spare_buffers_.pop_back();
    }
    waiting_.push_back(std::move(group));
  }
  return waiting_.back();
}

absl::Status SegmentLog::enter_next_segment(std::unique_lock<std::mutex>& lock) {
  if (!options_.threads && !next_) make_next(lock);
  // The next segment is usually there long before. When the disk is full this fails at once, before
  // anything of the record is written; the helper goes on trying.
  changed_.wait(lock, [this] { return next_ || !next_failed_.ok() || !dead_.ok() || closing_; });
  if (!dead_.ok()) return dead_;
  if (closing_) return absl::UnavailableError("the journal is closed");
  if (!next_) return next_failed_;
  fill_ = std::exchange(next_, nullptr);
  fill_at_ = kFramesAt;
  helper_wanted_.notify_one();
  return absl::OkStatus();
}

void SegmentLog::make_next(std::unique_lock<std::mutex>& lock) {
  SegmentHeader header = fill_->header;
  std::optional<SegmentHeader> existing;
  if (!ahead_.empty()) {
    existing = ahead_.front();
    ahead_.pop_front();
  }
  lock.unlock();
  absl::StatusOr<std::unique_ptr<File>> file = absl::InternalError("");
  if (existing) {
    // It held no frame when it was read; zeros again, because whatever else stands there now would
    // look like damage.
    header = *existing;
    file = options_.files->open(options_.directory + "/" + segment_name(header.id),
                                OpenMode::kReadWrite);
    if (file.ok()) {
      if (absl::Status status = write_zeros(**file, kFramesAt, header.bytes); !status.ok())
        file = status;
    }
  } else {
    header.base = header.end();
    header.bytes = options_.segment_bytes;
    header.id += 1;
    header.salt = id_of(options_.random->bytes(kIdBytes));
    file = make_segment(*options_.files, options_.directory, header);
  }
  const bool failed = !file.ok() && !absl::IsResourceExhausted(file.status());
  if (failed) fatal(file.status());
  lock.lock();
  if (failed) return;
  if (file.ok()) {
    next_ = std::make_shared<Segment>();
    next_->header = header;
    next_->seed = header.seed();
    next_->file = *std::move(file);
    next_failed_ = absl::OkStatus();
  } else {
    if (existing) ahead_.push_front(*existing);
    next_failed_ = absl::ResourceExhaustedError("no space for the journal's next segment: " +
                                                std::string(file.status().message()));
    log(LogLevel::kError, "journal_disk_full", {{"why", next_failed_.ToString()}});
  }
  changed_.notify_all();
}

void SegmentLog::maintain() {
  std::unique_lock lock(mutex_);
  if (!options_.threads && !next_ && dead_.ok()) make_next(lock);
}

int64_t SegmentLog::wait_beyond(int64_t offset, absl::Duration timeout) {
  // In a simulation nobody else could bring a record while this waits.
  return options_.threads ? catalog_->wait_beyond(offset, timeout) : catalog_->end().n;
}

StatsSnapshot SegmentLog::stats() const {
  StatsSnapshot out = stats_.snapshot();
  out.segments = static_cast<int64_t>(catalog_->size());
  const absl::StatusOr<int64_t> free = options_.files->free_bytes(options_.directory);
  out.free_bytes = free.ok() ? *free : -1;
  const std::lock_guard lock(mutex_);
  out.disk_full = !next_failed_.ok();
  return out;
}

void SegmentLog::flush_loop() {
  const auto idle = std::chrono::microseconds(options_.idle_mark_us);
  std::unique_lock lock(mutex_);
  while (!closing_) {
    if (flush_requested_ && !waiting_.empty() && !io_busy_) {
      io_busy_ = true;
      run_waiting(lock);
      release_io(lock);
      continue;
    }
    if (!uncovered_ || !dead_.ok()) {
      flush_asleep_ = true;
      flush_wanted_.wait(lock);
      flush_asleep_ = false;
      continue;
    }
    const auto now = std::chrono::steady_clock::now();
    if (now - last_io_ >= idle && waiting_.empty() && !io_busy_) {
      io_busy_ = true;
      run_mark(lock);
      release_io(lock);
      continue;
    }
    flush_wanted_.wait_until(lock, std::max(last_io_ + idle, now + idle / 4));
  }
}

void SegmentLog::helper_loop() {
  std::unique_lock lock(mutex_);
  std::chrono::steady_clock::time_point retry_at{};
  while (!closing_ && dead_.ok()) {
    const auto now = std::chrono::steady_clock::now();
    if (!next_ && now >= retry_at) {
      make_next(lock);
      retry_at = next_ ? now : now + std::chrono::microseconds(options_.disk_full_retry_us);
      continue;
    }
    if (digest_requested_.segment == digest_limit_.segment &&
        digest_requested_.at == digest_limit_.at) {
      if (next_) {
        helper_wanted_.wait(lock);
      } else {
        helper_wanted_.wait_until(lock, retry_at);
      }
      continue;
    }
    const DigestLimit limit = digest_requested_ = digest_limit_;
    lock.unlock();
    // A read that fails here fails again where it matters, at the sealing.
    (void)sum_digest(limit.segment, limit.at);
    lock.lock();
  }
}

}  // namespace taizhang::journal::segments
