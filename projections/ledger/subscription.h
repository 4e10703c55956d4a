// One Subscribe call: events after a position, then as they happen.
#pragma once

#include <google/protobuf/message.h>

#include <memory>
#include <variant>

#include "platform/projection/view.h"
#include "projections/ledger/ledger_view.h"
#include "projections/ledger/live_tail.h"

namespace taizhang::ledger_view {

// Pulled message by message, so that a slow reader holds nothing but its position. A batch is an
// EncodedBatch, every other message a SubscribeResponse: the same on the wire.
std::variant<std::unique_ptr<ServerStream>, Error> open_subscription(
    const SubscribeLimits& limits, LiveTails& tails, std::shared_ptr<LiveView> view,
    const Call& call, std::shared_ptr<const google::protobuf::Message> request);

}  // namespace taizhang::ledger_view
