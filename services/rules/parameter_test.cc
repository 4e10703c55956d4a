// Tests of parameters.
#include "domain/dates.h"
#include "services/common/references.h"
#include "services/rules/rules.h"
#include "taizhang/common/v1/errors.pb.h"
#include "taizhang/rules/state/v1/state.pb.h"
#include "taizhang/rules/v1/commands.pb.h"
#include "taizhang/rules/v1/errors.pb.h"
#include "tests/support/reference_data.h"
#include "tests/support/scenario.h"

namespace taizhang::rules {
namespace {

using test::Scenario;
using v1::DefineParameterRequest;
using v1::SetParameterRequest;

constexpr const char* kKey = "void.second_person_after_days";

Scenario rules_book() { return Scenario({register_rules, register_reference_checks}); }

DefineParameterRequest define(v1::ParameterType type = v1::PARAMETER_TYPE_DAYS) {
  DefineParameterRequest command;
  command.set_key(kKey);
  command.set_type(type);
  command.add_scope_dims("kind");
  command.add_scope_dims("region");
  command.set_resolution(v1::RESOLUTION_MOST_SPECIFIC);
  command.set_when_missing(v1::WHEN_MISSING_CANNOT_DECIDE);
  command.set_text("满多少天以后须由第二人作废");
  return command;
}

DefineParameterRequest bounded(v1::ParameterType type, int64_t min, int64_t max) {
  auto command = define(type);
  command.mutable_bounds()->set_min(min);
  command.mutable_bounds()->set_max(max);
  return command;
}

// A SetParameter of the key, step by step.
class Setting {
 public:
  explicit Setting(const v1::ParameterValue& value) {
    command_.set_key(kKey);
    *command_.mutable_value() = value;
    *command_.mutable_valid_from_date() = date_of(test::kReferenceDay);
    auto& document = *command_.mutable_document();
    document.set_document_id("9f2d7a30-0000-5000-8000-000000000001");
    document.set_kind("RULE");
    document.set_title("规定");
  }
  Setting& of(const std::string& dimension, const std::string& code) {
    (*command_.mutable_scope())[dimension] = code;
    return *this;
  }
  Setting& from(int32_t day) {
    *command_.mutable_valid_from_date() = date_of(day);
    return *this;
  }
  Setting& to(int32_t day) {
    *command_.mutable_valid_to_date() = date_of(day);
    return *this;
  }
  Setting& superseding(int64_t version) {
    command_.set_supersedes_version(version);
    return *this;
  }
  operator const SetParameterRequest&() const {
    return command_;
  }  // NOLINT: stands for the command
  SetParameterRequest& command() { return command_; }

 private:
  SetParameterRequest command_;
};

Setting days(int count) { return Setting(test::days_value(count)); }

Scenario defined(const DefineParameterRequest& definition = define()) {
  auto book = rules_book();
  book.given(test::code_list("document_kind", {"RULE"}), definition);
  return book;
}

TEST(DefineParameter, SaysWhatTheParameterIs) {
  auto book = rules_book();
  book.when(bounded(v1::PARAMETER_TYPE_DAYS, 0, 3650)).accepted();
  const auto& row = book.row<state::v1::Parameter>(kKey);
  EXPECT_EQ(row.type(), v1::PARAMETER_TYPE_DAYS);
  EXPECT_EQ(row.bounds().max(), 3650);
  EXPECT_EQ(row.scope_dims_size(), 2);
  EXPECT_EQ(row.version(), 1);
  EXPECT_EQ(book.event<v1::ParameterDefined>().text(), define().text());
}

TEST(DefineParameter, EqualIsUnchangedAndOtherExists) {
  rules_book()
      .given(define())
      .when(define())
      .unchanged()
      .when(define(v1::PARAMETER_TYPE_FEN))
      .refused(v1::RULES_REFUSAL_PARAMETER_EXISTS, "key");
}

TEST(DefineParameter, ExistsIsSaidBeforeWrongBounds) {
  rules_book()
      .given(define())
      .when(bounded(v1::PARAMETER_TYPE_DAYS, 2, 1))
      .refused(v1::RULES_REFUSAL_PARAMETER_EXISTS, "key");
}

TEST(DefineParameter, IsRefusedWithBoundsThatDoNotFit) {
  auto list_of_days = define();
  list_of_days.mutable_bounds()->set_list("fund_purpose");
  auto members_of_codes = define(v1::PARAMETER_TYPE_CODES);
  members_of_codes.mutable_bounds()->add_members("HOME");
  auto empty = define();
  empty.mutable_bounds();
  for (const auto& command :
       {bounded(v1::PARAMETER_TYPE_DAYS, 2, 1), bounded(v1::PARAMETER_TYPE_BOOL, 0, 1),
        bounded(v1::PARAMETER_TYPE_DATE, 0, 1), list_of_days, members_of_codes, empty}) {
    rules_book().when(command).refused(v1::RULES_REFUSAL_BOUNDS_INVALID, "bounds");
  }
}

TEST(DefineParameter, TakesKnownDimensionsOnly) {
  auto command = define();
  command.add_scope_dims("colour");
  rules_book().when(command).refused(common::v1::COMMON_REFUSAL_FIELD_INVALID, "scope_dims[2]");
}

TEST(DefineParameter, StrictestNeedsValuesWithAnOrder) {
  auto command = define(v1::PARAMETER_TYPE_BOOL);
  command.set_resolution(v1::RESOLUTION_STRICTEST_HIGH);
  rules_book().when(command).refused(common::v1::COMMON_REFUSAL_FIELD_INVALID, "resolution");
}

TEST(SetParameter, NumbersItsVersions) {
  auto book = defined();
  book.when(days(30)).accepted();
  EXPECT_EQ(book.event<v1::ParameterSet>().version(), 1);
  book.when(days(60).of("kind", "VISIT")).accepted();
  EXPECT_EQ(book.event<v1::ParameterSet>().version(), 2);
  EXPECT_EQ(book.row<state::v1::Parameter>(kKey).version(), book.last_seq());
}

TEST(SetParameter, KeepsEveryInputInItsEvent) {
  auto book = defined();
  auto setting = days(30).of("kind", "VISIT").from(20170101).to(20171231);
  book.when(setting).accepted();
  const auto& event = book.event<v1::ParameterSet>();
  EXPECT_EQ(event.scope().at("kind"), "VISIT");
  EXPECT_EQ(event.value().days(), 30);
  EXPECT_EQ(day_of(event.valid_to_date()), 20171231);
  EXPECT_EQ(event.document().title(), "规定");
}

TEST(SetParameter, EqualIsUnchanged) {
  defined().given(days(30).of("kind", "VISIT")).when(days(30).of("kind", "VISIT")).unchanged();
}

TEST(SetParameter, EqualToASupersededVersionIsNotUnchanged) {
  auto book = defined();
  book.given(days(30), days(60).superseding(1)).when(days(30).superseding(2)).accepted();
  EXPECT_EQ(book.event<v1::ParameterSet>().version(), 3);
}

TEST(SetParameter, IsRefusedForAnUnknownKey) {
  rules_book()
      .given(test::code_list("document_kind", {"RULE"}))
      .when(days(30))
      .refused(v1::RULES_REFUSAL_PARAMETER_NOT_FOUND, "key");
}

TEST(SetParameter, UnknownKeyIsSaidBeforeAStaleVersion) {
  rules_book()
      .given(test::code_list("document_kind", {"RULE"}))
      .expecting_version(1)
      .when(days(30))
      .refused(v1::RULES_REFUSAL_PARAMETER_NOT_FOUND, "key");
}

TEST(SetParameter, StaleVersionIsSaidBeforeAWrongDimension) {
  defined()
      .expecting_version(1)
      .when(days(30).of("rank", "STAFF"))
      .refused(common::v1::COMMON_REFUSAL_VERSION_MISMATCH, "context.expected_version");
}

TEST(SetParameter, IsAcceptedOnTheVersionItExpects) {
  defined().expecting_version(2).when(days(30)).accepted();
}

TEST(SetParameter, IsRefusedForADimensionTheKeyDoesNotHave) {
  defined()
      .when(days(30).of("rank", "STAFF"))
      .refused(v1::RULES_REFUSAL_SCOPE_DIMENSION_INVALID, "scope");
}

TEST(SetParameter, WrongDimensionIsSaidBeforeAWrongType) {
  defined()
      .when(Setting(test::flag_value(true)).of("rank", "STAFF"))
      .refused(v1::RULES_REFUSAL_SCOPE_DIMENSION_INVALID, "scope");
}

TEST(SetParameter, IsRefusedForAValueOfAnotherType) {
  defined()
      .when(Setting(test::flag_value(true)))
      .refused(v1::RULES_REFUSAL_VALUE_TYPE_MISMATCH, "value");
}

TEST(SetParameter, WrongTypeIsSaidBeforeABound) {
  defined(bounded(v1::PARAMETER_TYPE_DAYS, 1, 5))
      .when(Setting(test::bp_value(7)))
      .refused(v1::RULES_REFUSAL_VALUE_TYPE_MISMATCH, "value");
}

TEST(SetParameter, IsRefusedOutOfBounds) {
  auto book = defined(bounded(v1::PARAMETER_TYPE_DAYS, 1, 5));
  book.when(days(0)).refused(v1::RULES_REFUSAL_VALUE_OUT_OF_BOUNDS, "value");
  book.when(days(6)).refused(v1::RULES_REFUSAL_VALUE_OUT_OF_BOUNDS, "value");
  book.when(days(5)).accepted();
}

TEST(SetParameter, BoundsOfACountAndOfARateAreThoseOfTheirNumber) {
  defined(bounded(v1::PARAMETER_TYPE_COUNT_PER_PERIOD, 1, 366))
      .when(Setting(test::count_value(367, v1::CALENDAR_PERIOD_YEAR)))
      .refused(v1::RULES_REFUSAL_VALUE_OUT_OF_BOUNDS, "value");
  auto above_zero = define(v1::PARAMETER_TYPE_RATE);
  above_zero.mutable_bounds()->set_min(1);
  defined(above_zero)
      .when(Setting(test::rate_value(0, common::v1::UNIT_MU)))
      .refused(v1::RULES_REFUSAL_VALUE_OUT_OF_BOUNDS, "value")
      .when(Setting(test::rate_value(50'000, common::v1::UNIT_MU)))
      .accepted();
}

TEST(SetParameter, TakesCodesThatAreInForceWhenItBegins) {
  auto definition = define(v1::PARAMETER_TYPE_CODES);
  definition.mutable_bounds()->set_list("fund_purpose");
  auto book = defined(definition);
  book.given(test::code_list("fund_purpose", {"TERRACE"}), test::code_list("sector", {"TERRACE"}));
  book.when(Setting(test::codes_value("fund_purpose", {"TERRACE", "OFFICE"})))
      .refused(v1::RULES_REFUSAL_VALUE_OUT_OF_BOUNDS, "value");
  book.when(Setting(test::codes_value("sector", {"TERRACE"})))
      .refused(v1::RULES_REFUSAL_VALUE_OUT_OF_BOUNDS, "value");
  book.when(Setting(test::codes_value("fund_purpose", {"TERRACE"})).from(20111231))
      .refused(v1::RULES_REFUSAL_VALUE_OUT_OF_BOUNDS, "value");
  book.when(Setting(test::codes_value("fund_purpose", {"TERRACE"}))).accepted();
}

TEST(SetParameter, TakesMembersOfItsSetOnly) {
  auto definition = define(v1::PARAMETER_TYPE_ENUM_SET);
  definition.mutable_bounds()->add_members("LIFTED");
  definition.mutable_bounds()->add_members("SUCCESSOR");
  defined(definition)
      .when(Setting(test::set_value({"LIFTED", "HANDOVER"})))
      .refused(v1::RULES_REFUSAL_VALUE_OUT_OF_BOUNDS, "value")
      .when(Setting(test::set_value({"SUCCESSOR"})))
      .accepted();
}

TEST(SetParameter, AnEmptySetIsAValue) {
  defined(define(v1::PARAMETER_TYPE_ENUM_SET)).when(Setting(test::set_value({}))).accepted();
}

TEST(SetParameter, BoundIsSaidBeforeAnOverlap) {
  defined(bounded(v1::PARAMETER_TYPE_DAYS, 1, 5))
      .given(days(5))
      .when(days(6))
      .refused(v1::RULES_REFUSAL_VALUE_OUT_OF_BOUNDS, "value");
}

TEST(SetParameter, IsRefusedWhereTheSameScopeIsTaken) {
  auto book = defined();
  book.given(days(30).from(20150101).to(20161231));
  book.when(days(60).from(20161231))
      .refused(v1::RULES_REFUSAL_VALIDITY_OVERLAPS, "valid_from_date");
  book.when(days(60).from(20140101).to(20150101))
      .refused(v1::RULES_REFUSAL_VALIDITY_OVERLAPS, "valid_from_date");
  book.when(days(60).from(20140101))
      .refused(v1::RULES_REFUSAL_VALIDITY_OVERLAPS, "valid_from_date");
  book.when(days(60).from(20170101)).accepted();
  book.when(days(60).from(20120101).to(20141231)).accepted();
  book.when(days(60).from(20150101).of("kind", "VISIT")).accepted();
}

TEST(SetParameter, SupersededVersionEndsTheDayBefore) {
  auto book = defined();
  book.given(days(30)).when(days(60).from(20170101).superseding(1)).accepted();
  EXPECT_EQ(book.row<state::v1::Parameter>(kKey).settings(0).to_day(), 20161231);
}

TEST(SetParameter, IsRefusedForSupersedingNoVersionOfTheScope) {
  auto book = defined();
  book.given(days(30).of("kind", "VISIT"));
  book.when(days(60).superseding(1))
      .refused(v1::RULES_REFUSAL_VALIDITY_OVERLAPS, "valid_from_date");
  book.when(days(60).superseding(9))
      .refused(v1::RULES_REFUSAL_VALIDITY_OVERLAPS, "valid_from_date");
  book.when(days(60).of("kind", "VISIT").from(20111231).superseding(1))
      .refused(v1::RULES_REFUSAL_VALIDITY_OVERLAPS, "valid_from_date");
}

TEST(SetParameter, NeedsADocumentOfAKnownKind) {
  auto setting = days(30);
  setting.command().clear_document();
  defined().when(setting).refused(common::v1::COMMON_REFUSAL_DOCUMENT_REQUIRED, "document");
  auto other_kind = days(30);
  other_kind.command().mutable_document()->set_kind("RECEIPT");
  defined().when(other_kind).refused(common::v1::COMMON_REFUSAL_CODE_NOT_IN_LIST, "document.kind");
}

TEST(SetParameter, IsMalformedWithoutAValueARealDayOrACode) {
  defined()
      .when(Setting(v1::ParameterValue()))
      .refused(common::v1::COMMON_REFUSAL_FIELD_REQUIRED, "value");
  v1::ParameterValue no_day;
  no_day.mutable_month_day()->set_month(2);
  no_day.mutable_month_day()->set_day(30);
  defined()
      .when(Setting(no_day))
      .refused(common::v1::COMMON_REFUSAL_FIELD_INVALID, "value.month_day");
  defined()
      .when(Setting(test::codes_value("fund_purpose", {})))
      .refused(common::v1::COMMON_REFUSAL_FIELD_REQUIRED, "value.codes.codes");
  defined()
      .when(days(30).of("region", "99010"))
      .refused(common::v1::COMMON_REFUSAL_FIELD_INVALID, "scope[region]");
  defined()
      .when(days(30).of("kind", ""))
      .refused(common::v1::COMMON_REFUSAL_FIELD_REQUIRED, "scope[kind]");
  defined()
      .when(days(30).from(20170102).to(20170101))
      .refused(common::v1::COMMON_REFUSAL_DATE_ORDER_INVALID, "valid_to_date");
}

}  // namespace
}  // namespace taizhang::rules
