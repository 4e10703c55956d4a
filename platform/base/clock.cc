// The machine's clock and randomness.
#include "platform/base/clock.h"

#include <sys/random.h>
#include <time.h>

#include <cstdlib>

namespace taizhang {
namespace {

int64_t read_clock_us(clockid_t id) {
  timespec now{};
  clock_gettime(id, &now);
  return static_cast<int64_t>(now.tv_sec) * 1'000'000 + now.tv_nsec / 1'000;
}

class SystemClock : public Clock {
 public:
  int64_t wall_us() override { return read_clock_us(CLOCK_REALTIME); }
  int64_t boot_us() override { return read_clock_us(CLOCK_BOOTTIME); }
};

class SystemRandom : public Random {
 public:
  std::string bytes(size_t count) override {
    std::string out(count, '\0');
    size_t done = 0;
    while (done < count) {
      const ssize_t got = getrandom(out.data() + done, count - done, 0);
      if (got < 0) abort();  // the kernel's source cannot fail once it is initialised
      done += static_cast<size_t>(got);
    }
    return out;
  }
};

}  // namespace

Clock& system_clock() {
  static SystemClock clock;
  return clock;
}

Random& system_random() {
  static SystemRandom random;
  return random;
}

}  // namespace taizhang
