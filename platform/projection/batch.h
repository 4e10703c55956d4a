// Decoded commits of a stretch of the journal, shared by the views that fold it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <google/protobuf/arena.h>

#include "platform/projection/view.h"

namespace taizhang::projection {

struct DecodedEvent {
  // meta.event is null when the event was not parsed: its type is unknown, its payload is not of its type, or no reader
  // of this batch wants it.
  EventMeta meta;
  const google::protobuf::Descriptor* type = nullptr;  // null: unknown to this program
};

struct DecodedCommit {
  CommitMeta meta;  // meta.events points at `metas`
  std::vector<DecodedEvent> events;
  std::vector<EventMeta> metas;
};

// Immutable once read; everything it points at lives as long as it does.
struct Batch {
  int64_t start = 0;  // journal offsets: [start, end)
  int64_t end = 0;
  std::vector<DecodedCommit> commits;
  int64_t events = 0;
  int64_t bytes = 0;  // of the records
  // State of the journal's fold after the batch: kept by views beside their rows.
  std::string partition_row;
  std::vector<std::pair<std::string, std::string>> ledger_rows;  // of the ledgers the batch touched
  int64_t closed_time_us = 0;
  google::protobuf::Arena arena;
};

}  // namespace taizhang::projection
