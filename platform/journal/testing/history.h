// Writes histories for tests: each call gives the bytes of the next valid record on everything made
// so far.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "platform/base/clock.h"
#include "platform/journal/fold.h"
#include "platform/journal/record.h"

namespace taizhang::journal::testing {

// Sixteen times the same byte.
Id128 id(uint8_t byte);

class History {
 public:
  explicit History(uint8_t uuid = 0xAA, uint32_t partition = 0, uint32_t partition_count = 1);

  std::string genesis();
  std::string claim(uint8_t owner);
  std::string release();
  std::string barrier();
  std::string open(std::string_view ledger, uint64_t generation = 1, int64_t next_seq = 1);
  std::string close(std::string_view ledger, uint64_t generation);
  std::string commit(std::string_view ledger, int events = 1, size_t payload_bytes = 20);
  std::string settle(std::string_view ledger);
  std::string mark();

  // Genesis, a claim, and one open ledger "510101"; as records.
  std::vector<std::string> begin();

  // The next record as the current writer would write it, with this body; not applied.
  std::string next(Kind kind, std::string_view body, uint64_t n_ahead = 1) const;
  const Fold& fold() const { return fold_; }
  int64_t next_time_us() { return ++time_us_; }

 private:
  std::string applied(std::string record);

  Id128 uuid_;
  uint32_t partition_;
  uint32_t partition_count_;
  int64_t time_us_ = 1'700'000'000'000'000;
  Fold fold_;
};

// Both clocks stand still until they are told to move.
class ManualClock : public Clock {
 public:
  int64_t wall_us() override { return wall_us_; }
  int64_t boot_us() override { return boot_us_; }
  void advance_us(int64_t by) {
    wall_us_ += by;
    boot_us_ += by;
  }
  void step_wall_us(int64_t by) { wall_us_ += by; }

 private:
  int64_t wall_us_ = 1'700'000'000'000'000;
  int64_t boot_us_ = 1'000'000;
};

// The same numbers for the same seed. Not for secrets.
class SeededRandom : public Random {
 public:
  explicit SeededRandom(uint64_t seed) : state_(seed * 2 + 1) {}
  std::string bytes(size_t count) override;
  uint64_t next();
  // 0 … bound - 1.
  uint64_t below(uint64_t bound) { return next() % bound; }
  bool one_in(uint64_t chances) { return below(chances) == 0; }

 private:
  uint64_t state_;
};

}  // namespace taizhang::journal::testing
