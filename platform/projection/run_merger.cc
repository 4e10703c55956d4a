// Merging within the uppermost level.
#include "platform/projection/run_merger.h"

#include <rocksdb/convenience.h>
#include <rocksdb/db.h>
#include <rocksdb/metadata.h>
#include <rocksdb/options.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "platform/projection/rocks_status.h"

namespace taizhang::projection {
namespace {

constexpr int kUppermost = 0;

size_t files_of_uppermost(rocksdb::DB& db) {
  std::string files;
  db.GetProperty(rocksdb::DB::Properties::kNumFilesAtLevelPrefix + std::to_string(kUppermost),
                 &files);
  return std::stoul(files);
}

}  // namespace

RunMerger::~RunMerger() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    // A merge may take long, and is begun anew by whoever goes on with the build.
    if (merging_) rocksdb::CancelAllBackgroundWork(&db_);
  }
  thread_.join();
}

absl::Status RunMerger::make_room() {
  const size_t files = files_of_uppermost(db_);
  std::unique_lock lock(mutex_);
  const size_t runs = files - std::min(files, merged_);
  if (runs < kRunsMax) return absl::OkStatus();
  if (runs >= 2 * kRunsMax) changed_.wait(lock, [this] { return !merging_; });
  if (merging_) return absl::OkStatus();
  if (thread_.joinable()) thread_.join();
  if (!status_.ok()) return std::exchange(status_, absl::OkStatus());
  merging_ = true;
  thread_ = std::thread([this] { merge(); });
  return absl::OkStatus();
}

void RunMerger::merge() {
  rocksdb::ColumnFamilyMetaData all;
  db_.GetColumnFamilyMetaData(&all);
  auto files = std::move(all.levels.front().files);
  // Newest first.
  std::sort(files.begin(), files.end(),
            [](const auto& a, const auto& b) { return a.largest_seqno > b.largest_seqno; });
  // What came from merges is merged again when there is as much of it as of runs.
  const size_t kept = merged_ < kRunsMax ? std::min(merged_, files.size()) : 0;
  std::vector<std::string> names;
  for (size_t i = 0; i < files.size() - kept; ++i) names.push_back(files[i].name);
  rocksdb::CompactionOptions options;
  options.compression = rocksdb::kDisableCompressionOption;  // as the database has it
  const auto merged = db_.CompactFiles(options, names, kUppermost);
  const std::lock_guard lock(mutex_);
  if (merged.ok()) merged_ = kept + 1;
  // RocksDB merges some of them itself, or just did, since before the build: nothing is lost.
  const bool overtaken = merged.IsAborted() || merged.IsInvalidArgument();
  if (!merged.ok() && !overtaken) status_ = status_of(merged, "merging files of a view");
  merging_ = false;
  changed_.notify_all();
}

}  // namespace taizhang::projection
