// The view of the ledger itself: its events by position, subject and type, and as they happen.
#pragma once

#include <cstdint>

#include "platform/projection/view.h"

namespace taizhang::ledger_view {

// Of Subscribe; settings `views.subscribe_…` of config.proto.
struct SubscribeLimits {
  // One message.
  int batch_events_max = 1'000;
  size_t batch_bytes_max = 262'144;
  // Newest events of a ledger kept for the subscriptions that have caught up.
  size_t tail_events_max = 1'024;
  size_t tail_bytes_max = 1'048'576;
};

// LedgerService.ReadEvents and Subscribe; also where the other views look up who, when and why of
// an event.
View ledger_view(const SubscribeLimits& limits = {});

}  // namespace taizhang::ledger_view
