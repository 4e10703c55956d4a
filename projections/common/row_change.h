// Who made a version of a row, when and why: for the history queries of views.
#pragma once

#include <cstdint>

#include "platform/projection/snapshot.h"

namespace taizhang {
namespace common::v1 {
class RowChange;
}

// Event ids an answer lists for an aggregate at most.
inline constexpr int kAggregateEventIdsMax = 100;

// `seq` of the event that made the version. `pending` when the view that keeps the events is not
// that far yet.
common::v1::RowChange change_of(const Snapshot& snapshot, int64_t seq);

// Adds "<ledger>/<seq>" to the row's event_ids; nothing for 0.
template <class Row>
void add_event_id(const Snapshot& snapshot, int64_t seq, Row& row) {
  if (seq != 0) row.add_event_ids(event_id(snapshot.ledger(), seq));
}

}  // namespace taizhang
