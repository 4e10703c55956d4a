// Recovery of a segment journal.
#include "platform/journal/segments/recovery.h"

#include <algorithm>

namespace taizhang::journal::segments {
namespace {

std::string path_of(const std::string& directory, uint64_t id) {
  return directory + "/" + segment_name(id);
}

absl::Status damage(const std::string& directory, uint64_t id, int64_t position, int64_t n,
                    const std::string& what) {
  return absl::DataLossError("journal damaged: file " + path_of(directory, id) + ", position " +
                             std::to_string(position) + ", seq " + std::to_string(n) + ": " + what);
}

absl::Status with_path(const absl::Status& status, const std::string& path) {
  return absl::Status(status.code(), path + ": " + std::string(status.message()));
}

// The ids present must be 1, 2, … without a hole.
absl::StatusOr<uint64_t> last_id(FileSystem& files, const std::string& directory) {
  const absl::StatusOr<std::vector<std::string>> names = files.list(directory);
  if (!names.ok()) return names.status();
  std::vector<uint64_t> ids;
  for (const std::string& name : *names) {
    if (const std::optional<uint64_t> id = parse_segment_name(name)) ids.push_back(*id);
  }
  std::sort(ids.begin(), ids.end());
  for (size_t i = 0; i < ids.size(); ++i) {
    if (ids[i] != i + 1)
      return absl::DataLossError("journal damaged: file " + path_of(directory, i + 1) +
                                 " is missing");
  }
  return ids.size();
}

// One open segment while it is examined.
struct Examined {
  FoundSegment found;
  std::unique_ptr<File> file;
  std::optional<SegmentScan> scan;
};

absl::StatusOr<Examined> open_segment(FileSystem& files, const std::string& directory, uint64_t id,
                                      const SegmentHeader* before, OpenMode mode) {
  const std::string path = path_of(directory, id);
  absl::StatusOr<std::unique_ptr<File>> file = files.open(path, mode);
  if (!file.ok()) return file.status();
  std::string bytes(kFramesAt, '\0');
  const absl::StatusOr<size_t> got = (*file)->read(0, bytes.data(), bytes.size());
  if (!got.ok()) return got.status();
  bytes.resize(*got);
  const absl::StatusOr<SegmentHeader> header = decode_segment_header(bytes);
  if (!header.ok()) return with_path(header.status(), "journal damaged: file " + path);
  const absl::StatusOr<int64_t> size = (*file)->size();
  if (!size.ok()) return size.status();
  const bool fits =
      header->id == id && header->bytes == *size && header->bytes >= kSegmentBytesMin &&
      header->base == (before ? before->end() : 0) && (!before || header->uuid == before->uuid);
  if (!fits) {
    return damage(directory, id, before ? before->end() : 0, 0,
                  "it is not the segment that belongs here (id, journal, place or size " +
                      std::to_string(*size) + " instead of " + std::to_string(header->bytes) + ")");
  }
  Examined examined;
  examined.found.header = *header;
  examined.file = *std::move(file);
  return examined;
}

absl::Status scan_segment(Examined& segment) {
  const absl::StatusOr<std::string> bytes = read_whole(*segment.file, segment.found.header);
  if (!bytes.ok()) return bytes.status();
  segment.scan = scan(segment.found.header, *bytes);
  return absl::OkStatus();
}

absl::Status read_footer(Examined& segment) {
  std::string bytes(kFooterBytes, '\0');
  const absl::StatusOr<size_t> got =
      segment.file->read(segment.found.header.frames_end(), bytes.data(), bytes.size());
  if (!got.ok()) return got.status();
  segment.found.footer = decode_footer(segment.found.header, bytes);
  return absl::OkStatus();
}

class Examination {
 public:
  Examination(FileSystem& files, const std::string& directory, OpenMode mode)
      : files_(files), directory_(directory), mode_(mode) {}

  absl::StatusOr<std::optional<Recovered>> run();

 private:
  absl::Status open_all(uint64_t count);
  absl::Status scan_last_two();
  absl::Status check_sealed(size_t count);
  absl::Status decide();

  FileSystem& files_;
  const std::string& directory_;
  OpenMode mode_;
  std::vector<Examined> segments_;
  std::optional<size_t> last_;  // the last segment that holds a frame or a footer
  Recovered result_;
};

absl::StatusOr<std::optional<Recovered>> Examination::run() {
  const absl::StatusOr<uint64_t> count = last_id(files_, directory_);
  if (!count.ok()) return count.status();
  if (*count == 0) return std::optional<Recovered>();
  if (absl::Status status = open_all(*count); !status.ok()) return status;
  if (absl::Status status = scan_last_two(); !status.ok()) return status;
  if (absl::Status status = check_sealed(last_.value_or(0)); !status.ok()) return status;
  if (absl::Status status = decide(); !status.ok()) return status;
  return std::optional<Recovered>(std::move(result_));
}

absl::Status Examination::open_all(uint64_t count) {
  for (uint64_t id = 1; id <= count; ++id) {
    const SegmentHeader* before = segments_.empty() ? nullptr : &segments_.back().found.header;
    absl::StatusOr<Examined> segment = open_segment(files_, directory_, id, before, mode_);
    if (!segment.ok()) return segment.status();
    segments_.push_back(*std::move(segment));
    // Long journals have more segments than a process may have open files; the sealed ones are done
    // with here.
    if (segments_.size() > 3) {
      Examined& done = segments_[segments_.size() - 4];
      if (absl::Status status = read_footer(done); !status.ok()) return status;
      if (done.found.footer) done.file.reset();
    }
  }
  return absl::OkStatus();
}

absl::Status Examination::scan_last_two() {
  size_t holders = 0;
  for (size_t i = segments_.size(); i-- > 0 && holders < 2;) {
    Examined& segment = segments_[i];
    if (!segment.file) {
      auto file = files_.open(path_of(directory_, segment.found.header.id), mode_);
      if (!file.ok()) return file.status();
      segment.file = *std::move(file);
    }
    if (absl::Status status = scan_segment(segment); !status.ok()) return status;
    segment.found.footer = segment.scan->footer;
    segment.found.index = segment.scan->index;
    if (!segment.scan->holds_anything()) continue;
    if (holders++ == 0) last_ = i;
    result_.report.durable_mark = std::max(result_.report.durable_mark, segment.scan->mark_max);
  }
  return absl::OkStatus();
}

// Every segment before the last that holds anything was sealed, and its footer synced, before the
// first byte of the next was written. So anything wrong in them is damage below the mark.
absl::Status Examination::check_sealed(size_t count) {
  int64_t n = 0;
  for (size_t i = 0; i < count; ++i) {
    Examined& segment = segments_[i];
    const SegmentHeader& header = segment.found.header;
    if (segment.file && !segment.scan) {
      if (absl::Status status = read_footer(segment); !status.ok()) return status;
    }
    if (segment.scan && segment.found.footer &&
        segment.scan->intact_end < segment.found.footer->frames_end) {
      return damage(directory_, header.id, header.base + segment.scan->intact_end,
                    segment.scan->frames > 0 ? segment.scan->next_n : n, "a frame is damaged");
    }
    if (!segment.found.footer) {
      return damage(directory_, header.id, header.base + header.frames_end(), n,
                    "the footer is damaged");
    }
    const Footer& footer = *segment.found.footer;
    const bool continues = footer.first_n == n && footer.next_n >= n &&
                           footer.frames_end >= kFramesAt &&
                           footer.frames_end <= header.frames_end();
    const bool agrees =
        !segment.scan || (segment.scan->intact_end == footer.frames_end &&
                          (segment.scan->frames == 0 || (segment.scan->first_n == footer.first_n &&
                                                         segment.scan->next_n == footer.next_n)));
    if (!continues || !agrees) {
      return damage(directory_, header.id, header.base + header.frames_end(), n,
                    "the footer does not fit its segment");
    }
    segment.found.first_n = n;
    n = footer.next_n;
  }
  result_.report.records = n;
  return absl::OkStatus();
}

absl::Status Examination::decide() {
  RecoveryReport& report = result_.report;
  size_t active = last_.value_or(0);
  if (last_ && segments_[*last_].found.footer) {
    // Sealed to its end: the next one is the place to go on, and it was made before the footer was
    // written.
    if (absl::Status status = check_sealed(*last_ + 1); !status.ok()) return status;
    active = *last_ + 1;
    if (active == segments_.size()) {
      return absl::DataLossError("journal damaged: file " + path_of(directory_, active + 1) +
                                 " is missing");
    }
  } else if (last_) {
    const Examined& segment = segments_[active];
    const SegmentScan& scan = *segment.scan;
    int64_t cut = scan.intact_end;
    const int64_t n = scan.frames > 0 ? scan.next_n : report.records;
    if (scan.frames > 0 && scan.first_n != report.records)
      cut = kFramesAt;  // it does not follow the one before
    if (segment.found.header.base + cut < report.durable_mark) {
      return damage(directory_, segment.found.header.id, segment.found.header.base + cut, n,
                    std::string(scan.damaged || cut != scan.intact_end ? "a frame is damaged"
                                                                       : "a frame is missing") +
                        ", although everything below position " +
                        std::to_string(report.durable_mark) + " was synced");
    }
    result_.active_at = cut;
    report.cut = scan.damaged || scan.frames_behind > 0;
    report.frames_cut = scan.frames_behind;
    if (cut == scan.intact_end) report.records = n;
  }
  const SegmentHeader& header = segments_[active].found.header;
  report.tail = header.base + result_.active_at;
  report.bytes_above_mark = report.tail - std::max(report.durable_mark, header.base + kFramesAt);
  report.segments = segments_.size();
  segments_[active].found.first_n = active == 0 ? 0 : segments_[active - 1].found.footer->next_n;
  for (size_t i = 0; i <= active; ++i) result_.segments.push_back(std::move(segments_[i].found));
  result_.active = std::move(segments_[active].file);
  for (size_t i = active + 1; i < segments_.size(); ++i)
    result_.ahead.push_back(segments_[i].found.header);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::optional<Recovered>> examine(FileSystem& files, const std::string& directory) {
  return Examination(files, directory, OpenMode::kReadWrite).run();
}

absl::Status make_durable(FileSystem& files, const std::string& directory, Recovered& recovered) {
  const SegmentHeader& header = recovered.segments.back().header;
  File& active = *recovered.active;
  if (recovered.segments.size() > 1) {
    // The footer before was read, but perhaps only from memory: the last process may have died
    // before its sync.
    const FoundSegment& sealed = recovered.segments[recovered.segments.size() - 2];
    const auto file = files.open(path_of(directory, sealed.header.id), OpenMode::kReadWrite);
    if (!file.ok()) return file.status();
    absl::Status status =
        (*file)->write(sealed.header.frames_end(), encode_footer(sealed.header, *sealed.footer));
    if (status.ok()) status = (*file)->sync();
    if (!status.ok()) return status;
  }
  // Zeros first, whatever reads there: a sync that failed earlier leaves pages that look written
  // and are not.
  if (absl::Status status = write_zeros(active, recovered.active_at, header.bytes); !status.ok())
    return status;
  const int64_t from = std::max(kFramesAt, recovered.report.durable_mark - header.base);
  if (from < recovered.active_at) {
    std::string bytes(static_cast<size_t>(recovered.active_at - from), '\0');
    const absl::StatusOr<size_t> got = active.read(from, bytes.data(), bytes.size());
    if (!got.ok()) return got.status();
    if (*got != bytes.size())
      return absl::DataLossError(path_of(directory, header.id) + " became shorter");
    // The same bytes again: after a failed sync the kernel holds these pages for clean, and a sync
    // alone does nothing.
    if (absl::Status status = active.write(from, bytes); !status.ok()) return status;
  }
  if (absl::Status status = active.sync(); !status.ok()) return status;
  return files.sync_directory(directory);
}

absl::StatusOr<VerifyReport> verify(FileSystem& files, const std::string& directory) {
  const absl::StatusOr<uint64_t> count = last_id(files, directory);
  if (!count.ok()) return count.status();
  VerifyReport report;
  std::optional<SegmentHeader> before;
  std::optional<int64_t>
      unsealed_at;  // position of the end of frames in a segment without a footer
  for (uint64_t id = 1; id <= *count; ++id) {
    absl::StatusOr<Examined> segment =
        open_segment(files, directory, id, before ? &*before : nullptr, OpenMode::kRead);
    if (!segment.ok()) return segment.status();
    const SegmentHeader& header = segment->found.header;
    const absl::StatusOr<std::string> bytes = read_whole(*segment->file, header);
    if (!bytes.ok()) return bytes.status();
    const SegmentScan scanned = scan(header, *bytes);
    ++report.segments;
    report.bytes += header.bytes;
    report.durable_mark = std::max(report.durable_mark, scanned.mark_max);
    const int64_t n = scanned.frames > 0 ? scanned.next_n : report.records;
    if (scanned.holds_anything() && unsealed_at) {
      return damage(directory, id - 1, *unsealed_at, report.records, "the footer is damaged");
    }
    if (scanned.frames > 0 && scanned.first_n != report.records) {
      return damage(directory, id, header.base + kFramesAt, report.records,
                    "records are missing before it");
    }
    if (scanned.footer) {
      const auto summed =
          std::string_view(*bytes).substr(0, static_cast<size_t>(scanned.intact_end));
      if (scanned.intact_end != scanned.footer->frames_end || scanned.footer->next_n != n) {
        return damage(directory, id, header.base + scanned.intact_end, n, "a frame is damaged");
      }
      if (sha256(summed) != scanned.footer->digest) {
        return damage(directory, id, header.base, n, "its SHA-256 is not that of the footer");
      }
    } else if (!unsealed_at) {
      unsealed_at = header.base + scanned.intact_end;
    }
    report.records = n;
    before = header;
  }
  // In the last segment a group may be on its way to the disk right now; below the mark nothing may
  // be missing.
  if (unsealed_at && *unsealed_at < report.durable_mark) {
    return damage(directory, *count, *unsealed_at, report.records, "a frame is damaged");
  }
  return report;
}

}  // namespace taizhang::journal::segments
