// Personal content of rows: opened for whoever may see it, when answering and never in a fold.
#pragma once

#include <google/protobuf/message.h>

#include "platform/projection/snapshot.h"

namespace taizhang {
namespace common::v1 {
class Sealed;
}

// Opens `sealed` into a message for the caller of the snapshot. False: withheld, the message is
// empty; the caller may not see personal content, or it was sealed by a scheme or key that is not
// at hand.
bool open_personal(const Snapshot& snapshot, const common::v1::Sealed& sealed,
                   google::protobuf::Message& message);

// Fills `content` and `withheld` of a row. Nothing was given: neither.
template <class Row, class Content>
void show_personal(const Snapshot& snapshot, bool given, const common::v1::Sealed& sealed, Row& row,
                   Content* (Row::*content)()) {
  if (!given) return;
  Content opened;
  if (open_personal(snapshot, sealed, opened)) {
    *(row.*content)() = std::move(opened);
  } else {
    row.set_withheld(true);
  }
}

}  // namespace taizhang
