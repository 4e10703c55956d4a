// The writer's state on disk, in RocksDB.
#include "platform/state/row_store.h"

#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/table.h>
#include <rocksdb/write_batch.h>

namespace taizhang {
namespace {

rocksdb::Slice slice(std::string_view text) { return {text.data(), text.size()}; }
std::string_view view(const rocksdb::Slice& text) { return {text.data(), text.size()}; }

constexpr uint64_t kWalBytesPerSync = 1 << 20;

// RocksDB's own words stay in the log; a caller gets the kind of trouble.
absl::Status status_of(const rocksdb::Status& status) {
  if (status.ok()) return absl::OkStatus();
  const std::string text = "state tables: " + status.ToString();
  if (status.IsNoSpace()) return absl::ResourceExhaustedError(text);
  if (status.IsCorruption()) return absl::DataLossError(text);
  return absl::InternalError(text);
}

// RocksDB's own diary is not kept: on a full disk the writer of that file meets an assertion in
// Debian's build and takes the process with it. What matters comes back as a status.
class NoDiary : public rocksdb::Logger {
 public:
  using rocksdb::Logger::Logv;
  void Logv(const char*, va_list) override {}
};

}  // namespace

struct RowBatch::Impl {
  rocksdb::WriteBatch writes;
  rocksdb::Status status;  // the first failure to take a row in
};

RowBatch::RowBatch() : impl_(std::make_unique<Impl>()) {}
RowBatch::~RowBatch() = default;

void RowBatch::put(std::string_view key, std::string_view value) {
  const auto taken = impl_->writes.Put(slice(key), slice(value));
  if (impl_->status.ok()) impl_->status = taken;
}

void RowBatch::erase(std::string_view key) {
  const auto taken = impl_->writes.Delete(slice(key));
  if (impl_->status.ok()) impl_->status = taken;
}

struct RowStore::Impl {
  std::unique_ptr<rocksdb::DB> db;
};

RowStore::RowStore(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
RowStore::~RowStore() = default;

absl::StatusOr<std::unique_ptr<RowStore>> RowStore::open(const std::string& folder,
                                                         const RowStoreSettings& settings) {
  rocksdb::Options options;
  options.create_if_missing = true;
  options.paranoid_checks = true;
  options.write_buffer_size = settings.memtable_bytes_max;
  options.max_background_jobs = 2;
  options.compression = rocksdb::kLZ4Compression;
  options.info_log = std::make_shared<NoDiary>();
  // After a power cut the batches count up to the first that is not whole.
  options.wal_recovery_mode = rocksdb::WALRecoveryMode::kPointInTimeRecovery;
  // Written back little by little: a burst would hold up the journal's fdatasync.
  options.wal_bytes_per_sync = kWalBytesPerSync;
  options.max_open_files = 256;
  options.allow_concurrent_memtable_write = false;  // one writing thread
  // Most look-ups are of ids that must not be there yet.
  options.memtable_whole_key_filtering = true;
  options.memtable_prefix_bloom_size_ratio = 0.1;
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = rocksdb::NewLRUCache(settings.cache_bytes_max);
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  // Filters stay with their open files (10 bits a row). In the block cache a filter of a megabyte
  // is thrown out and read again, checksum and all, for a look-up of one id.
  table.cache_index_and_filter_blocks = false;
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  rocksdb::DB* db = nullptr;
  const auto opened = rocksdb::DB::Open(options, folder, &db);
  if (!opened.ok()) return status_of(opened);
  auto impl = std::make_unique<Impl>();
  impl->db.reset(db);
  return std::unique_ptr<RowStore>(new RowStore(std::move(impl)));
}

absl::StatusOr<std::optional<std::string>> RowStore::get(std::string_view key) const {
  std::string value;
  const auto status = impl_->db->Get(rocksdb::ReadOptions(), slice(key), &value);
  if (status.IsNotFound()) return std::nullopt;
  if (!status.ok()) return status_of(status);
  return value;
}

absl::StatusOr<std::optional<std::string>> RowStore::at_or_before(std::string_view key,
                                                                  std::string_view prefix) const {
  const std::unique_ptr<rocksdb::Iterator> row(impl_->db->NewIterator(rocksdb::ReadOptions()));
  row->SeekForPrev(slice(key));
  if (!row->status().ok()) return status_of(row->status());
  if (!row->Valid() || !view(row->key()).starts_with(prefix)) return std::nullopt;
  return std::string(view(row->value()));
}

absl::Status RowStore::scan(
    std::string_view prefix,
    const std::function<bool(std::string_view, std::string_view)>& visit) const {
  const std::unique_ptr<rocksdb::Iterator> row(impl_->db->NewIterator(rocksdb::ReadOptions()));
  for (row->Seek(slice(prefix)); row->Valid() && view(row->key()).starts_with(prefix);
       row->Next()) {
    if (!visit(view(row->key()), view(row->value()))) break;
  }
  return status_of(row->status());
}

absl::Status RowStore::write(RowBatch& batch) {
  if (!batch.impl_->status.ok()) return status_of(batch.impl_->status);
  const rocksdb::WriteOptions options;
  auto status = impl_->db->Write(options, &batch.impl_->writes);
  // A full disk stops RocksDB's background work; once there is space again it goes on when asked.
  if (!status.ok() && impl_->db->Resume().ok())
    status = impl_->db->Write(options, &batch.impl_->writes);
  return status_of(status);
}

absl::Status RowStore::sync() {
  auto status = impl_->db->SyncWAL();
  if (!status.ok() && impl_->db->Resume().ok()) status = impl_->db->SyncWAL();
  return status_of(status);
}

absl::Status RowStore::flush() {
  rocksdb::FlushOptions options;
  options.wait = true;
  auto status = impl_->db->Flush(options);
  if (!status.ok() && impl_->db->Resume().ok()) status = impl_->db->Flush(options);
  return status_of(status);
}

}  // namespace taizhang
