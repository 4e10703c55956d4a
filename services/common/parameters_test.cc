// Tests of rules applied to facts.
#include "services/common/parameters.h"

#include <gtest/gtest.h>

#include "platform/state/memory_rows.h"
#include "taizhang/common/v1/errors.pb.h"
#include "tests/support/reference_data.h"

namespace taizhang {
namespace {

constexpr std::string_view kVisits = "visit.frequency";
constexpr std::string_view kRate = "rate.amount";

class GoverningTest : public testing::Test {
 protected:
  Governing ask(std::string_view key, const ScopeFacts& facts, int32_t day = 20170701) {
    const Occasion now;
    return governing(Ledger(rows_, now), key, facts, day);
  }
  rules::state::v1::Parameter& row(std::string_view key) {
    return static_cast<rules::state::v1::Parameter&>(
        rows_.edit(row_type<rules::state::v1::Parameter>(), make_key(key)));
  }
  void given(const rules::v1::ParameterDefined& event) {
    apply_parameter_defined(row(event.key()), event);
  }
  void given(const rules::v1::ParameterSet& event) {
    apply_parameter_set(row(event.key()), event, 1, 1);
  }
  void SetUp() override {
    given(test::parameter_defined(kVisits, rules::v1::PARAMETER_TYPE_COUNT_PER_PERIOD,
                                  {"category", "rank"}, rules::v1::RESOLUTION_STRICTEST_HIGH));
    given(test::parameter_set(kVisits, {{"category", "LIFTED"}},
                              test::count_value(1, rules::v1::CALENDAR_PERIOD_QUARTER)));
    given(test::parameter_set(kVisits, {}, test::count_value(1, rules::v1::CALENDAR_PERIOD_MONTH),
                              2, 20170101));
    given(test::optional_parameter_defined(kRate, rules::v1::PARAMETER_TYPE_RATE, {"item"}));
    given(test::parameter_set(kRate, {{"item", "TERRACE"}},
                              test::rate_value(50'000, common::v1::UNIT_MU)));
  }
  MemoryRows rows_;
};

TEST_F(GoverningTest, ListsEveryMatchAndTheGoverningFirst) {
  const auto rule = ask(kVisits, {{"category", "LIFTED"}});
  ASSERT_TRUE(rule.has_rule());
  EXPECT_EQ(rule.value().count_per_period().period(), rules::v1::CALENDAR_PERIOD_MONTH);
  ASSERT_EQ(rule.uses().size(), 2u);
  EXPECT_EQ(rule.uses()[0].version(), 2);
  EXPECT_EQ(rule.uses()[1].version(), 1);
  google::protobuf::RepeatedPtrField<common::v1::ParameterUse> field;
  rule.copy_uses(&field);
  EXPECT_EQ(field[0].value(), "1 per MONTH");
}

TEST_F(GoverningTest, IsOfTheFactsOwnDay) {
  const auto rule = ask(kVisits, {{"category", "LIFTED"}}, 20161231);
  ASSERT_TRUE(rule.has_rule());
  EXPECT_EQ(rule.uses().size(), 1u);
  EXPECT_EQ(rule.value().count_per_period().period(), rules::v1::CALENDAR_PERIOD_QUARTER);
}

TEST_F(GoverningTest, CannotDecideWithoutARule) {
  const auto rule = ask(kVisits, {{"category", "POOR"}}, 20161231);
  EXPECT_FALSE(rule.decided());
  const auto refusal = parameter_missing(rule, "cause");
  EXPECT_EQ(refusal.value->number(), common::v1::COMMON_REFUSAL_PARAMETER_MISSING);
  EXPECT_EQ(refusal.field, "cause");
  EXPECT_EQ(refusal.metadata[0].second, kVisits);
  EXPECT_FALSE(ask("golive.date", {}).decided());
}

TEST_F(GoverningTest, PassesWithoutARuleWhereTheKeyLetsIt) {
  const auto rule = ask(kRate, {{"item", "CHILD_AID"}});
  EXPECT_TRUE(rule.decided());
  EXPECT_FALSE(rule.has_rule());
  ASSERT_EQ(rule.uses().size(), 1u);
  EXPECT_EQ(rule.uses()[0].key(), kRate);
  EXPECT_EQ(rule.uses()[0].version(), 0);
}

}  // namespace
}  // namespace taizhang
