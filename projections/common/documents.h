// Documents behind an event.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "platform/projection/snapshot.h"

namespace taizhang {

// Ids of the documents the event names and of the one it was recorded from, each once.
std::vector<std::string> documents_of(const EventMeta& meta);
// Of the event of that seq; empty when the view that keeps the events is not that far yet.
std::vector<std::string> documents_of(const Snapshot& snapshot, int64_t seq);

}  // namespace taizhang
