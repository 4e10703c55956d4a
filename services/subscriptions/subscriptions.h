// Named subscriptions: their making, their progress, and what is kept back or given up. Decided on
// the system ledger of the partition in which the followed ledger lives.
#pragma once

namespace taizhang {

class Registry;

void register_subscriptions(Registry& registry);

}  // namespace taizhang
