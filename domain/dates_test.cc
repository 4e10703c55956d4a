// Tests of calendar days and periods.
#include "domain/dates.h"

#include <gtest/gtest.h>

#include "taizhang/common/v1/values.pb.h"
#include "taizhang/rules/v1/values.pb.h"

namespace taizhang {
namespace {

using rules::v1::CALENDAR_PERIOD_HALF_YEAR;
using rules::v1::CALENDAR_PERIOD_MONTH;
using rules::v1::CALENDAR_PERIOD_QUARTER;
using rules::v1::CALENDAR_PERIOD_TEN_DAYS;
using rules::v1::CALENDAR_PERIOD_YEAR;

rules::v1::MonthDay month_day(int month, int day) {
  rules::v1::MonthDay value;
  value.set_month(month);
  value.set_day(day);
  return value;
}

TEST(Day, IsRealFrom1900To2199) {
  for (const int32_t day : {19000101, 20000229, 20160229, 21991231})
    EXPECT_TRUE(is_day(day)) << day;
  for (const int32_t day : {0, -20170101, 18991231, 22000101, 19000229, 20170229, 20170431,
                            20170001, 20171301, 20170100, 99999999}) {
    EXPECT_FALSE(is_day(day)) << day;
  }
}

TEST(Day, DateAndBack) {
  EXPECT_EQ(day_of(date_of(20170815)), 20170815);
  EXPECT_EQ(date_of(20170815).month(), 8);
  EXPECT_EQ(day_text(20170305), "2017-03-05");
}

TEST(Day, NumberCountsEveryDayOnce) {
  EXPECT_EQ(day_number(19700101), 0);
  EXPECT_EQ(day_number(19691231), -1);
  int32_t day = 18991231;
  const int32_t days = days_between(19000101, 21991231) + 1;
  for (int32_t i = 0; i < days; ++i) {
    const int32_t next = add_days(day, 1);
    ASSERT_TRUE(is_day(next)) << next;
    ASSERT_EQ(day_number(next), day_number(day) + 1);
    day = next;
  }
  EXPECT_EQ(day, 21991231);
}

TEST(Day, AddCrossesMonthsAndYears) {
  EXPECT_EQ(add_days(20161231, 1), 20170101);
  EXPECT_EQ(add_days(20160301, -1), 20160229);
  EXPECT_EQ(add_days(20170601, 31), 20170702);
  EXPECT_EQ(days_between(20170601, 20170701), 30);
  EXPECT_EQ(days_between(20170701, 20170601), -30);
}

TEST(Period, HoldsItsDay) {
  EXPECT_EQ(period_of(CALENDAR_PERIOD_TEN_DAYS, 20170210), (DayRange{20170201, 20170210}));
  EXPECT_EQ(period_of(CALENDAR_PERIOD_TEN_DAYS, 20170211), (DayRange{20170211, 20170220}));
  EXPECT_EQ(period_of(CALENDAR_PERIOD_TEN_DAYS, 20160229), (DayRange{20160221, 20160229}));
  EXPECT_EQ(period_of(CALENDAR_PERIOD_MONTH, 20170215), (DayRange{20170201, 20170228}));
  EXPECT_EQ(period_of(CALENDAR_PERIOD_QUARTER, 20170630), (DayRange{20170401, 20170630}));
  EXPECT_EQ(period_of(CALENDAR_PERIOD_QUARTER, 20171231), (DayRange{20171001, 20171231}));
  EXPECT_EQ(period_of(CALENDAR_PERIOD_HALF_YEAR, 20170630), (DayRange{20170101, 20170630}));
  EXPECT_EQ(period_of(CALENDAR_PERIOD_HALF_YEAR, 20170701), (DayRange{20170701, 20171231}));
  EXPECT_EQ(period_of(CALENDAR_PERIOD_YEAR, 20170701), (DayRange{20170101, 20171231}));
}

TEST(Period, PeriodsOfAYearAreAsManyAsStatedAndWithoutGap) {
  for (const auto kind : {CALENDAR_PERIOD_TEN_DAYS, CALENDAR_PERIOD_MONTH, CALENDAR_PERIOD_QUARTER,
                          CALENDAR_PERIOD_HALF_YEAR, CALENDAR_PERIOD_YEAR}) {
    DayRange period = period_of(kind, 20161231);
    int32_t count = 1;
    while (period.first > 20160101) {
      const DayRange before = period_before(kind, period);
      EXPECT_EQ(add_days(before.last, 1), period.first);
      period = before;
      ++count;
    }
    EXPECT_EQ(period.first, 20160101);
    EXPECT_EQ(count, periods_a_year(kind));
  }
}

TEST(Period, ContainsItsEnds) {
  const DayRange quarter = period_of(CALENDAR_PERIOD_QUARTER, 20170815);
  EXPECT_TRUE(quarter.contains(20170701));
  EXPECT_TRUE(quarter.contains(20170930));
  EXPECT_FALSE(quarter.contains(20171001));
}

TEST(MonthDay, IsADayOfEveryYear) {
  EXPECT_EQ(day_in_year(month_day(3, 31), 2017), 20170331);
  EXPECT_EQ(day_in_year(month_day(2, 29), 2016), 20160229);
  EXPECT_EQ(day_in_year(month_day(2, 29), 2017), 20170228);
  EXPECT_TRUE(is_month_day(month_day(2, 29)));
  EXPECT_FALSE(is_month_day(month_day(2, 30)));
  EXPECT_FALSE(is_month_day(month_day(0, 1)));
}

}  // namespace
}  // namespace taizhang
