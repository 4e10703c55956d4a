// Calendar days of the zone +08:00, as yyyymmdd.
#pragma once

#include <cstdint>

namespace taizhang {

// Day in +08:00 of an instant given in microseconds since 1970-01-01 UTC.
int32_t shanghai_day(int64_t time_us);

}  // namespace taizhang
