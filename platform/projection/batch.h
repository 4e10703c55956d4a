// Decoded commits of a stretch of the journal, shared by the views that fold it.
#pragma once

#include <google/protobuf/arena.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "platform/projection/view.h"

namespace taizhang::projection {

struct DecodedCommit {
  CommitMeta meta;
  // Before anybody has looked, `descriptor` is null when this program does not know the type, and
  // `event` is null when that is so, when the payload is not of its type, or when no reader of this
  // batch wants it.
  std::vector<EventMeta> events;
};

// Immutable once read; everything it points at lives as long as it does.
struct Batch {
  int partition = 0;
  int64_t start = 0;  // offsets of the partition: [start, end)
  int64_t end = 0;
  std::vector<DecodedCommit> commits;
  int64_t events = 0;
  int64_t bytes = 0;  // of the records
  // State of the partition's fold after the batch: kept by views beside their rows.
  std::string partition_row;
  std::vector<std::pair<std::string, std::string>> ledger_rows;  // of the ledgers the batch touched
  int64_t closed_time_us = 0;                                    // after it
  google::protobuf::Arena arena{arena_options()};
  // Who acted and from what source, by their stored bytes: few differ within a batch.
  absl::flat_hash_map<std::string_view, const common::v1::Actor*> actors;
  absl::flat_hash_map<std::string_view, const common::v1::Source*> sources;

  // Few large blocks: a batch is made and dropped as a whole.
  static google::protobuf::ArenaOptions arena_options() {
    google::protobuf::ArenaOptions options;
    options.start_block_size = 16 << 10;
    options.max_block_size = 256 << 10;
    return options;
  }
};

}  // namespace taizhang::projection
