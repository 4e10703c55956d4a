// Clock and randomness as seams, so that a simulation can drive a process from one seed.
#pragma once

#include <cstdint>
#include <string>

namespace taizhang {

class Clock {
 public:
  virtual ~Clock() = default;
  // Wall clock, microseconds since 1970-01-01 UTC. May step.
  virtual int64_t wall_us() = 0;
  // Boot-time clock, microseconds; never steps, runs on while the machine sleeps.
  virtual int64_t boot_us() = 0;
};

class Random {
 public:
  virtual ~Random() = default;
  // `count` random bytes; the system's source is the kernel's.
  virtual std::string bytes(size_t count) = 0;
};

// The machine's own. Thread-safe, live for ever.
Clock& system_clock();
Random& system_random();

}  // namespace taizhang
