// Row versions on their way into a view's files, and where the newest of a row stands among them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "absl/container/flat_hash_set.h"
#include "absl/hash/hash.h"
#include "platform/projection/puts.h"
#include "platform/projection/store.h"

namespace taizhang::projection {

// A row's key as in the store, without version, and its hash: made once for all that look it up.
struct RowKey {
  std::string_view text;
  uint64_t hash = 0;

  static RowKey of(std::string_view text) { return {text, absl::Hash<std::string_view>()(text)}; }
};

// Written by the fold; while it is on its way into the store, `puts` is not touched any more.
struct RowRun {
  // The newest version of a row that the fold does not keep decoded.
  struct Newest {
    uint64_t hash;  // of the key without version
    mutable Puts::Put put;
    std::string_view key() const { return store_key::without_version(put.key()); }
  };
  struct NewestHash {
    using is_transparent = void;
    size_t operator()(const Newest& row) const { return row.hash; }
    size_t operator()(const RowKey& key) const { return key.hash; }
  };
  struct NewestEqual {
    using is_transparent = void;
    bool operator()(const Newest& a, const Newest& b) const {
      return a.hash == b.hash && a.key() == b.key();
    }
    bool operator()(const Newest& a, const RowKey& b) const {
      return a.hash == b.hash && a.key() == b.text;
    }
  };

  uint64_t number = 0;
  Puts puts;
  absl::flat_hash_set<Newest, NewestHash, NewestEqual> newest;

  // `put` is one of `puts`.
  void remember(uint64_t hash, const Puts::Put& put) {
    const auto [row, is_new] = newest.insert({hash, put});
    if (!is_new) row->put = put;
  }

  void clear() {
    puts.clear();
    // The next one is likely as large, and clear() gives the memory back.
    const size_t rows = newest.size();
    newest.clear();
    newest.reserve(rows);
  }

  int64_t bytes() const {
    constexpr int64_t kEntryBytes = sizeof(Newest) + 1;
    return puts.bytes() + static_cast<int64_t>(newest.capacity()) * kEntryBytes;
  }
};

}  // namespace taizhang::projection
