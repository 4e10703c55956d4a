// What RocksDB says, in the words of the rest.
#pragma once

#include <string_view>

#include "absl/status/status.h"

namespace rocksdb {
class Status;
}

namespace taizhang::projection {

// RESOURCE_EXHAUSTED: no disk. DATA_LOSS: damaged.
absl::Status status_of(const rocksdb::Status& status, std::string_view doing);

}  // namespace taizhang::projection
