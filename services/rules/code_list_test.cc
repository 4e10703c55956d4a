// Tests of code lists.
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

using test::code_list;
using test::CodeOf;
using test::Scenario;
using v1::PublishCodeListRequest;

Scenario rules_book() { return Scenario({register_rules, register_reference_checks}); }

PublishCodeListRequest publish(const std::vector<CodeOf>& codes,
                               int32_t from_day = test::kReferenceDay) {
  PublishCodeListRequest command;
  const auto event = code_list("sector", codes, from_day);
  command.set_list_id(event.list_id());
  command.set_version(event.version());
  *command.mutable_valid_from_date() = event.valid_from_date();
  command.set_standard(event.standard());
  *command.mutable_entries() = event.entries();
  return command;
}

std::string validities(Scenario& book, std::string_view code) {
  std::string text;
  for (const auto& validity : book.row<state::v1::Code>("sector", code).validities()) {
    text += std::to_string(validity.from_day()) + "-" + std::to_string(validity.to_day()) + " ";
  }
  return text;
}

TEST(PublishCodeList, PutsEveryCodeInForce) {
  auto book = rules_book();
  book.when(publish({{"HOUSING", "LIVING"}, "SOCIAL"}))
      .accepted(code_list("sector", {{"HOUSING", "LIVING"}, "SOCIAL"}));
  EXPECT_EQ(validities(book, "HOUSING"), "20120101-0 ");
  EXPECT_EQ(book.row<state::v1::Code>("sector", "HOUSING").validities(0).class_(), "LIVING");
  EXPECT_EQ(book.row<state::v1::CodeList>("sector").version(), book.last_seq());
}

TEST(PublishCodeList, NextVersionEndsTheOneBefore) {
  auto book = rules_book();
  book.given(publish({"HOUSING", "SOCIAL"}), publish({"SOCIAL", "WATER"}, 20150101),
             publish({"HOUSING"}, 20170101));
  EXPECT_EQ(validities(book, "HOUSING"), "20120101-20141231 20170101-0 ");
  EXPECT_EQ(validities(book, "SOCIAL"), "20120101-20141231 20150101-20161231 ");
  EXPECT_EQ(validities(book, "WATER"), "20150101-20161231 ");
}

TEST(PublishCodeList, EqualIsUnchangedAndAnotherVersionOfThatNameExists) {
  rules_book()
      .given(publish({"HOUSING"}))
      .when(publish({"HOUSING"}))
      .unchanged()
      .when(publish({"SOCIAL"}))
      .refused(v1::RULES_REFUSAL_LIST_VERSION_EXISTS, "version");
}

TEST(PublishCodeList, EqualOnAnotherDayIsAnotherVersion) {
  rules_book()
      .given(publish({"HOUSING"}))
      .on(20170102)
      .when(publish({"HOUSING"}))
      .refused(v1::RULES_REFUSAL_LIST_VERSION_EXISTS, "version");
}

TEST(PublishCodeList, StaleVersionIsSaidFirst) {
  rules_book()
      .given(publish({"HOUSING"}))
      .expecting_version(7)
      .when(publish({"SOCIAL"}))
      .refused(common::v1::COMMON_REFUSAL_VERSION_MISMATCH, "context.expected_version")
      .expecting_version(1)
      .when(publish({"SOCIAL"}, 20150101))
      .accepted();
}

TEST(PublishCodeList, ExistingVersionIsSaidBeforeARepeatedCode) {
  rules_book()
      .given(publish({"HOUSING"}))
      .when(publish({"HOUSING", "HOUSING"}))
      .refused(v1::RULES_REFUSAL_LIST_VERSION_EXISTS, "version");
}

TEST(PublishCodeList, IsRefusedWithARepeatedCode) {
  rules_book()
      .when(publish({"HOUSING", "SOCIAL", "HOUSING"}))
      .refused(v1::RULES_REFUSAL_CODE_REPEATED, "entries[2].code");
}

TEST(PublishCodeList, RepeatedCodeIsSaidBeforeAnUnknownSuccessor) {
  auto command = publish({"HOUSING", "HOUSING"});
  command.mutable_entries(0)->add_successors("WATER");
  rules_book().when(command).refused(v1::RULES_REFUSAL_CODE_REPEATED, "entries[1].code");
}

TEST(PublishCodeList, IsRefusedWithASuccessorOfNoEntry) {
  auto command = publish({"HOUSING", "SOCIAL"});
  command.mutable_entries(1)->add_successors("HOUSING");
  rules_book().when(command).accepted();
  command.mutable_entries(1)->add_successors("WATER");
  rules_book().when(command).refused(v1::RULES_REFUSAL_SUCCESSOR_UNKNOWN, "entries[1].successors");
}

TEST(PublishCodeList, UnknownSuccessorIsSaidBeforeAnOverlap) {
  auto command = publish({"HOUSING"}, 20110101);
  command.mutable_entries(0)->add_successors("WATER");
  rules_book()
      .given(publish({"HOUSING"}))
      .when(command)
      .refused(v1::RULES_REFUSAL_SUCCESSOR_UNKNOWN, "entries[0].successors");
}

TEST(PublishCodeList, IsRefusedUnlessLaterThanTheNewest) {
  auto same_day = publish({"WATER"});
  same_day.set_version("other");
  rules_book()
      .given(publish({"HOUSING"}))
      .when(publish({"WATER"}, 20111231))
      .refused(v1::RULES_REFUSAL_VALIDITY_OVERLAPS, "valid_from_date")
      .when(same_day)
      .refused(v1::RULES_REFUSAL_VALIDITY_OVERLAPS, "valid_from_date");
}

TEST(PublishCodeList, ParentIsAnotherCodeOfTheList) {
  auto command = publish({"HOUSING", "SOCIAL"});
  command.mutable_entries(1)->set_parent("HOUSING");
  rules_book().when(command).accepted();
  command.mutable_entries(1)->set_parent("SOCIAL");
  rules_book().when(command).refused(common::v1::COMMON_REFUSAL_FIELD_INVALID, "entries[1].parent");
  command.mutable_entries(1)->set_parent("WATER");
  rules_book().when(command).refused(common::v1::COMMON_REFUSAL_FIELD_INVALID, "entries[1].parent");
}

TEST(PublishCodeList, NeedsEntries) {
  rules_book().when(publish({})).refused(common::v1::COMMON_REFUSAL_FIELD_REQUIRED, "entries");
}

}  // namespace
}  // namespace taizhang::rules
