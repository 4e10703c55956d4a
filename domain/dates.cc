// Calendar days and periods.
#include "domain/dates.h"

#include <chrono>
#include <cstdio>

#include "taizhang/common/v1/values.pb.h"
#include "taizhang/rules/v1/values.pb.h"

namespace taizhang {
namespace {

constexpr int32_t kYearFirst = 1900;
constexpr int32_t kYearLast = 2199;
constexpr int32_t kLeapYear = 2000;

constexpr int32_t make_day(int32_t year, int32_t month, int32_t day) {
  return year * 10'000 + month * 100 + day;
}

int32_t days_in_month(int32_t year, int32_t month) {
  using namespace std::chrono;  // NOLINT: calendar arithmetic reads better so
  const year_month_day_last last(std::chrono::year(year) /
                                 std::chrono::month(static_cast<unsigned>(month)) /
                                 std::chrono::last);
  return static_cast<int32_t>(unsigned{last.day()});
}

bool is_real(int32_t year, int32_t month, int32_t day) {
  return year >= kYearFirst && year <= kYearLast && month >= 1 && month <= 12 && day >= 1 &&
         day <= days_in_month(year, month);
}

int32_t last_of_month(int32_t year, int32_t month) {
  return make_day(year, month, days_in_month(year, month));
}

std::chrono::sys_days sys_days_of(int32_t day) {
  return std::chrono::year(day / 10'000) /
         std::chrono::month(static_cast<unsigned>(day / 100 % 100)) /
         std::chrono::day(static_cast<unsigned>(day % 100));
}

}  // namespace

bool is_day(int32_t yyyymmdd) {
  return yyyymmdd > 0 && is_real(yyyymmdd / 10'000, yyyymmdd / 100 % 100, yyyymmdd % 100);
}

int32_t day_of(const common::v1::Date& date) {
  return make_day(date.year(), date.month(), date.day());
}

common::v1::Date date_of(int32_t day) {
  common::v1::Date date;
  date.set_year(day / 10'000);
  date.set_month(day / 100 % 100);
  date.set_day(day % 100);
  return date;
}

std::string day_text(int32_t day) {
  if (day >= 0 && day <= kOpenDay) {  // folds write many
    std::string text = "0000-00-00";
    for (const int place : {9, 8, 6, 5, 3, 2, 1, 0}) {
      text[static_cast<size_t>(place)] = static_cast<char>('0' + day % 10);
      day /= 10;
    }
    return text;
  }
  char text[32];
  std::snprintf(text, sizeof text, "%04d-%02d-%02d", day / 10'000, day / 100 % 100, day % 100);
  return text;
}

int32_t day_number(int32_t day) {
  return static_cast<int32_t>(sys_days_of(day).time_since_epoch().count());
}

int32_t add_days(int32_t day, int32_t count) {
  const std::chrono::year_month_day moved(sys_days_of(day) + std::chrono::days(count));
  return make_day(int{moved.year()}, static_cast<int32_t>(unsigned{moved.month()}),
                  static_cast<int32_t>(unsigned{moved.day()}));
}

int32_t days_between(int32_t earlier, int32_t later) {
  return day_number(later) - day_number(earlier);
}

DayRange period_of(rules::v1::CalendarPeriod kind, int32_t day) {
  const int32_t year = day / 10'000;
  const int32_t month = day / 100 % 100;
  switch (kind) {
    case rules::v1::CALENDAR_PERIOD_TEN_DAYS: {
      const int32_t day_of_month = day % 100;
      if (day_of_month <= 10) return {make_day(year, month, 1), make_day(year, month, 10)};
      if (day_of_month <= 20) return {make_day(year, month, 11), make_day(year, month, 20)};
      return {make_day(year, month, 21), last_of_month(year, month)};
    }
    case rules::v1::CALENDAR_PERIOD_MONTH:
      return {make_day(year, month, 1), last_of_month(year, month)};
    case rules::v1::CALENDAR_PERIOD_QUARTER: {
      const int32_t first = (month - 1) / 3 * 3 + 1;
      return {make_day(year, first, 1), last_of_month(year, first + 2)};
    }
    case rules::v1::CALENDAR_PERIOD_HALF_YEAR: {
      const int32_t first = month <= 6 ? 1 : 7;
      return {make_day(year, first, 1), last_of_month(year, first + 5)};
    }
    default: return {make_day(year, 1, 1), make_day(year, 12, 31)};
  }
}

DayRange period_before(rules::v1::CalendarPeriod kind, const DayRange& period) {
  return period_of(kind, add_days(period.first, -1));
}

int32_t periods_a_year(rules::v1::CalendarPeriod kind) {
  switch (kind) {
    case rules::v1::CALENDAR_PERIOD_TEN_DAYS: return 36;
    case rules::v1::CALENDAR_PERIOD_MONTH: return 12;
    case rules::v1::CALENDAR_PERIOD_QUARTER: return 4;
    case rules::v1::CALENDAR_PERIOD_HALF_YEAR: return 2;
    default: return 1;
  }
}

int32_t day_in_year(const rules::v1::MonthDay& month_day, int32_t year) {
  const int32_t longest = days_in_month(year, month_day.month());
  return make_day(year, month_day.month(), month_day.day() < longest ? month_day.day() : longest);
}

bool is_month_day(const rules::v1::MonthDay& month_day) {
  return is_real(kLeapYear, month_day.month(), month_day.day());
}

}  // namespace taizhang
