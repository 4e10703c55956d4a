// Offering assets, and the receiver's answer.
#include "taizhang/assets/v1/errors.pb.h"
#include "taizhang/assets/v1/events.pb.h"
#include "taizhang/common/v1/errors.pb.h"
#include "tests/support/assets_commands.h"

namespace taizhang::test {
namespace {

using assets::state::v1::Asset;
using assets::state::v1::ASSET_STATE_HANDED_OVER;
using assets::state::v1::ASSET_STATE_OFFERED;
using assets::state::v1::ASSET_STATE_TITLED;
using assets::state::v1::Offer;
using namespace assets::v1;
using common::v1::COMMON_REFUSAL_DATE_ORDER_INVALID;
using common::v1::COMMON_REFUSAL_DOCUMENT_REQUIRED;
using common::v1::COMMON_REFUSAL_FIELD_INVALID;
using common::v1::COMMON_REFUSAL_FIELD_REQUIRED;
using common::v1::COMMON_REFUSAL_NOT_AUTHORISED;
using common::v1::COMMON_REFUSAL_PARAMETER_MISSING;
using common::v1::COMMON_REFUSAL_SAME_ACTOR;
using common::v1::COMMON_REFUSAL_VERSION_MISMATCH;
using common::v1::SignOff;

// "books" and "chairs", titled; recorded by a clerk.
Scenario titled() {
  auto book = asset_book();
  book.as("clerk").given(form("books"), check("c1", "books"), title("books"));
  book.given(form("chairs"), check("c2", "chairs"), title("chairs"));
  return book;
}

// Both offered to village D, and the village office at the desk.
Scenario offered() {
  auto book = titled();
  book.given(offer("o", {"books", "chairs"}));
  book.as("receiver", "", id("village office")).with_regions({std::string(kVillageD)});
  return book;
}

TEST(OfferAsset, HoldsOutEveryAssetOfTheList) {
  auto book = titled();
  book.when(offer("o", {"books", "chairs"})).accepted();
  for (const auto* name : {"books", "chairs"}) {
    EXPECT_EQ(book.row<Asset>(id(name)).state(), ASSET_STATE_OFFERED);
    EXPECT_EQ(book.row<Asset>(id(name)).open_offer_id(), id("o"));
  }
  EXPECT_EQ(book.row<Offer>(id("o")).version(), book.last_seq());
  EXPECT_EQ(book.row<Offer>(id("o")).offerer().subject(), "clerk");
}

TEST(OfferAsset, IsRefusedInTheOrderOfItsRow) {
  auto book = titled();
  book.given(form("raw"), check("c3", "raw"));
  const auto command = offer("o", {"books", "raw", "nothing"}, 20170619);
  book.when(command).refused(ASSETS_REFUSAL_ASSET_NOT_FOUND, "asset_ids[2]");
  book.given(offer("held", {"books"}));
  book.when(offer("o", {"books", "raw"}, 20170619))
      .refused(ASSETS_REFUSAL_ASSET_NOT_TITLED, "asset_ids[1]");
  book.when(offer("o", {"chairs", "books"}, 20170619))
      .refused(ASSETS_REFUSAL_ALREADY_OFFERED, "asset_ids[1]");
  book.given(with(check("bad", "chairs", 20170616), [](auto& c) { c.set_condition("DAMAGED"); }));
  book.when(offer("o", {"chairs"}, 20170619))
      .refused(COMMON_REFUSAL_DATE_ORDER_INVALID, "offered_date");
  book.when(offer("o", {"chairs"}, 20170620)).refused(ASSETS_REFUSAL_DEFECTS_OPEN, "asset_ids[0]");
  book.given(check("mended", "chairs", 20170619)).when(offer("o", {"chairs"}, 20170620)).accepted();
}

TEST(OfferAsset, IsRefusedWhatIsMalformed) {
  titled().when(offer("o", {})).refused(COMMON_REFUSAL_FIELD_REQUIRED, "asset_ids");
  titled()
      .when(offer("o", {"books", "books"}))
      .refused(COMMON_REFUSAL_FIELD_INVALID, "asset_ids[1]");
  titled()
      .expecting_version(1)
      .when(offer("o", {"books"}))
      .refused(COMMON_REFUSAL_FIELD_INVALID, "context.expected_version");
  titled()
      .when(with(offer("o", {"books"}), [](auto& c) { c.clear_document(); }))
      .refused(COMMON_REFUSAL_DOCUMENT_REQUIRED, "document");
  titled()
      .when(with(offer("o", {"books"}),
                 [](auto& c) {
                   *c.mutable_to() = subject(common::v1::SUBJECT_KIND_WORKER, id("checker"));
                 }))
      .refused(COMMON_REFUSAL_FIELD_INVALID, "to.kind");
}

TEST(OfferAsset, WithAPieceMissingIsRefused) {
  auto book = titled();
  book.given(
      with(check("bad", "books", 20170622), [](auto& c) { c.mutable_found()->set_milli(9'999); }));
  book.when(offer("o", {"books"})).refused(ASSETS_REFUSAL_DEFECTS_OPEN, "asset_ids[0]");
}

TEST(OfferAsset, OfAPastDayLooksAtTheCheckOfThatDayAndAtLaterOnes) {
  auto book = titled();
  book.given(with(check("bad", "books", 20170622), [](auto& c) { c.set_condition("MISSING"); }),
             check("mended", "books", 20170624));
  book.when(offer("o", {"books"}, 20170623)).refused(ASSETS_REFUSAL_DEFECTS_OPEN, "asset_ids[0]");
  book.when(offer("o", {"books"}, 20170621)).refused(ASSETS_REFUSAL_DEFECTS_OPEN, "asset_ids[0]");
  book.when(offer("o", {"books"}, 20170624)).accepted();
}

TEST(OfferAsset, IsFreeOfADefectThatWasVoided) {
  auto book = titled();
  book.given(with(check("bad", "books", 20170622), [](auto& c) { c.set_condition("DAMAGED"); }));
  book.on(20170623).given(void_check("bad")).when(offer("o", {"books"})).accepted();
}

TEST(AnswerAssetOffer, HandsEveryAssetOverAndAppointsItsManager) {
  auto book = offered();
  book.when(answer("o")).accepted();
  ASSERT_EQ(book.event_count(), 4);
  EXPECT_EQ(book.event<AssetHandedOver>(0).asset_id(), id("books"));
  EXPECT_EQ(book.event<AssetHandedOver>(1).asset_id(), id("chairs"));
  EXPECT_EQ(book.event<AssetHandedOver>(1).to().id(), kVillageD);
  EXPECT_EQ(book.event<ManagerAppointed>(1).asset_id(), id("chairs"));
  EXPECT_EQ(book.event<ManagerAppointed>(1).from_date().day(), 30);
  for (const auto* name : {"books", "chairs"}) {
    const auto& asset = book.row<Asset>(id(name));
    EXPECT_EQ(asset.state(), ASSET_STATE_HANDED_OVER);
    EXPECT_EQ(asset.holder().id(), kVillageD);
    EXPECT_EQ(asset.handed_over_day(), 20170630);
    EXPECT_EQ(asset.manager().subject().id(), id("checker"));
    EXPECT_EQ(asset.manager_from_day(), 20170630);
    EXPECT_EQ(asset.open_offer_id(), "");
  }
  EXPECT_EQ(book.row<Offer>(id("o")).answer(), OFFER_DECISION_ACCEPT);
  EXPECT_EQ(book.row<Offer>(id("o")).version(), book.last_seq());
  EXPECT_EQ(book.row<Asset>(id("chairs")).version(), book.last_seq());
}

TEST(AnswerAssetOffer, ByRefusingLeavesTheAssetsFreeFromThatDay) {
  auto book = offered();
  auto command = answer("o", OFFER_DECISION_REJECT);
  command.clear_sign_offs();
  book.when(command).accepted();
  EXPECT_EQ(book.event<AssetOfferRejected>().asset_ids_size(), 2);
  EXPECT_EQ(book.row<Asset>(id("books")).state(), ASSET_STATE_TITLED);
  EXPECT_EQ(book.row<Offer>(id("o")).answer(), OFFER_DECISION_REJECT);
  EXPECT_EQ(book.row<Offer>(id("o")).version(), book.last_seq());
  book.as("clerk").with_regions({""});
  book.when(offer("again", {"books"}, 20170629))
      .refused(ASSETS_REFUSAL_ALREADY_OFFERED, "asset_ids[0]");
  book.when(offer("again", {"books"}, 20170630)).accepted();
}

TEST(AnswerAssetOffer, IsForCheckers) {
  offered()
      .with_roles({common::v1::ROLE_MAKER})
      .when(answer("o"))
      .refused(COMMON_REFUSAL_NOT_AUTHORISED, "");
}

TEST(AnswerAssetOffer, IsRefusedInTheOrderOfItsRow) {
  auto book = offered();
  auto command = answer("nothing", OFFER_DECISION_ACCEPT, 20170624);
  command.clear_manager();
  command.mutable_sign_offs(0)->set_mark(SignOff::MARK_SIGNATURE);
  book.as("clerk");
  book.expecting_version(99).when(command).refused(ASSETS_REFUSAL_OFFER_NOT_FOUND, "offer_id");
  command.set_offer_id(id("o"));

  auto answered = offered();
  answered.given(answer("o")).as("clerk");
  answered.expecting_version(99).when(command).refused(ASSETS_REFUSAL_ALREADY_ANSWERED, "offer_id");

  book.expecting_version(99).when(command).refused(COMMON_REFUSAL_VERSION_MISMATCH,
                                                   "context.expected_version");
  book.when(command).refused(COMMON_REFUSAL_SAME_ACTOR, "offer_id");
  book.as("stranger", "", id("village office"));
  book.when(command).refused(COMMON_REFUSAL_DATE_ORDER_INVALID, "date");
  *command.mutable_date() = date_of(20170625);
  book.with_regions({std::string(kVillageJ)})
      .when(command)
      .refused(ASSETS_REFUSAL_NOT_THE_RECEIVER, "offer_id");
  book.as("receiver", "", id("village office")).with_regions({std::string(kVillageD)});
  book.when(command).refused(ASSETS_REFUSAL_SIGNATURE_MISSING, "sign_offs");
  command.mutable_sign_offs(0)->set_mark(SignOff::MARK_SIGNATURE_AND_SEAL);
  book.when(command).refused(ASSETS_REFUSAL_MANAGER_MISSING, "manager");
}

TEST(AnswerAssetOffer, MayBeBySelfWithTheRightAndShowsIt) {
  offered()
      .as("clerk", "", id("village office"))
      .with_rights({"SELF_APPROVE"})
      .when(answer("o"))
      .accepted()
      .used_right("SELF_APPROVE");
}

TEST(AnswerAssetOffer, OfAnOrganisationIsItsOwn) {
  auto book = titled();
  book.given(with(offer("o", {"books"}), [](auto& c) {
    *c.mutable_to() = subject(common::v1::SUBJECT_KIND_ORGANISATION, id("firm"));
  }));
  book.as("someone").when(answer("o")).refused(ASSETS_REFUSAL_NOT_THE_RECEIVER, "offer_id");
  book.as("someone", "", id("unit"))
      .when(answer("o"))
      .refused(ASSETS_REFUSAL_NOT_THE_RECEIVER, "offer_id");
  book.as("someone", "", id("firm")).when(answer("o")).accepted();
}

TEST(AnswerAssetOffer, OfAHouseholdIsSignedOrThumbed) {
  const auto answered_with = [](SignOff::Mark mark, SignOff::Role role) {
    auto book = titled();
    book.given(with(offer("o", {"books"}), [](auto& c) {
      *c.mutable_to() = subject(common::v1::SUBJECT_KIND_HOUSEHOLD, id("family"));
    }));
    book.as("receiver", "", id("village office")).with_regions({std::string(kVillageD)});
    auto command = answer("o");
    command.mutable_sign_offs(0)->set_person_id(id("villager"));
    command.mutable_sign_offs(0)->set_mark(mark);
    command.mutable_sign_offs(0)->set_role(role);
    book.when(command);
    return book.event_count() > 0;
  };
  EXPECT_TRUE(answered_with(SignOff::MARK_SIGNATURE, SignOff::ROLE_RECEIVER));
  EXPECT_TRUE(answered_with(SignOff::MARK_THUMB, SignOff::ROLE_RECEIVER));
  EXPECT_FALSE(answered_with(SignOff::MARK_SEAL, SignOff::ROLE_RECEIVER));
  EXPECT_FALSE(answered_with(SignOff::MARK_SIGNATURE, SignOff::ROLE_WITNESS));
}

TEST(AnswerAssetOffer, OfAVillageIsSealedByTheReceiver) {
  auto book = offered();
  auto command = answer("o");
  command.mutable_sign_offs(0)->set_role(SignOff::ROLE_GIVER);
  book.when(command).refused(ASSETS_REFUSAL_SIGNATURE_MISSING, "sign_offs");
  command.mutable_sign_offs(0)->set_role(SignOff::ROLE_RECEIVER);
  command.mutable_sign_offs(0)->set_mark(SignOff::MARK_THUMB);
  book.when(command).refused(ASSETS_REFUSAL_SIGNATURE_MISSING, "sign_offs");
  command.clear_sign_offs();
  book.when(command).refused(ASSETS_REFUSAL_SIGNATURE_MISSING, "sign_offs");
}

TEST(AnswerAssetOffer, NeedsNoManagerWhereTheClassNeedsNone) {
  auto book = asset_book();
  book.given(form("share", ASSET_CLASS_EQUITY), check("c", "share"), title("share"),
             offer("o", {"share"}));
  book.as("receiver", "", id("village office")).with_regions({std::string(kVillageD)});
  book.when(with(answer("o"), [](auto& c) { c.clear_manager(); })).accepted();
  ASSERT_EQ(book.event_count(), 1);
  EXPECT_EQ(book.event<AssetHandedOver>().parameters_used(0).value(), "false");
  EXPECT_EQ(book.row<Offer>(id("o")).version(), book.last_seq());
}

TEST(AnswerAssetOffer, CannotBeDecidedWhereNobodySaidWhetherAManagerIsNeeded) {
  auto book = asset_book();
  book.given(form("books"), check("c1", "books"), title("books"));
  book.given(form("shop", ASSET_CLASS_OPERATING), check("c", "shop"), title("shop"),
             offer("o", {"books", "shop"}));
  book.as("receiver", "", id("village office")).with_regions({std::string(kVillageD)});
  auto command = answer("o");
  book.when(with(command, [](auto& c) { c.clear_manager(); }))
      .refused(COMMON_REFUSAL_PARAMETER_MISSING, "manager");
  book.when(command).accepted();
}

TEST(AnswerAssetOffer, IsRefusedWhatIsMalformed) {
  auto command = answer("o", OFFER_DECISION_REJECT);
  *command.mutable_manager() = answer("o").manager();
  offered().when(command).refused(COMMON_REFUSAL_FIELD_INVALID, "manager");
  command.clear_manager();
  command.mutable_sign_offs(0)->clear_signer();
  offered().when(command).refused(COMMON_REFUSAL_FIELD_REQUIRED, "sign_offs[0].worker_id");
}

}  // namespace
}  // namespace taizhang::test
