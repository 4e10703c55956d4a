// Subscriptions as a whole.
#include "services/subscriptions/subscriptions.h"

#include "services/subscriptions/aggregates.h"

namespace taizhang {

void register_subscriptions(Registry& registry) {
  subscriptions::register_subscription(registry);
  subscriptions::register_parking(registry);
  subscriptions::register_progress(registry);
}

}  // namespace taizhang
