// Signs of life between the processes that may own a journal's partitions (design §3.4). They never
// stand in the journal, and they decide nothing: they only tell when claiming is worth a try.
#pragma once

#include <cstdint>
#include <vector>

#include "platform/journal/record.h"

namespace taizhang::journal {

struct Heartbeat {
  Id128 journal{};   // UUID of its Genesis
  Id128 sender{};    // random, one per process start
  uint32_t partition = 0;
  // The claim the sender serves from, or has just produced; epoch 0: it only listens.
  uint64_t epoch = 0;
  Id128 owner{};
  // Grows with what the sender has confirmed; stands still with `waiting` set: it hangs.
  uint64_t progress = 0;
  bool waiting = false;  // commands wait or are in flight

  friend bool operator==(const Heartbeat&, const Heartbeat&) = default;
};

// A short-lived log that all processes of a journal share. Thread-safe.
class HeartbeatChannel {
 public:
  virtual ~HeartbeatChannel() = default;
  // Fire and forget: lost heartbeats are what the channel is for.
  virtual void send(const Heartbeat& heartbeat) = 0;
  // What arrived since the last poll, of everybody and oneself, in log order; at most the newest
  // few thousand.
  virtual std::vector<Heartbeat> poll() = 0;
};

}  // namespace taizhang::journal
