// Delivery of named subscriptions, wired to the views and writers of this process.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

namespace taizhang {

class Dispatcher;
class Views;
class Writers;

namespace delivery {
class Delivery;
}

// Serves SubscriptionService, but for its commands, as far as this process can. Null: it keeps no
// views, or not that of subscriptions. `writers` null: it only tells. `readings`: for operators;
// not made where nobody sees them. `held_bytes_max`: see delivery::Parts. All must outlive it; it
// is to be started when `dispatcher` takes commands.
std::unique_ptr<delivery::Delivery> make_delivery(Dispatcher& dispatcher, Views* views,
                                                  const Writers* writers, uint32_t partitions,
                                                  bool readings, size_t held_bytes_max);

}  // namespace taizhang
