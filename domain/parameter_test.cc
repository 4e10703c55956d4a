// Tests of parameters: versions, choice, text.
#include "domain/parameter.h"

#include <gtest/gtest.h>

#include "domain/dates.h"
#include "taizhang/common/v1/values.pb.h"
#include "taizhang/rules/v1/events.pb.h"

namespace taizhang {
namespace {

using rules::state::v1::Parameter;
using Scope = std::map<std::string, std::string>;

class Rule {
 public:
  explicit Rule(rules::v1::Resolution resolution = rules::v1::RESOLUTION_MOST_SPECIFIC) {
    row_.set_resolution(resolution);
  }
  Rule& visits(const Scope& scope, int count, rules::v1::CalendarPeriod period,
               int32_t from = 20120101) {
    auto event = next(scope, from);
    event.mutable_value()->mutable_count_per_period()->set_count(count);
    event.mutable_value()->mutable_count_per_period()->set_period(period);
    return apply(event);
  }
  Rule& days(const Scope& scope, int days, int32_t from = 20120101, int32_t to = 0,
             int64_t supersedes = 0) {
    auto event = next(scope, from);
    event.mutable_value()->set_days(days);
    if (to != 0) *event.mutable_valid_to_date() = date_of(to);
    event.set_supersedes_version(supersedes);
    return apply(event);
  }
  // Numbers of the matching versions, governing first.
  std::vector<int64_t> matching(const ScopeFacts& facts, int32_t day = 20170701) const {
    std::vector<int64_t> numbers;
    for (const auto* setting : matching_settings(row_, facts, day))
      numbers.push_back(setting->number());
    return numbers;
  }
  const Parameter& row() const { return row_; }

 private:
  rules::v1::ParameterSet next(const Scope& scope, int32_t from) {
    rules::v1::ParameterSet event;
    event.mutable_scope()->insert(scope.begin(), scope.end());
    *event.mutable_valid_from_date() = date_of(from);
    event.set_version(row_.settings_size() + 1);
    return event;
  }
  Rule& apply(const rules::v1::ParameterSet& event) {
    apply_parameter_set(row_, event, event.version() + 100, 7);
    return *this;
  }
  Parameter row_;
};

using Numbers = std::vector<int64_t>;

TEST(ParameterChoice, TakesTheMoreSpecificScope) {
  Rule rule;
  rule.days({}, 1)
      .days({{"region", "99"}}, 2)
      .days({{"region", "9901"}}, 3)
      .days({{"kind", "VISIT"}}, 4);
  EXPECT_EQ(rule.matching({{"region", "990101"}}), (Numbers{3, 2, 1}));
  EXPECT_EQ(rule.matching({{"region", "990101"}, {"kind", "VISIT"}}), (Numbers{4, 3, 2, 1}));
  EXPECT_EQ(rule.matching({{"region", "61"}}), (Numbers{1}));
  EXPECT_EQ(rule.matching({}), (Numbers{1}));
}

TEST(ParameterChoice, ComparesDimensionsInTheirOrderNotByTheirNumber) {
  Rule rule;
  rule.days({{"kind", "A"}, {"category", "B"}, {"region", "9901"}}, 1).days({{"rank", "C"}}, 2);
  EXPECT_EQ(rule.matching({{"kind", "A"}, {"category", "B"}, {"region", "990101"}, {"rank", "C"}}),
            (Numbers{2, 1}));
}

TEST(ParameterChoice, NeedsEveryDimensionOfTheScope) {
  Rule rule;
  rule.days({{"kind", "A"}, {"rank", "C"}}, 1);
  EXPECT_EQ(rule.matching({{"kind", "A"}}), Numbers{});
  EXPECT_EQ(rule.matching({{"kind", "A"}, {"rank", ""}}), Numbers{});
  EXPECT_EQ(rule.matching({{"kind", "A"}, {"rank", "C"}, {"year", "2017"}}), Numbers{1});
}

TEST(ParameterChoice, KeepsToTheValidity) {
  Rule rule;
  rule.days({}, 30, 20120101, 20161231).days({}, 60, 20170101);
  EXPECT_EQ(rule.matching({}, 20111231), Numbers{});
  EXPECT_EQ(rule.matching({}, 20120101), Numbers{1});
  EXPECT_EQ(rule.matching({}, 20161231), Numbers{1});
  EXPECT_EQ(rule.matching({}, 20170101), Numbers{2});
  EXPECT_EQ(rule.matching({}, 21990101), Numbers{2});
}

TEST(ParameterVersion, SupersededEndsTheDayBefore) {
  Rule rule;
  rule.days({}, 30).days({}, 60, 20170301, 0, 1);
  EXPECT_EQ(rule.row().settings(0).to_day(), 20170228);
  EXPECT_EQ(rule.matching({}, 20170228), Numbers{1});
  EXPECT_EQ(rule.matching({}, 20170301), Numbers{2});
}

TEST(ParameterVersion, SupersededThatHadEndedStaysEnded) {
  Rule rule;
  rule.days({}, 30, 20120101, 20151231).days({}, 60, 20170301, 0, 1);
  EXPECT_EQ(rule.row().settings(0).to_day(), 20151231);
}

TEST(ParameterChoice, MonthlyIsStricterThanQuarterly) {  // T-34
  Rule rule(rules::v1::RESOLUTION_STRICTEST_HIGH);
  rule.visits({{"category", "LIFTED"}, {"rank", "STAFF"}}, 1, rules::v1::CALENDAR_PERIOD_QUARTER)
      .visits({}, 1, rules::v1::CALENDAR_PERIOD_MONTH);
  EXPECT_EQ(rule.matching({{"category", "LIFTED"}, {"rank", "STAFF"}}), (Numbers{2, 1}));
}

TEST(ParameterChoice, StrictestTieGoesToTheMoreSpecific) {
  Rule rule(rules::v1::RESOLUTION_STRICTEST_HIGH);
  rule.visits({}, 4, rules::v1::CALENDAR_PERIOD_YEAR)
      .visits({{"region", "9901"}}, 1, rules::v1::CALENDAR_PERIOD_QUARTER)
      .visits({{"region", "99"}}, 2, rules::v1::CALENDAR_PERIOD_HALF_YEAR);
  EXPECT_EQ(rule.matching({{"region", "990101"}}), (Numbers{2, 3, 1}));
}

TEST(ParameterChoice, StrictestLowTakesTheSmallest) {
  Rule rule(rules::v1::RESOLUTION_STRICTEST_LOW);
  rule.days({{"kind", "A"}}, 30).days({}, 20).days({{"region", "99"}}, 40);
  EXPECT_EQ(rule.matching({{"kind", "A"}, {"region", "9901"}}), (Numbers{2, 1, 3}));
}

TEST(ParameterScope, IsKeptMostSpecificFirst) {
  Rule rule;
  rule.days({{"region", "99"}, {"rank", "STAFF"}, {"kind", "A"}}, 1);
  const auto& scope = rule.row().settings(0).scope();
  ASSERT_EQ(scope.size(), 3);
  EXPECT_EQ(scope[0].dimension(), "rank");
  EXPECT_EQ(scope[1].dimension(), "kind");
  EXPECT_EQ(scope[2].dimension(), "region");
  EXPECT_EQ(scope_dimension_rank("org"), 0);
  EXPECT_EQ(scope_dimension_rank("colour"), -1);
}

TEST(ParameterUse, FreezesTheRuleThatGoverned) {
  Rule rule;
  rule.days({{"region", "99"}}, 30);
  const auto use = use_of("void.second_person_after_days", rule.row().settings(0));
  EXPECT_EQ(use.key(), "void.second_person_after_days");
  EXPECT_EQ(use.scope().at("region"), "99");
  EXPECT_EQ(use.version(), 1);
  EXPECT_EQ(use.value(), "30");
  EXPECT_EQ(day_of(use.valid_from_date()), 20120101);
  EXPECT_EQ(use_of_no_rule("rate.amount").version(), 0);
}

TEST(ParameterValueText, IsTheNotationOfItsType) {
  rules::v1::ParameterValue value;
  EXPECT_EQ(value_text(value), "");
  value.set_flag(true);
  EXPECT_EQ(value_text(value), "true");
  value.set_fen(50'000);
  EXPECT_EQ(value_text(value), "50000");
  value.set_bp(8'000);
  EXPECT_EQ(value_text(value), "8000");
  *value.mutable_date() = date_of(20170101);
  EXPECT_EQ(value_text(value), "2017-01-01");
  value.mutable_month_day()->set_month(3);
  value.mutable_month_day()->set_day(31);
  EXPECT_EQ(value_text(value), "03-31");
  value.mutable_enum_set();
  EXPECT_EQ(value_text(value), "{}");
  value.mutable_enum_set()->add_members("LIFTED");
  value.mutable_enum_set()->add_members("SUCCESSOR");
  EXPECT_EQ(value_text(value), "{LIFTED,SUCCESSOR}");
  value.mutable_codes()->add_codes("TERRACE");
  EXPECT_EQ(value_text(value), "{TERRACE}");
  value.mutable_count_per_period()->set_count(1);
  value.mutable_count_per_period()->set_period(rules::v1::CALENDAR_PERIOD_TEN_DAYS);
  EXPECT_EQ(value_text(value), "1 per TEN_DAYS");
  value.mutable_rate()->set_fen(50'000);
  value.mutable_rate()->set_unit(common::v1::UNIT_MU);
  value.mutable_rate()->set_mode(rules::v1::Rate::MODE_EXACT);
  EXPECT_EQ(value_text(value), "EXACT 50000 per MU");
  value.mutable_amount_items()->set_period(rules::v1::CALENDAR_PERIOD_YEAR);
  auto* item = value.mutable_amount_items()->add_items();
  item->set_text("工作经费");
  item->set_fen(1'250'000);
  item = value.mutable_amount_items()->add_items();
  item->set_text("补助");
  item->set_fen(500'000);
  EXPECT_EQ(value_text(value), "工作经费 1250000 + 补助 500000 per YEAR");
  EXPECT_EQ(magnitude(value), 1'750'000);
}

TEST(ParameterValue, TypeFollowsFromItsMember) {
  rules::v1::ParameterValue value;
  EXPECT_EQ(type_of(value), rules::v1::PARAMETER_TYPE_UNSPECIFIED);
  value.set_flag(false);
  EXPECT_EQ(type_of(value), rules::v1::PARAMETER_TYPE_BOOL);
  value.set_days(0);
  EXPECT_EQ(type_of(value), rules::v1::PARAMETER_TYPE_DAYS);
  value.mutable_rate();
  EXPECT_EQ(type_of(value), rules::v1::PARAMETER_TYPE_RATE);
  EXPECT_TRUE(is_ordered(rules::v1::PARAMETER_TYPE_DAYS));
  EXPECT_FALSE(is_ordered(rules::v1::PARAMETER_TYPE_CODES));
}

}  // namespace
}  // namespace taizhang
