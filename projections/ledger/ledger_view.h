// The view of the ledger itself: its events by position, subject and type, and as they happen.
#pragma once

#include "platform/projection/view.h"

namespace taizhang::ledger_view {

// LedgerService.ReadEvents and Subscribe; also where the other views look up who, when and why of
// an event.
View ledger_view();

}  // namespace taizhang::ledger_view
