// A small segment journal on a simulated disk, driven from the test's own thread.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "platform/base/log.h"
#include "platform/journal/segments/segment_log.h"
#include "platform/journal/testing/history.h"
#include "platform/journal/testing/simulated_disk.h"

namespace taizhang::journal {

inline constexpr char kDirectory[] = "/journal";
inline constexpr int64_t kSmallSegmentBytes = 8192;

// What one process sees of the journal, and what it was told.
class SmallJournal {
 public:
  explicit SmallJournal(testing::SimulatedDisk& disk, uint64_t seed = 1,
                        int64_t segment_bytes = kSmallSegmentBytes)
      : disk_(disk), random_(seed), segment_bytes_(segment_bytes) {
    set_log_level(LogLevel::kError);
  }

  absl::Status open() {
    log_.reset();
    fatal = absl::OkStatus();
    segments::SegmentOptions options;
    options.directory = kDirectory;
    options.segment_bytes = segment_bytes_;
    options.group_bytes_max = 2048;
    options.files = &disk_;
    options.random = &random_;
    options.threads = false;
    options.on_fatal = [this](const absl::Status& why) { fatal = why; };
    auto log = segments::SegmentLog::open(std::move(options));
    if (!log.ok()) return log.status();
    log_ = *std::move(log);
    log_->set_report_sink([this](AppendReport report) {
      if (report.offset.ok()) {
        acknowledged = std::max(acknowledged, *report.offset + 1);
      } else {
        failed_reports.push_back(report.offset.status());
      }
    });
    return absl::OkStatus();
  }
  // Like a process that is killed: nothing more is written.
  void drop() { log_.reset(); }
  segments::SegmentLog& log() { return *log_; }

  absl::Status append(const std::string& record) { return log_->produce(record, ++tag_); }

  absl::StatusOr<std::vector<std::string>> read_all() {
    std::vector<std::string> records;
    const auto cursor = log_->read(0);
    while (true) {
      const auto record = cursor->next();
      if (!record.ok()) return record.status();
      if (!*record) return records;
      records.emplace_back((*record)->bytes);
    }
  }

  // Of the last process and those before: records below this offset were acknowledged.
  int64_t acknowledged = 0;
  std::vector<absl::Status> failed_reports;
  absl::Status fatal;

 private:
  testing::SimulatedDisk& disk_;
  testing::SeededRandom random_;
  int64_t segment_bytes_;
  uint64_t tag_ = 0;
  std::unique_ptr<segments::SegmentLog> log_;
};

inline bool is_prefix(const std::vector<std::string>& some, const std::vector<std::string>& all) {
  return some.size() <= all.size() && std::equal(some.begin(), some.end(), all.begin());
}

}  // namespace taizhang::journal
