// Checking an asset, and voiding a check.
#include "taizhang/assets/v1/errors.pb.h"
#include "taizhang/assets/v1/events.pb.h"
#include "taizhang/common/v1/errors.pb.h"
#include "tests/support/assets_commands.h"

namespace taizhang::test {
namespace {

using assets::state::v1::Asset;
using assets::state::v1::ASSET_STATE_CHECKED;
using assets::state::v1::ASSET_STATE_FORMED;
using assets::state::v1::ASSET_STATE_TITLED;
using assets::state::v1::Check;
using namespace assets::v1;
using common::v1::COMMON_REFUSAL_DATE_ORDER_INVALID;
using common::v1::COMMON_REFUSAL_FIELD_INVALID;
using common::v1::COMMON_REFUSAL_PARAMETER_MISSING;
using common::v1::COMMON_REFUSAL_REASON_REQUIRED;
using common::v1::COMMON_REFUSAL_UNIT_MISMATCH;
using common::v1::COMMON_REFUSAL_VERSION_MISMATCH;

TEST(CheckAsset, SaysWhatIsMissing) {
  auto book = asset_book();
  book.given(form("books"))
      .when(with(check("c", "books"),
                 [](auto& c) { *c.mutable_found() = quantity(7, common::v1::UNIT_PIECE); }))
      .accepted();
  EXPECT_EQ(book.event<AssetChecked>().difference().milli(), -3'000);
  const auto& asset = book.row<Asset>(id("books"));
  EXPECT_EQ(asset.state(), ASSET_STATE_CHECKED);
  EXPECT_EQ(asset.checks(0).difference_milli(), -3'000);
  EXPECT_EQ(asset.version(), book.last_seq());
  EXPECT_EQ(book.row<Check>(id("c")).asset_id(), id("books"));
  EXPECT_EQ(book.row<Check>(id("c")).recorder().subject(), "tester");
}

TEST(CheckAsset, MayFindNothing) {
  auto book = asset_book();
  book.given(form("books"))
      .when(with(check("c", "books"), [](auto& c) { c.mutable_found()->set_milli(0); }))
      .accepted();
  book.when(with(check("d", "books"), [](auto& c) { c.mutable_found()->set_milli(-1); }))
      .refused(COMMON_REFUSAL_FIELD_INVALID, "found.milli");
}

TEST(CheckAsset, IsRefusedInTheOrderOfItsRow) {
  auto book = asset_book();
  auto command = check("c", "books", 20170609);
  command.mutable_found()->set_unit(common::v1::UNIT_COPY);
  book.expecting_version(99).when(command).refused(ASSETS_REFUSAL_ASSET_NOT_FOUND, "asset_id");
  book.given(form("books"));
  book.expecting_version(99).when(command).refused(COMMON_REFUSAL_VERSION_MISMATCH,
                                                   "context.expected_version");
  book.when(command).refused(COMMON_REFUSAL_DATE_ORDER_INVALID, "check_date");
  *command.mutable_check_date() = date_of(20170610);
  book.when(command).refused(COMMON_REFUSAL_UNIT_MISMATCH, "found.unit");
  command.mutable_found()->set_unit(common::v1::UNIT_PIECE);
  book.when(command).accepted();
}

TEST(CheckAsset, KeepsChecksByTheirDayAndThoseOfOneDayAsRecorded) {
  auto book = asset_book();
  book.given(form("books"), check("b", "books", 20170620), check("a", "books", 20170615),
             check("c", "books", 20170620));
  const auto& asset = book.row<Asset>(id("books"));
  ASSERT_EQ(asset.checks_size(), 3);
  EXPECT_EQ(asset.checks(0).check_id(), id("a"));
  EXPECT_EQ(asset.checks(1).check_id(), id("b"));
  EXPECT_EQ(asset.checks(2).check_id(), id("c"));
}

TEST(CheckAsset, OfATitledAssetLeavesItTitled) {
  auto book = asset_book();
  book.given(form("books"), check("a", "books"), title("books"), check("b", "books", 20170701));
  EXPECT_EQ(book.row<Asset>(id("books")).state(), ASSET_STATE_TITLED);
}

TEST(VoidRecord, TakesTheOnlyCheckBackToFormed) {
  auto book = asset_book();
  book.on(20170616).given(form("books"), check("c", "books"));
  book.when(with(void_check("c"), [](auto& c) { c.set_replaced_by(id("d")); })).accepted();
  EXPECT_EQ(book.event<RecordVoided>().asset_id(), id("books"));
  EXPECT_EQ(book.event<RecordVoided>().replaced_by(), id("d"));
  EXPECT_EQ(book.event<RecordVoided>().parameters_used(0).value(), "30");
  EXPECT_EQ(book.row<Asset>(id("books")).state(), ASSET_STATE_FORMED);
  EXPECT_EQ(book.row<Asset>(id("books")).checks_size(), 0);
  EXPECT_TRUE(book.row<Check>(id("c")).voided());
  EXPECT_EQ(book.row<Check>(id("c")).version(), book.last_seq());
  EXPECT_EQ(book.row<Asset>(id("books")).version(), book.last_seq());
  book.when(check("d", "books")).accepted();
}

TEST(VoidRecord, LeavesTheOtherChecks) {
  auto book = asset_book();
  book.on(20170621).given(form("books"), check("c", "books"), check("d", "books", 20170620));
  book.given(void_check("c"));
  EXPECT_EQ(book.row<Asset>(id("books")).state(), ASSET_STATE_CHECKED);
  EXPECT_EQ(book.row<Asset>(id("books")).checks(0).check_id(), id("d"));
}

TEST(VoidRecord, NeedsAReasonAndAnotherReplacement) {
  asset_book()
      .when(with(void_check("c"), [](auto& c) { c.mutable_context()->clear_reason(); }))
      .refused(COMMON_REFUSAL_REASON_REQUIRED, "context.reason");
  asset_book()
      .when(with(void_check("c"), [](auto& c) { c.set_replaced_by(id("c")); }))
      .refused(COMMON_REFUSAL_FIELD_INVALID, "replaced_by");
}

TEST(VoidRecord, OfAssetsAndOffersIsNotPossible) {
  auto book = asset_book();
  book.on(20170701).given(form("books"), check("c", "books"), title("books"),
                          offer("o", {"books"}));
  auto command = void_check("c");
  *command.mutable_record() = subject(common::v1::SUBJECT_KIND_ASSET, id("books"));
  book.when(command).refused(ASSETS_REFUSAL_RECORD_NOT_VOIDABLE, "record");
  command.mutable_record()->set_id(id("nothing"));
  book.when(command).refused(ASSETS_REFUSAL_RECORD_NOT_FOUND, "record");
  *command.mutable_record() = subject(common::v1::SUBJECT_KIND_OFFER, id("o"));
  book.when(command).refused(ASSETS_REFUSAL_RECORD_NOT_VOIDABLE, "record");
  command.mutable_record()->set_id(id("nothing"));
  book.when(command).refused(ASSETS_REFUSAL_RECORD_NOT_FOUND, "record");
  *command.mutable_record() = subject(common::v1::SUBJECT_KIND_VISIT, id("c"));
  book.when(command).refused(ASSETS_REFUSAL_RECORD_NOT_FOUND, "record");
}

TEST(VoidRecord, IsRefusedInTheOrderOfItsRow) {
  auto book = asset_book();
  book.on(20170614);
  book.expecting_version(99)
      .when(void_check("c"))
      .refused(ASSETS_REFUSAL_RECORD_NOT_FOUND, "record");
  book.given(form("books"), check("c", "books"), title("books"));
  book.expecting_version(99)
      .when(void_check("c"))
      .refused(ASSETS_REFUSAL_RECORD_NOT_VOIDABLE, "record");
  book.given(check("d", "books", 20170616));
  book.expecting_version(99)
      .when(void_check("c"))
      .refused(COMMON_REFUSAL_VERSION_MISMATCH, "context.expected_version");
  book.when(void_check("c")).refused(COMMON_REFUSAL_DATE_ORDER_INVALID, "context.effective_date");
  book.on(20170716).when(void_check("c")).refused(ASSETS_REFUSAL_SECOND_PERSON_REQUIRED, "record");
  book.on(20170715).given(void_check("c"));
  book.on(20170614)
      .expecting_version(99)
      .when(void_check("c"))
      .refused(ASSETS_REFUSAL_ALREADY_VOIDED, "record");
}

TEST(VoidRecord, CannotBeDecidedWithoutALimitOfDays) {
  auto book = asset_book();
  book.given_row(unknown_parameter("void.second_person_after_days"))
      .on(20180101)
      .given(form("books"), check("c", "books"))
      .when(void_check("c"))
      .refused(COMMON_REFUSAL_PARAMETER_MISSING, "record");
}

TEST(VoidRecord, LateNeedsAnotherPersonWhateverTheRights) {
  auto book = asset_book();
  book.as("clerk", id("approver")).given(form("books"), check("c", "books"));
  book.on(20170716).with_rights({"SELF_APPROVE"});
  book.when(void_check("c")).refused(ASSETS_REFUSAL_SECOND_PERSON_REQUIRED, "record");
  book.as("clerk under another name", id("approver"));
  book.when(void_check("c")).refused(ASSETS_REFUSAL_SECOND_PERSON_REQUIRED, "record");
  book.as("clerk", id("checker")).when(void_check("c")).accepted();
}

TEST(VoidRecord, KeepsTheCheckATitleRestsOn) {
  auto book = asset_book();
  book.given(form("books"), check("before", "books", 20170615), title("books", 20170620),
             check("after", "books", 20170625));
  book.on(20170626)
      .when(void_check("before"))
      .refused(ASSETS_REFUSAL_RECORD_NOT_VOIDABLE, "record");
  book.when(void_check("after")).accepted();
  book.given(check("beside", "books", 20170618)).when(void_check("before")).accepted();
  EXPECT_EQ(book.row<Asset>(id("books")).state(), ASSET_STATE_TITLED);
}

}  // namespace
}  // namespace taizhang::test
