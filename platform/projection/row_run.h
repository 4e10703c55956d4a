// Row versions on their way into a view's files, and where the newest of a row stands among them.
#pragma once

#include <cstdint>
#include <string_view>

#include "absl/container/flat_hash_map.h"
#include "platform/projection/puts.h"

namespace taizhang::projection {

// Written by the fold; while it is on its way into the store, `puts` is not touched any more.
struct RowRun {
  uint64_t number = 0;
  Puts puts;
  // Row key without version → its newest value, of rows that the fold does not keep decoded. Views
  // into `puts`.
  absl::flat_hash_map<std::string_view, std::string_view> newest;

  int64_t bytes() const {
    constexpr int64_t kEntryBytes = 2 * sizeof(std::string_view) + 1;
    return puts.bytes() + static_cast<int64_t>(newest.capacity()) * kEntryBytes;
  }
};

}  // namespace taizhang::projection
