// Versions of rows, told by their events.
#include "projections/common/row_change.h"

#include "platform/projection/row_change.h"
#include "taizhang/common/v1/change.pb.h"

namespace taizhang {

common::v1::RowChange change_of(const Snapshot& snapshot, int64_t seq) {
  return row_change(snapshot.ledger(), seq,
                    [&](const auto& visit) { return snapshot.event(seq, visit); });
}

}  // namespace taizhang
