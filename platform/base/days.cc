// Calendar days of the zone +08:00.
#include "platform/base/days.h"

#include <chrono>

namespace taizhang {

int32_t shanghai_day(int64_t time_us) {
  using namespace std::chrono;  // NOLINT: calendar arithmetic reads better so
  const auto local = sys_time<microseconds>(microseconds(time_us)) + hours(8);
  const year_month_day day(floor<days>(local));
  return static_cast<int32_t>(int{day.year()} * 10'000 +
                              static_cast<int>(unsigned{day.month()}) * 100 +
                              static_cast<int>(unsigned{day.day()}));
}

}  // namespace taizhang
