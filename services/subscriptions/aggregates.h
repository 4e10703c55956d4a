// What the aggregates of this context register, and what they share.
#pragma once

#include <string>

#include "platform/command/registry.h"
#include "taizhang/subscriptions/state/v1/state.pb.h"

namespace taizhang::subscriptions {

void register_subscription(Registry& registry);
void register_parking(Registry& registry);
void register_progress(Registry& registry);

// Null: there is none of that name.
template <class Command>
const state::v1::Subscription* find_subscription(const Ledger& ledger, const Command& command) {
  return ledger.find<state::v1::Subscription>(command.ledger(), command.name());
}

}  // namespace taizhang::subscriptions
