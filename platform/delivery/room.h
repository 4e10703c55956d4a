// Memory for the events that deliveries hold until they are handed out, of all subscriptions
// together. Private to platform/delivery.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace taizhang::delivery {

// Of the delivering thread; what is atomic others may read.
struct Room {
  const size_t bytes_max;
  std::atomic<size_t> bytes{0};
  // Events for which there was none: they are read again when it is their turn.
  std::atomic<int64_t> refused{0};
};

}  // namespace taizhang::delivery
