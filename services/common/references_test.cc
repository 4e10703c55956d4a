// Tests of look-ups in published tables.
#include "services/common/references.h"

#include <gtest/gtest.h>

#include "platform/command/registry.h"
#include "platform/state/memory_rows.h"
#include "taizhang/assets/state/v1/state.pb.h"
#include "taizhang/assistance/state/v1/state.pb.h"
#include "taizhang/common/v1/errors.pb.h"
#include "taizhang/common/v1/values.pb.h"
#include "taizhang/funds/state/v1/state.pb.h"
#include "taizhang/registry/state/v1/state.pb.h"

namespace taizhang {
namespace {

constexpr int32_t kFrom = 20170101;
constexpr int32_t kBefore = 20161231;

class ReferencesTest : public testing::Test {
 protected:
  ReferencesTest() : ledger_(rows_, occasion_) { register_reference_checks(registry_); }

  template <class Row>
  void given(Row row) {
    const auto& type = row_type<Row>();
    rows_.edit(type, type.key_of(row)).CopyFrom(row);
  }
  void given_code(int32_t from, int32_t to) {
    auto& code = static_cast<rules::state::v1::Code&>(
        rows_.edit(row_type<rules::state::v1::Code>(), make_key("sector", "HOUSING")));
    auto& validity = *code.add_validities();
    validity.set_from_day(from);
    validity.set_to_day(to);
    validity.set_class_("LIVING");
  }
  void given_region(const std::string& region) {
    rules::state::v1::Region row;
    row.set_region(region);
    row.set_from_day(kFrom);
    given(row);
  }
  // The row's id is "x" and its first day kFrom.
  template <class Row>
  void expect_active_from_its_day(const Row& row, int kind) {
    given(row);
    EXPECT_EQ(standing_of(ledger_, kind, "x", kFrom), Standing::kActive) << kind;
    EXPECT_EQ(standing_of(ledger_, kind, "x", kBefore), Standing::kNotActive) << kind;
    EXPECT_EQ(standing_of(ledger_, kind, "y", kFrom), Standing::kUnknown) << kind;
  }

  MemoryRows rows_;
  Occasion occasion_;
  Ledger ledger_;
  Registry registry_;
};

TEST_F(ReferencesTest, ACodeIsInTheListOnTheDaysOfItsVersions) {
  given_code(kFrom, 20171231);
  given_code(20190101, 0);
  EXPECT_EQ(code_at(ledger_, "sector", "HOUSING", kBefore), nullptr);
  ASSERT_NE(code_at(ledger_, "sector", "HOUSING", 20171231), nullptr);
  EXPECT_EQ(code_at(ledger_, "sector", "HOUSING", 20171231)->class_(), "LIVING");
  EXPECT_EQ(code_at(ledger_, "sector", "HOUSING", 20180101), nullptr);
  EXPECT_NE(code_at(ledger_, "sector", "HOUSING", 20190101), nullptr);
  EXPECT_EQ(code_at(ledger_, "sector", "WATER", 20190101), nullptr);
}

TEST_F(ReferencesTest, ARegionIsKnownFromItsFirstDay) {
  given_region("990101");
  EXPECT_NE(region_at(ledger_, "990101", kFrom), nullptr);
  EXPECT_EQ(region_at(ledger_, "990101", kBefore), nullptr);
  EXPECT_EQ(region_at(ledger_, "990102", kFrom), nullptr);
}

TEST_F(ReferencesTest, AVillageIsARegionOfTwelveDigits) {
  given_region("990101100");
  given_region("990101100201");
  EXPECT_EQ(standing_of(ledger_, common::v1::SUBJECT_KIND_VILLAGE, "990101100201", kFrom),
            Standing::kActive);
  EXPECT_EQ(standing_of(ledger_, common::v1::SUBJECT_KIND_VILLAGE, "990101100", kFrom),
            Standing::kUnknown);
  EXPECT_EQ(standing_of(ledger_, common::v1::SUBJECT_KIND_REGION, "990101100", kFrom),
            Standing::kActive);
}

TEST_F(ReferencesTest, ASubjectIsActiveFromTheDayItWasRegistered) {
  registry::state::v1::Organisation organisation;
  organisation.set_org_id("x");
  organisation.set_from_day(kFrom);
  expect_active_from_its_day(organisation, common::v1::SUBJECT_KIND_ORGANISATION);
  registry::state::v1::Worker worker;
  worker.set_worker_id("x");
  worker.set_from_day(kFrom);
  expect_active_from_its_day(worker, common::v1::SUBJECT_KIND_WORKER);
  registry::state::v1::Person person;
  person.set_person_id("x");
  person.set_from_day(kFrom);
  expect_active_from_its_day(person, common::v1::SUBJECT_KIND_PERSON);
  registry::state::v1::Household household;
  household.set_household_id("x");
  household.set_from_day(kFrom);
  expect_active_from_its_day(household, common::v1::SUBJECT_KIND_HOUSEHOLD);
  funds::state::v1::FundLine fund_line;
  fund_line.set_fund_line_id("x");
  fund_line.set_from_day(kFrom);
  expect_active_from_its_day(fund_line, common::v1::SUBJECT_KIND_FUND_LINE);
  funds::state::v1::Payment payment;
  payment.set_payment_id("x");
  payment.set_paid_day(kFrom);
  expect_active_from_its_day(payment, common::v1::SUBJECT_KIND_PAYMENT);
  assets::state::v1::Asset asset;
  asset.set_asset_id("x");
  asset.set_from_day(kFrom);
  expect_active_from_its_day(asset, common::v1::SUBJECT_KIND_ASSET);
  assistance::state::v1::Pairing pairing;
  pairing.set_pairing_id("x");
  pairing.set_from_day(kFrom);
  expect_active_from_its_day(pairing, common::v1::SUBJECT_KIND_PAIRING);
}

TEST_F(ReferencesTest, AKindWithoutATableIsNeverFound) {
  EXPECT_EQ(standing_of(ledger_, common::v1::SUBJECT_KIND_PROJECT, "x", kFrom), Standing::kUnknown);
}

TEST_F(ReferencesTest, ChecksSayWhatIsWrong) {
  registry::state::v1::Worker worker;
  worker.set_worker_id("w");
  worker.set_from_day(kFrom);
  given(worker);
  given_region("990101");
  const auto& checks = registry_.reference_checks();
  EXPECT_EQ(checks.code_in_list(ledger_, "sector", "HOUSING", kFrom, "sector")->value->number(),
            common::v1::COMMON_REFUSAL_CODE_NOT_IN_LIST);
  EXPECT_EQ(checks.region(ledger_, "990102", kFrom, "region")->value->number(),
            common::v1::COMMON_REFUSAL_REGION_NOT_FOUND);
  EXPECT_FALSE(checks.region(ledger_, "990101", kFrom, "region"));
  const auto unknown =
      checks.subject(ledger_, common::v1::SUBJECT_KIND_WORKER, "v", kFrom, "visitors[1]");
  EXPECT_EQ(unknown->value->number(), common::v1::COMMON_REFUSAL_SUBJECT_NOT_FOUND);
  EXPECT_EQ(unknown->field, "visitors[1]");
  EXPECT_EQ(
      checks.subject(ledger_, common::v1::SUBJECT_KIND_WORKER, "w", kBefore, "f")->value->number(),
      common::v1::COMMON_REFUSAL_SUBJECT_NOT_ACTIVE);
  EXPECT_FALSE(checks.subject(ledger_, common::v1::SUBJECT_KIND_WORKER, "w", kFrom, "f"));
}

}  // namespace
}  // namespace taizhang
