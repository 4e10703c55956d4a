// Forming an asset and confirming who owns it.
#include "taizhang/assets/v1/errors.pb.h"
#include "taizhang/assets/v1/events.pb.h"
#include "taizhang/common/v1/errors.pb.h"
#include "tests/support/assets_commands.h"

namespace taizhang::test {
namespace {

using assets::state::v1::Asset;
using assets::state::v1::ASSET_STATE_FORMED;
using assets::state::v1::ASSET_STATE_TITLED;
using namespace assets::v1;
using common::v1::COMMON_REFUSAL_AMOUNT_NOT_POSITIVE;
using common::v1::COMMON_REFUSAL_DATE_ORDER_INVALID;
using common::v1::COMMON_REFUSAL_DOCUMENT_REQUIRED;
using common::v1::COMMON_REFUSAL_FIELD_INVALID;
using common::v1::COMMON_REFUSAL_FIELD_REQUIRED;
using common::v1::COMMON_REFUSAL_SUBJECT_NOT_ACTIVE;
using common::v1::COMMON_REFUSAL_SUBJECT_NOT_FOUND;
using common::v1::COMMON_REFUSAL_VERSION_MISMATCH;
using common::v1::Figure;
using common::v1::SUBJECT_KIND_HOUSEHOLD;
using common::v1::SUBJECT_KIND_ORGANISATION;
using common::v1::SUBJECT_KIND_PERSON;

TEST(FormAsset, KeepsItsCard) {
  auto book = asset_book();
  book.when(form("books")).accepted();
  EXPECT_EQ(book.event<AssetFormed>().serials(0), "A-1");
  const auto& asset = book.row<Asset>(id("books"));
  EXPECT_EQ(asset.state(), ASSET_STATE_FORMED);
  EXPECT_EQ(asset.asset_class(), ASSET_CLASS_PUBLIC);
  EXPECT_EQ(asset.from_day(), 20170610);
  EXPECT_EQ(asset.value().fen(), 3'400'000);
  EXPECT_EQ(asset.parts(0).fund_line_id(), id("D"));
  EXPECT_EQ(asset.quantity().milli(), 10'000);
  EXPECT_EQ(asset.version(), book.last_seq());
}

TEST(FormAsset, MayNotNameAProjectYet) {
  auto command = form("books");
  command.set_project_id(id("project"));
  command.mutable_parts(0)->set_fen(1);
  asset_book().when(command).refused(ASSETS_REFUSAL_PROJECT_NOT_FOUND, "project_id");
  command.set_care_id(id("care"));
  asset_book().when(command).refused(COMMON_REFUSAL_SUBJECT_NOT_FOUND, "care_id");
}

struct Sum {
  Figure::Qualifier qualifier;
  int64_t value;
  int64_t parts;
  bool fits;
};

TEST(FormAsset, TakesPartsThatAgreeWithWhatIsKnownOfTheValue) {
  const Sum sums[] = {
      {Figure::QUALIFIER_EXACT, 100, 100, true},    {Figure::QUALIFIER_EXACT, 100, 99, false},
      {Figure::QUALIFIER_EXACT, 100, 101, false},   {Figure::QUALIFIER_AT_LEAST, 100, 100, true},
      {Figure::QUALIFIER_AT_LEAST, 100, 99, false}, {Figure::QUALIFIER_AT_LEAST, 100, 101, true},
      {Figure::QUALIFIER_AT_MOST, 100, 100, true},  {Figure::QUALIFIER_AT_MOST, 100, 101, false},
      {Figure::QUALIFIER_AT_MOST, 100, 99, true},   {Figure::QUALIFIER_RANGE, 100, 100, true},
      {Figure::QUALIFIER_RANGE, 100, 120, true},    {Figure::QUALIFIER_RANGE, 100, 99, false},
      {Figure::QUALIFIER_RANGE, 100, 121, false},   {Figure::QUALIFIER_ABOUT, 100, 7, true}};
  for (const auto& sum : sums) {
    SCOPED_TRACE(Figure::Qualifier_Name(sum.qualifier) + " of " + std::to_string(sum.parts));
    auto command = form("books");
    *command.mutable_value() = value_of(sum.qualifier, sum.value);
    if (sum.qualifier == Figure::QUALIFIER_RANGE) command.mutable_value()->set_high(120);
    command.mutable_parts(0)->set_fen(sum.parts);
    auto book = asset_book();
    book.when(command);
    if (sum.fits) {
      book.accepted();
    } else {
      book.refused(ASSETS_REFUSAL_PARTS_DO_NOT_SUM, "parts");
    }
  }
}

TEST(FormAsset, AddsPartsOfLinesAndOfSources) {
  auto command = form("books");
  command.mutable_parts(0)->set_fen(3'000'000);
  auto& part = *command.add_parts();
  part.set_source_kind(funds::v1::SOURCE_KIND_DONATION);
  part.set_fen(400'000);
  asset_book().when(command).accepted();
}

// T-56: what is not known stands beside what is, and is never 0.
TEST(FormAsset, OfUnknownOrMaskedValueHasNoParts) {
  for (const auto qualifier : {Figure::QUALIFIER_UNKNOWN, Figure::QUALIFIER_MASKED}) {
    auto command = form("books");
    *command.mutable_value() = value_of(qualifier, 0);
    command.mutable_value()->clear_value();
    asset_book().when(command).refused(ASSETS_REFUSAL_PARTS_DO_NOT_SUM, "parts");
    command.clear_parts();
    auto book = asset_book();
    book.when(command).accepted();
    EXPECT_EQ(book.row<Asset>(id("books")).value().value_case(), Figure::VALUE_NOT_SET);
  }
  asset_book()
      .when(with(form("books"), [](auto& c) { c.clear_parts(); }))
      .refused(ASSETS_REFUSAL_PARTS_DO_NOT_SUM, "parts");
}

TEST(FormAsset, NeedsLinesThatAreOpenThatDay) {
  auto book = asset_book();
  book.when(
          with(form("books"), [](auto& c) { c.mutable_parts(0)->set_fund_line_id(id("nowhere")); }))
      .refused(COMMON_REFUSAL_SUBJECT_NOT_FOUND, "parts[0].fund_line_id");
  book.when(with(form("books"), [](auto& c) { *c.mutable_formed_date() = date_of(20161231); }))
      .refused(COMMON_REFUSAL_SUBJECT_NOT_ACTIVE, "parts[0].fund_line_id");
}

TEST(FormAsset, IsRefusedWhatIsMalformed) {
  const auto refused = [](const auto& change, auto reason, const char* field) {
    asset_book().when(with(form("books"), change)).refused(reason, field);
  };
  refused([](auto& c) { c.set_project_id(""); }, COMMON_REFUSAL_FIELD_REQUIRED, "project_id");
  refused([](auto& c) { c.set_care_id(""); }, COMMON_REFUSAL_FIELD_REQUIRED, "care_id");
  refused([](auto& c) { c.mutable_parts(0)->clear_source(); }, COMMON_REFUSAL_FIELD_REQUIRED,
          "parts[0].fund_line_id");
  refused([](auto& c) { c.mutable_parts(0)->set_source_kind(funds::v1::SOURCE_KIND_UNSPECIFIED); },
          COMMON_REFUSAL_FIELD_REQUIRED, "parts[0].source_kind");
  refused([](auto& c) { *c.add_parts() = c.parts(0); }, COMMON_REFUSAL_FIELD_INVALID,
          "parts[1].fund_line_id");
  refused([](auto& c) { c.mutable_parts(0)->set_fen(0); }, COMMON_REFUSAL_AMOUNT_NOT_POSITIVE,
          "parts[0].fen");
  refused([](auto& c) { c.mutable_value()->set_nature(Figure::NATURE_PLAN); },
          COMMON_REFUSAL_FIELD_INVALID, "value.nature");
  refused([](auto& c) { c.mutable_value()->set_count(3); }, COMMON_REFUSAL_FIELD_INVALID, "value");
  refused([](auto& c) { c.mutable_quantity()->set_milli(0); }, COMMON_REFUSAL_AMOUNT_NOT_POSITIVE,
          "quantity.milli");
  refused([](auto& c) { c.add_serials("A-1"); }, COMMON_REFUSAL_FIELD_INVALID, "serials[1]");
}

TEST(ConfirmTitle, MakesTheOwner) {
  auto book = asset_book();
  book.given(form("books"), check("c", "books")).when(title("books")).accepted();
  const auto& asset = book.row<Asset>(id("books"));
  EXPECT_EQ(asset.state(), ASSET_STATE_TITLED);
  EXPECT_EQ(asset.owner().id(), kVillageD);
  EXPECT_EQ(asset.title_day(), 20170620);
  EXPECT_EQ(asset.version(), book.last_seq());
}

// T-62 asks the view how late it was; the book takes it.
TEST(ConfirmTitle, MayComeInALaterYear) {
  auto book = asset_book();
  book.given(with(form("books"), [](auto& c) { *c.mutable_formed_date() = date_of(20170101); }),
             check("c", "books", 20170102))
      .when(title("books", 20180401))
      .accepted();
}

TEST(ConfirmTitle, IsRefusedInTheOrderOfItsRow) {
  auto book = asset_book();
  auto command = title("books", 20170609);
  set_owner(command, subject(SUBJECT_KIND_PERSON, id("villager")));
  command.mutable_rights(0)->set_right(ASSET_RIGHT_INCOME);
  book.expecting_version(99).when(command).refused(ASSETS_REFUSAL_ASSET_NOT_FOUND, "asset_id");
  book.given(form("books")).when(command).refused(ASSETS_REFUSAL_ASSET_NOT_CHECKED, "asset_id");
  book.given(check("c", "books"))
      .when(command)
      .refused(ASSETS_REFUSAL_OWNER_KIND_NOT_ALLOWED, "owner.kind");

  auto titled = asset_book();
  titled.given(form("books"), check("c", "books"), title("books"));
  titled.expecting_version(99).when(command).refused(ASSETS_REFUSAL_OWNER_KIND_NOT_ALLOWED,
                                                     "owner.kind");
  *command.mutable_owner() = village(kVillageD);
  titled.expecting_version(99).when(command).refused(ASSETS_REFUSAL_ALREADY_TITLED, "asset_id");

  book.expecting_version(99).when(command).refused(COMMON_REFUSAL_VERSION_MISMATCH,
                                                   "context.expected_version");
  book.when(command).refused(COMMON_REFUSAL_DATE_ORDER_INVALID, "title_date");
  *command.mutable_title_date() = date_of(20170620);
  book.when(command).refused(ASSETS_REFUSAL_OWNERSHIP_MISSING, "rights");
  command.mutable_rights(0)->set_right(ASSET_RIGHT_OWNERSHIP);
  book.when(command).refused(ASSETS_REFUSAL_OWNERSHIP_MISSING, "rights");
  *command.mutable_rights(0)->mutable_holder() = village(kVillageD);
  book.expecting_version(book.row<Asset>(id("books")).version()).when(command).accepted();
}

TEST(ConfirmTitle, NeedsACheckMadeByItsDay) {
  auto book = asset_book();
  book.given(form("books"), check("c", "books", 20170615));
  book.when(title("books", 20170614)).refused(ASSETS_REFUSAL_ASSET_NOT_CHECKED, "asset_id");
  book.when(title("books", 20170615)).accepted();
}

TEST(ConfirmTitle, GivesOwnershipToOneOnly) {
  auto book = asset_book();
  auto command = title("books");
  *command.add_rights() = command.rights(0);
  *command.mutable_rights(1)->mutable_holder() = subject(SUBJECT_KIND_ORGANISATION, id("firm"));
  book.given(form("books"), check("c", "books"))
      .when(command)
      .refused(ASSETS_REFUSAL_OWNERSHIP_MISSING, "rights");
  command.mutable_rights(1)->set_right(ASSET_RIGHT_OPERATION);
  book.when(command).accepted();
}

TEST(ConfirmTitle, LetsHouseholdsOwnOnlyWhatIsForHouseholds) {
  const auto family = subject(SUBJECT_KIND_HOUSEHOLD, id("family"));
  const auto firm = subject(SUBJECT_KIND_ORGANISATION, id("firm"));
  const auto owned_by = [](AssetClass asset_class, const common::v1::SubjectRef& owner) {
    auto book = asset_book();
    book.given(form("thing", asset_class), check("c", "thing"));
    book.when(with(title("thing"), [&](auto& c) { set_owner(c, owner); }));
    return book.event_count() == 1;
  };
  EXPECT_TRUE(owned_by(ASSET_CLASS_HOUSEHOLD, family));
  EXPECT_FALSE(owned_by(ASSET_CLASS_HOUSEHOLD, village(kVillageD)));
  EXPECT_FALSE(owned_by(ASSET_CLASS_HOUSEHOLD, firm));
  for (const auto asset_class : {ASSET_CLASS_OPERATING, ASSET_CLASS_PUBLIC, ASSET_CLASS_EQUITY}) {
    EXPECT_FALSE(owned_by(asset_class, family));
    EXPECT_TRUE(owned_by(asset_class, village(kVillageD)));
    EXPECT_TRUE(owned_by(asset_class, firm));
  }
}

TEST(ConfirmTitle, NeedsACertificateAndRights) {
  asset_book()
      .when(with(title("books"), [](auto& c) { c.clear_certificate(); }))
      .refused(COMMON_REFUSAL_DOCUMENT_REQUIRED, "certificate");
  asset_book()
      .when(with(title("books"), [](auto& c) { c.clear_rights(); }))
      .refused(COMMON_REFUSAL_FIELD_REQUIRED, "rights");
}

}  // namespace
}  // namespace taizhang::test
