// The writer's state on disk: rows of all ledgers of one partition in RocksDB, with the journal
// position they stand at.
//
// Derived from the journal only, position in the same batch: whatever a crash leaves is a state the
// book was in, and the tables can always be dropped. RocksDB's WAL, which is not synced with each
// batch, keeps what was written over a kill of the process; a power cut goes back at most to the
// last sync() (decision 011). Thread-safe for reads beside one writer.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace taizhang {

struct RowStoreSettings {
  size_t cache_bytes_max = 64 << 20;
  size_t memtable_bytes_max = 32 << 20;
};

// Rows to be written together.
class RowBatch {
 public:
  RowBatch();
  ~RowBatch();
  void put(std::string_view key, std::string_view value);
  void erase(std::string_view key);

 private:
  friend class RowStore;
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

class RowStore {
 public:
  // Creates an empty store when there is none. DATA_LOSS: damaged files (drop them and start again:
  // they are derived).
  static absl::StatusOr<std::unique_ptr<RowStore>> open(const std::string& folder,
                                                        const RowStoreSettings& settings);
  ~RowStore();

  // nullopt: absent. DATA_LOSS: damaged.
  absl::StatusOr<std::optional<std::string>> get(std::string_view key) const;
  // Value of the last key that is not behind `key` and starts with `prefix`; nullopt: none.
  absl::StatusOr<std::optional<std::string>> at_or_before(std::string_view key,
                                                          std::string_view prefix) const;
  // Keys starting with `prefix` in order, until `visit` returns false.
  absl::Status scan(
      std::string_view prefix,
      const std::function<bool(std::string_view key, std::string_view value)>& visit) const;

  // One atomic batch. RESOURCE_EXHAUSTED: disk full, nothing was written.
  absl::Status write(RowBatch& batch);
  // Everything written survives a power cut when this returns OK.
  absl::Status sync();
  // The same, and the next open() has no WAL to read.
  absl::Status flush();

 private:
  struct Impl;
  explicit RowStore(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace taizhang
