// Opening either engine, and the hourly look at the topic.
#include "apps/taizhangd/process_journal.h"

#include <chrono>
#include <fstream>

#include "platform/base/file.h"
#include "platform/base/log.h"
#include "platform/base/sha256.h"
#include "platform/journal/kafka/config.h"
#include "platform/journal/kafka/kafka_journal.h"
#include "platform/journal/record.h"
#include "platform/journal/segments/segment_log.h"
#include "taizhang/config/v1/config.pb.h"

namespace taizhang {

using config::v1::Config;
using journal::kafka::Access;
using journal::kafka::KafkaJournal;
using journal::segments::SegmentLog;
using journal::segments::SegmentOptions;

namespace {

constexpr int64_t kSegmentAlignment = 4096;
constexpr char kIdFile[] = "/journal_id";

SegmentOptions segment_options(const Config& config) {
  SegmentOptions options;
  options.directory = config.data_dir() + "/journal";
  options.segment_bytes = (config.journal().segment_bytes() + kSegmentAlignment - 1) /
                          kSegmentAlignment * kSegmentAlignment;
  options.group_bytes_max = config.journal().group_bytes_max();
  options.idle_mark_us = config.journal().idle_mark_us();
  options.disk_full_retry_us = config.journal().disk_full_retry_us();
  return options;
}

}  // namespace

ProcessJournal::ProcessJournal() = default;
ProcessJournal::~ProcessJournal() { close(); }

absl::StatusOr<std::unique_ptr<ProcessJournal>> ProcessJournal::open(const Config& config,
                                                                    const std::string& folder) {
  std::unique_ptr<ProcessJournal> journal(new ProcessJournal);
  const absl::Status opened = config.journal().has_kafka() ? journal->open_kafka(config, folder)
                                                           : journal->open_segments(config);
  if (!opened.ok()) return opened;
  journal->data_dir_ = config.data_dir();
  if (auto same = journal->check_remembered(); !same.ok()) return same;
  return journal;
}

absl::StatusOr<std::string> ProcessJournal::uuid() const {
  if (empty()) return std::string();
  const auto cursor = partitions_.front()->read(0);
  const auto first = cursor->next();
  if (!first.ok()) return first.status();
  const auto identity = *first ? journal::identify((*first)->bytes) : std::nullopt;
  return identity ? hex(journal::bytes_of(identity->uuid)) : std::string();
}

absl::Status ProcessJournal::check_remembered() {
  std::string known;
  std::ifstream(data_dir_ + kIdFile) >> known;
  if (known.empty()) return absl::OkStatus();
  remembered_ = true;
  const auto present = uuid();
  if (!present.ok()) return present.status();
  if (*present == known) return absl::OkStatus();
  return absl::FailedPreconditionError(
      "this data folder belongs to journal " + known + ", and the journal " +
      (present->empty() ? "is empty: it was lost, or made anew"
                        : "of the settings is " + *present) +
      ". Find the right one; only when it is to be given up, delete the data folder");
}

void ProcessJournal::remember() {
  if (remembered_) return;
  const auto present = uuid();
  if (!present.ok() || present->empty()) return;
  const auto written = write_down(*present);
  remembered_ = written.ok();
  if (!written.ok())
    log(LogLevel::kWarning, "journal_not_remembered", {{"why", std::string(written.message())}});
}

absl::Status ProcessJournal::write_down(const std::string& text) const {
  FileSystem& files = system_files();
  const std::string part = data_dir_ + kIdFile + ".part";
  if (auto removed = files.remove(part); !removed.ok() && !absl::IsNotFound(removed)) return removed;
  auto file = files.open(part, OpenMode::kCreate);
  if (!file.ok()) return file.status();
  if (auto written = (*file)->write(0, text + "\n"); !written.ok()) return written;
  if (auto synced = (*file)->sync(); !synced.ok()) return synced;
  if (auto renamed = files.rename(part, data_dir_ + kIdFile); !renamed.ok()) return renamed;
  return files.sync_directory(data_dir_);
}

absl::Status ProcessJournal::open_segments(const Config& config) {
  auto opened = SegmentLog::open(segment_options(config));
  if (!opened.ok()) return opened.status();
  segments_ = std::move(*opened);
  partitions_.push_back(segments_.get());
  return absl::OkStatus();
}

absl::Status ProcessJournal::open_kafka(const Config& config, const std::string& folder) {
  auto settings = journal::kafka::settings_of(config.journal().kafka(), folder);
  if (!settings.ok()) return settings.status();
  const bool writes = config.role() != config::v1::PROCESS_ROLE_READER;
  auto opened = KafkaJournal::open(*std::move(settings), writes ? Access::kWriter : Access::kReader);
  if (!opened.ok()) return opened.status();
  kafka_ = std::move(*opened);
  for (int p = 0; p < kafka_->partitions(); ++p) partitions_.push_back(&kafka_->partition(p));
  if (writes) {
    auto channel = kafka_->heartbeats();
    if (!channel.ok()) return channel.status();
    heartbeats_ = std::move(*channel);
  }
  checker_ = std::thread([this, interval_s = config.journal().kafka().check_interval_s()] {
    check_again_and_again(interval_s);
  });
  return absl::OkStatus();
}

void ProcessJournal::check_again_and_again(int64_t interval_s) {
  std::unique_lock lock(mutex_);
  while (!wake_.wait_for(lock, std::chrono::seconds(interval_s), [this] { return closing_; })) {
    lock.unlock();
    const absl::Status checked = kafka_->check();
    lock.lock();
    // What could not be seen is no finding; that the brokers are away is told by itself.
    if (absl::IsUnavailable(checked)) continue;
    unsafe_why_ = std::string(checked.message());
    if (!checked.ok()) {
      log(LogLevel::kError, "journal_topic_unsafe", {{"why", unsafe_why_}});
    }
  }
}

bool ProcessJournal::empty() const { return partitions_.front()->end() == 0; }

bool ProcessJournal::reachable() const { return !kafka_ || kafka_->reachable(); }

std::string ProcessJournal::unsafe_why() const {
  const std::lock_guard lock(mutex_);
  return unsafe_why_;
}

void ProcessJournal::close() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
  }
  wake_.notify_all();
  if (checker_.joinable()) checker_.join();
  heartbeats_.reset();
  if (segments_) segments_->close();
  if (kafka_) kafka_->close();
}

}  // namespace taizhang
