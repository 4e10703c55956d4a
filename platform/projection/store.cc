// RocksDB behind a view.
#include "platform/projection/store.h"

#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/options.h>
#include <rocksdb/slice_transform.h>
#include <rocksdb/sst_file_writer.h>
#include <rocksdb/sst_file_manager.h>
#include <rocksdb/table.h>
#include <rocksdb/write_batch.h>
#include <rocksdb/write_buffer_manager.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <thread>

#include "platform/base/clock.h"
#include "platform/projection/rocks_status.h"
#include "platform/projection/run_merger.h"

namespace taizhang::projection {
namespace {

// Its number is raised when keys or values change: files of another one are built anew.
constexpr std::string_view kFormatName = "taizhang view ";
constexpr std::string_view kFormat = "taizhang view 2";
constexpr std::string_view kFormatKey = "format";
constexpr std::string_view kBuildKey = "build";
// The file that ingest() writes before it becomes one of the store's; one that a kill left is
// written over. RocksDB does not know the name and leaves it alone.
constexpr std::string_view kSortedFile = "sorted.tmp";
// Files of the uppermost level, which overlap, before they are merged into the next: few, because
// reads go through each of them. In a build RunMerger says how many.
constexpr int kLiveFilesMax = 4;
constexpr int kBuildFilesMax = 3 * static_cast<int>(RunMerger::kRunsMax);
// Of which a store keeps so many open.
constexpr int kOpenFilesMax = 512;
// Larger than usual: rows are small, and most are read, written and merged in long runs.
constexpr size_t kBlockBytes = 16 << 10;
// Read at once by a cursor for long runs.
constexpr size_t kRunReadBytes = 131'072;

rocksdb::Slice slice(std::string_view view) { return {view.data(), view.size()}; }
std::string_view view_of(const rocksdb::Slice& slice) { return {slice.data(), slice.size()}; }

// All versions of a row share a prefix, so that a file that does not hold the row is not read. Row
// keys are only ever sought with a version, so the transform is never applied to its own result.
class RowPrefix : public rocksdb::SliceTransform {
 public:
  const char* Name() const override { return "taizhang.RowPrefix"; }
  rocksdb::Slice Transform(const rocksdb::Slice& key) const override {
    return {key.data(), key.size() - store_key::kVersionBytes};
  }
  bool InDomain(const rocksdb::Slice& key) const override {
    return key.size() > store_key::kVersionBytes && key[0] == store_key::kRow;
  }
};

rocksdb::BlockBasedTableOptions table_options() {
  rocksdb::BlockBasedTableOptions table;
  // In partitions: a whole filter may not fit a shard of the cache, and would be read and hashed
  // for every seek.
  table.index_type = rocksdb::BlockBasedTableOptions::kTwoLevelIndexSearch;
  table.partition_filters = true;
  table.cache_index_and_filter_blocks = true;
  table.pin_top_level_index_and_filter = true;
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  table.whole_key_filtering = false;
  table.format_version = 5;
  table.block_size = kBlockBytes;
  // A build's runs are many, and each is asked for every row that is read.
  table.pin_l0_filter_and_index_blocks_in_cache = true;
  return table;
}

// Small files whose filter is one piece and stays in memory: see RunMerger.
std::shared_ptr<rocksdb::TableFactory> table_of_runs() {
  rocksdb::BlockBasedTableOptions table = table_options();
  table.partition_filters = false;
  return std::shared_ptr<rocksdb::TableFactory>(rocksdb::NewBlockBasedTableFactory(table));
}

// RocksDB's own diary is not kept: on a full disk the writer of that file meets an assertion in
// Debian's build and takes the process with it. What matters comes back as a status.
class NoDiary : public rocksdb::Logger {
 public:
  using rocksdb::Logger::Logv;
  void Logv(const char*, va_list) override {}
};

class RocksCursor : public StoreCursor {
 public:
  RocksCursor(std::unique_ptr<rocksdb::Iterator> iterator) : iterator_(std::move(iterator)) {}
  void seek(std::string_view key) override { iterator_->Seek(slice(key)); }
  void seek_for_prev(std::string_view key) override { iterator_->SeekForPrev(slice(key)); }
  void next() override { iterator_->Next(); }
  bool valid() const override { return iterator_->Valid(); }
  std::string_view key() const override { return view_of(iterator_->key()); }
  std::string_view value() const override { return view_of(iterator_->value()); }
  absl::Status status() const override { return status_of(iterator_->status(), "reading a view"); }

 private:
  std::unique_ptr<rocksdb::Iterator> iterator_;
};

}  // namespace

absl::Status status_of(const rocksdb::Status& status, std::string_view doing) {
  if (status.ok()) return absl::OkStatus();
  const std::string text = std::string(doing) + ": " + status.ToString();
  // Too large: for what the disk has left, after it had nothing left.
  if (status.IsNoSpace() || status.subcode() == rocksdb::Status::kNoSpace ||
      status.IsCompactionTooLarge())
    return absl::ResourceExhaustedError(text);
  if (status.IsCorruption()) return absl::DataLossError(text);
  return absl::InternalError(text);
}

class StoreResources {
 public:
  std::shared_ptr<rocksdb::Cache> cache;
  std::shared_ptr<rocksdb::WriteBufferManager> write_buffers;
  int64_t write_buffers_bytes = 0;
};

class Store::Moment {
 public:
  Moment(rocksdb::DB* db) : db_(db), snapshot_(db->GetSnapshot()) {}
  ~Moment() { db_->ReleaseSnapshot(snapshot_); }
  Moment(const Moment&) = delete;
  const rocksdb::Snapshot* snapshot() const { return snapshot_; }

 private:
  rocksdb::DB* db_;
  const rocksdb::Snapshot* snapshot_;
};

namespace {

class RocksStore : public Store {
 public:
  RocksStore(std::unique_ptr<rocksdb::DB> db, std::string directory,
             std::shared_ptr<StoreResources> resources)
      : directory_(std::move(directory)),
        resources_(std::move(resources)),
        db_(std::move(db)),
        merger_(*db_) {}

  const std::string& build_id() const override { return build_id_; }

  absl::Status begin() {
    auto format = get(store_key::meta(kFormatKey));
    if (!format.ok()) return format.status();
    if (!*format) {
      build_id_ = system_random().bytes(16);
      Puts puts;
      puts.add(store_key::meta(kFormatKey), kFormat);
      puts.add(store_key::meta(kBuildKey), build_id_);
      return write(puts);
    }
    if (!(*format)->starts_with(kFormatName))
      return absl::DataLossError("the format of the files cannot be read");
    if (**format != kFormat)
      return absl::FailedPreconditionError("the files are of format \"" + **format + "\"");
    auto build = get(store_key::meta(kBuildKey));
    if (!build.ok()) return build.status();
    if (!*build) return absl::DataLossError("the build id is missing");
    build_id_ = **build;
    return absl::OkStatus();
  }

  absl::StatusOr<std::optional<std::string>> get(std::string_view key) const override {
    return get(key, nullptr);
  }
  absl::StatusOr<std::optional<std::string>> get(std::string_view key,
                                                 const Moment& at) const override {
    return get(key, &at);
  }

  using Store::write;
  absl::Status write(const SortedPuts& puts) override {
    batch_.Clear();
    for (const Puts::Put& put : puts) {
      const auto added = batch_.Put(slice(put.key()), slice(put.value()));
      if (!added.ok()) return status_of(added, "filling a write batch");
    }
    rocksdb::WriteOptions options;
    options.disableWAL = true;  // the journal is the log
    return status_of(db_->Write(options, &batch_), "writing a view");
  }

  absl::Status ingest(const SortedPuts& puts) override {
    if (auto room = merger_.make_room(); !room.ok()) return room;
    const std::string file = directory_ + "/" + std::string(kSortedFile);
    rocksdb::Options options = db_->GetOptions();
    options.table_factory = run_table_;
    rocksdb::SstFileWriter writer(rocksdb::EnvOptions(), options);
    auto status = writer.Open(file);
    for (size_t i = 0; status.ok() && i < puts.size(); ++i)
      status = writer.Put(slice(puts[i].key()), slice(puts[i].value()));
    if (status.ok()) status = writer.Finish();
    if (status.ok()) {
      rocksdb::IngestExternalFileOptions how;
      how.move_files = true;
      status = db_->IngestExternalFile({file}, how);
    }
    std::error_code ignored;
    std::filesystem::remove(file, ignored);
    return status_of(status, "writing a sorted file of a view");
  }

  absl::Status set_building(bool building) override {
    return status_of(db_->SetOptions({{"disable_auto_compactions", building ? "true" : "false"}}),
                     "setting whether files are merged");
  }

  void settle() const override {
    constexpr auto kLookEvery = std::chrono::milliseconds(10);
    const auto number = [this](const std::string& property) {
      uint64_t value = 0;
      db_->GetIntProperty(property, &value);
      return value;
    };
    using Properties = rocksdb::DB::Properties;
    while (number(Properties::kCompactionPending) + number(Properties::kNumRunningCompactions) > 0)
      std::this_thread::sleep_for(kLookEvery);
  }

  absl::Status resume() override { return status_of(db_->Resume(), "resuming writes"); }

  absl::Status flush() override {
    rocksdb::FlushOptions options;
    options.wait = true;
    return status_of(db_->Flush(options), "flushing a view");
  }

  absl::Status verify_files() const override {
    rocksdb::ReadOptions options;
    options.fill_cache = false;
    return status_of(db_->VerifyChecksum(options), "verifying the files of a view");
  }

  std::unique_ptr<StoreCursor> cursor(CursorKind kind, const Moment* at) const override {
    rocksdb::ReadOptions options;
    options.verify_checksums = true;
    if (at) options.snapshot = at->snapshot();
    if (kind == CursorKind::kVersions) {
      options.prefix_same_as_start = true;
    } else {
      options.total_order_seek = true;
    }
    if (kind == CursorKind::kRun) {
      options.fill_cache = false;
      options.readahead_size = kRunReadBytes;
    }
    return std::make_unique<RocksCursor>(
        std::unique_ptr<rocksdb::Iterator>(db_->NewIterator(options)));
  }

  std::shared_ptr<const Moment> moment() const override {
    return std::make_shared<Moment>(db_.get());
  }

 private:
  absl::StatusOr<std::optional<std::string>> get(std::string_view key, const Moment* at) const {
    rocksdb::ReadOptions options;
    options.verify_checksums = true;
    if (at) options.snapshot = at->snapshot();
    std::string value;
    const auto status = db_->Get(options, slice(key), &value);
    if (status.IsNotFound()) return std::optional<std::string>();
    if (!status.ok()) return status_of(status, "reading a view");
    return std::optional<std::string>(std::move(value));
  }

  const std::string directory_;
  std::shared_ptr<StoreResources> resources_;
  std::unique_ptr<rocksdb::DB> db_;
  const std::shared_ptr<rocksdb::TableFactory> run_table_ = table_of_runs();
  RunMerger merger_;
  rocksdb::WriteBatch batch_;
  std::string build_id_;
};

rocksdb::Options options_for(const StoreResources& resources) {
  rocksdb::Options options;
  options.create_if_missing = true;
  options.paranoid_checks = true;
  options.write_buffer_manager = resources.write_buffers;
  options.write_buffer_size =
      static_cast<size_t>(std::max<int64_t>(resources.write_buffers_bytes / 3, 1 << 20));
  options.max_write_buffer_number = 3;
  options.prefix_extractor = std::make_shared<RowPrefix>();
  options.memtable_prefix_bloom_size_ratio = 0.02;
  options.allow_concurrent_memtable_write = false;  // one thread writes
  // Batches come sorted: each key is sought from the one before.
  options.memtable_insert_with_hint_prefix_extractor.reset(rocksdb::NewFixedPrefixTransform(1));
  options.level_compaction_dynamic_level_bytes = true;
  options.level0_file_num_compaction_trigger = kLiveFilesMax;
  // A view that was just built serves at once, while its files are still being merged.
  options.level0_slowdown_writes_trigger = 2 * kBuildFilesMax;
  options.level0_stop_writes_trigger = 3 * kBuildFilesMax;
  options.compression = rocksdb::kLZ4Compression;
  options.max_background_jobs = 2;
  options.max_open_files = kOpenFilesMax;
  options.info_log = std::make_shared<NoDiary>();
  options.stats_dump_period_sec = 0;
  options.sst_file_manager.reset(
      rocksdb::NewSstFileManager(rocksdb::Env::Default()));  // recovers from a full disk
  rocksdb::BlockBasedTableOptions table = table_options();
  table.block_cache = resources.cache;
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return options;
}

}  // namespace

std::shared_ptr<StoreResources> make_store_resources(int64_t block_cache_bytes,
                                                     int64_t write_buffers_bytes) {
  auto resources = std::make_shared<StoreResources>();
  constexpr int kShardBits = 2;  // few threads read; large shards hold large blocks
  resources->cache = rocksdb::NewLRUCache(static_cast<size_t>(block_cache_bytes), kShardBits);
  resources->write_buffers = std::make_shared<rocksdb::WriteBufferManager>(
      static_cast<size_t>(write_buffers_bytes), nullptr);
  resources->write_buffers_bytes = write_buffers_bytes;
  return resources;
}

absl::StatusOr<std::shared_ptr<Store>> Store::open(const std::string& directory,
                                                   std::shared_ptr<StoreResources> resources) {
  std::error_code made;
  std::filesystem::create_directories(directory, made);
  if (made) return absl::InternalError("cannot make the directory of a view: " + made.message());
  rocksdb::DB* db = nullptr;
  const auto opened = rocksdb::DB::Open(options_for(*resources), directory, &db);
  if (!opened.ok()) {
    // A missing or unreadable file of an existing view is damage as well.
    auto status = status_of(opened, "opening a view");
    if (status.code() == absl::StatusCode::kInternal && !opened.IsBusy()) {
      status = absl::DataLossError(std::string(status.message()));
    }
    return status;
  }
  auto store = std::make_shared<RocksStore>(std::unique_ptr<rocksdb::DB>(db), directory,
                                            std::move(resources));
  if (auto begun = store->begin(); !begun.ok()) return begun;
  return std::shared_ptr<Store>(std::move(store));
}

absl::Status Store::destroy(const std::string& directory) {
  std::error_code removed;
  std::filesystem::remove_all(directory, removed);
  if (removed)
    return absl::InternalError("cannot remove the files of a view: " + removed.message());
  return absl::OkStatus();
}

}  // namespace taizhang::projection
