// Calendar days as yyyymmdd integers, and the periods of the calendar. Gregorian, 1900-01-01 to
// 2199-12-31.
//
// A "day" is always a valid yyyymmdd unless a function says otherwise. Stateless.
#pragma once

#include <cstdint>
#include <string>

namespace taizhang {
namespace common::v1 {
class Date;
}
namespace rules::v1 {
class MonthDay;
enum CalendarPeriod : int;
}  // namespace rules::v1

// Later than every day: stands for "open" where days are compared.
inline constexpr int32_t kOpenDay = 99'999'999;

bool is_day(int32_t yyyymmdd);
// Any message, also an invalid one; 0 for an empty one.
int32_t day_of(const common::v1::Date& date);
common::v1::Date date_of(int32_t day);
// "2017-08-15".
std::string day_text(int32_t day);

// Days since 1970-01-01, may be negative.
int32_t day_number(int32_t day);
// The caller keeps the result inside 1900-2199.
int32_t add_days(int32_t day, int32_t count);
// later - earlier; negative when the order is the other way round.
int32_t days_between(int32_t earlier, int32_t later);

struct DayRange {
  int32_t first;
  int32_t last;  // inclusive
  bool contains(int32_t day) const { return first <= day && day <= last; }
  bool operator==(const DayRange&) const = default;
};

// The period that holds `day`.
DayRange period_of(rules::v1::CalendarPeriod kind, int32_t day);
DayRange period_before(rules::v1::CalendarPeriod kind, const DayRange& period);
// How many of them make a year: 36, 12, 4, 2, 1.
int32_t periods_a_year(rules::v1::CalendarPeriod kind);

// 29 February becomes the 28th in a year without it.
int32_t day_in_year(const rules::v1::MonthDay& month_day, int32_t year);
// Real in a leap year.
bool is_month_day(const rules::v1::MonthDay& month_day);

}  // namespace taizhang
