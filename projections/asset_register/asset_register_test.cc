// The view asset_register: expected figures of the sample book, states by day, voids, pages.
#include "projections/asset_register/asset_register.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "projections/asset_register/test_book.h"
#include "taizhang/common/v1/change.pb.h"

namespace taizhang {
namespace {

using namespace asset_register::v1;
using testing::Book;
using testing::exact;
using testing::formed;
using testing::id;
using testing::kDiaoqu;
using testing::kJia;
using testing::on;
using testing::unknown;
using testing::village;

TEST(Register, HoldsTheSampleBooksAssets) {
  Book book;
  book.sample();
  const auto response = book.ask<RegisterResponse>(on<RegisterRequest>(20171231));
  EXPECT_EQ(response.count(), 3);
  ASSERT_EQ(response.rows_size(), 3);
  for (const auto& row : response.rows()) EXPECT_EQ(row.state(), ASSET_STATE_HANDED_OVER);
  EXPECT_EQ(response.value().fen(), 4'000'000);
  EXPECT_EQ(response.value().qualifier(), common::v1::Figure::QUALIFIER_EXACT);
  EXPECT_FALSE(response.value_incomplete());
  EXPECT_EQ(book.ask<LateTitleResponse>(on<LateTitleRequest>(20180401)).rows_size(), 0);
  EXPECT_EQ(book.ask<WithoutManagerResponse>(on<WithoutManagerRequest>(20170620)).rows_size(), 3);
  EXPECT_EQ(book.ask<WithoutManagerResponse>(on<WithoutManagerRequest>(20171231)).rows_size(), 0);
}

// T-56
TEST(Register, SumsWhatIsKnownAndSaysItIsIncomplete) {
  Book book;
  book.form(1, 20170610, exact(300));
  book.form(2, 20170611, unknown());
  const auto response = book.ask<RegisterResponse>(on<RegisterRequest>(20171231));
  EXPECT_EQ(response.count(), 2);
  EXPECT_EQ(response.value().fen(), 300);
  EXPECT_EQ(response.value().qualifier(), common::v1::Figure::QUALIFIER_EXACT);
  EXPECT_TRUE(response.value_incomplete());
}

TEST(Register, OfNothingHasNoValue) {
  Book book;
  const auto response = book.ask<RegisterResponse>(on<RegisterRequest>(20171231));
  EXPECT_EQ(response.count(), 0);
  EXPECT_FALSE(response.has_value());
  EXPECT_FALSE(response.value_incomplete());
}

TEST(Register, FiltersByRegionClassYearStateAndHolder) {
  Book book;
  book.sample();
  book.form(4, 20180101, exact(5), kJia);
  const auto count = [&](const auto& fill) {
    auto request = on<RegisterRequest>(20181231);
    fill(request);
    const auto response = book.ask<RegisterResponse>(request);
    EXPECT_EQ(response.count(), response.rows_size());
    return response.count();
  };
  EXPECT_EQ(count([](auto&) {}), 4);
  EXPECT_EQ(count([](auto& request) { request.set_region("990101100"); }), 4);
  EXPECT_EQ(count([](auto& request) { request.set_region(kJia); }), 1);
  EXPECT_EQ(count([](auto& request) { request.set_region(kDiaoqu); }), 3);
  EXPECT_EQ(count([](auto& request) { request.set_region("990102"); }), 0);
  EXPECT_EQ(count([](auto& request) { request.set_asset_class(assets::v1::ASSET_CLASS_PUBLIC); }),
            4);
  EXPECT_EQ(count([](auto& request) { request.set_asset_class(assets::v1::ASSET_CLASS_EQUITY); }),
            0);
  EXPECT_EQ(count([](auto& request) { request.set_year(2017); }), 3);
  EXPECT_EQ(count([](auto& request) { request.set_state(ASSET_STATE_FORMED); }), 1);
  EXPECT_EQ(count([](auto& request) { *request.mutable_holder() = village(kDiaoqu); }), 3);
  EXPECT_EQ(count([](auto& request) { *request.mutable_holder() = village(kJia); }), 0);
  EXPECT_EQ(count([](auto& request) {
              *request.mutable_holder() = village(kDiaoqu);
              *request.mutable_read()->mutable_effective_date() = date_of(20170629);
            }),
            0);
}

TEST(Register, PagesInOrderOfRegion) {
  Book book;
  for (int asset = 1; asset <= 5; ++asset)
    book.form(asset, 20170101, exact(1), asset % 2 == 0 ? kJia : kDiaoqu);
  for (const char* region : {"", "990101100"}) {
    auto request = on<RegisterRequest>(20171231);
    request.set_region(region);
    request.mutable_page()->set_page_size(2);
    std::vector<std::string> seen;
    do {
      const auto response = book.ask<RegisterResponse>(request);
      EXPECT_EQ(response.count(), seen.empty() ? 5 : 0);
      for (const auto& row : response.rows()) seen.push_back(row.asset_id());
      request.mutable_page()->set_page_token(response.next_page_token());
    } while (!request.page().page_token().empty());
    EXPECT_EQ(seen, (std::vector<std::string>{id(2), id(4), id(1), id(3), id(5)}));
  }
}

TEST(Register, PagesTheAssetsOfAHolder) {
  Book book;
  book.sample();
  auto request = on<RegisterRequest>(20171231);
  *request.mutable_holder() = village(kDiaoqu);
  request.mutable_page()->set_page_size(2);
  const auto first = book.ask<RegisterResponse>(request);
  EXPECT_EQ(first.rows_size(), 2);
  request.mutable_page()->set_page_token(first.next_page_token());
  const auto second = book.ask<RegisterResponse>(request);
  ASSERT_EQ(second.rows_size(), 1);
  EXPECT_EQ(second.rows(0).asset_id(), id(3));
}

TEST(Card, TellsEverythingOfAnAsset) {
  Book book;
  book.sample();
  const auto card = book.card_on(1, 20171231);
  EXPECT_EQ(card.asset().state(), ASSET_STATE_HANDED_OVER);
  EXPECT_EQ(card.asset().name().text(), "asset 1");
  EXPECT_EQ(card.asset().owner().id(), kDiaoqu);
  EXPECT_EQ(card.asset().holder().id(), kDiaoqu);
  EXPECT_EQ(card.asset().manager().subject().id(), id(701));
  EXPECT_EQ(card.asset().version(),
            16);  // 4 rules, 3 formed, 3 checked, 3 titled, offered, handed over and managed
  EXPECT_EQ(card.asset().event_ids_size(), 6);
  EXPECT_EQ(card.asset().event_ids(0), "990101/16");
  EXPECT_EQ(card.parts(0).fund_line_id(), id(500));
  EXPECT_EQ(card.serials(0), "S-1");
  ASSERT_EQ(card.checks_size(), 1);
  EXPECT_EQ(card.checks(0).found().milli(), 2'000);
  EXPECT_EQ(card.checks(0).evidence(0).document_id(), id(901));
  EXPECT_EQ(card.checks(0).event_id(), "990101/8");
  EXPECT_EQ(card.title().certificate().document_id(), id(902));
  EXPECT_EQ(card.title().rights(0).right(), assets::v1::ASSET_RIGHT_OWNERSHIP);
  ASSERT_EQ(card.offers_size(), 1);
  EXPECT_EQ(card.offers(0).answer(), assets::v1::OFFER_DECISION_ACCEPT);
  EXPECT_EQ(card.offers(0).sign_offs(0).mark(), common::v1::SignOff::MARK_SEAL);
  ASSERT_EQ(card.managers_size(), 1);
  EXPECT_EQ(card.managers(0).manager().duties(0), "KEEPING");
}

TEST(Card, ShowsTheStateOfEachDay) {
  Book book;
  book.sample();
  EXPECT_EQ(book.card_on(1, 20170610).asset().state(), ASSET_STATE_FORMED);
  EXPECT_EQ(book.card_on(1, 20170615).asset().state(), ASSET_STATE_CHECKED);
  EXPECT_EQ(book.card_on(1, 20170620).asset().state(), ASSET_STATE_TITLED);
  const auto offered = book.card_on(1, 20170625);
  EXPECT_EQ(offered.asset().state(), ASSET_STATE_OFFERED);
  EXPECT_FALSE(offered.asset().has_holder());
  EXPECT_FALSE(offered.asset().has_manager());
  EXPECT_EQ(offered.offers(0).answer(), assets::v1::OFFER_DECISION_UNSPECIFIED);
  EXPECT_EQ(offered.offers(0).answer_event_id(), "");
  EXPECT_EQ(book.card_on(1, 20170630).asset().state(), ASSET_STATE_HANDED_OVER);
  auto before = on<CardRequest>(20170609);
  before.set_asset_id(id(1));
  EXPECT_EQ(book.ask_error(before).reason, "ASSET_NOT_FOUND");
  before.set_asset_id(id(9));
  EXPECT_EQ(book.ask_error(before).reason, "ASSET_NOT_FOUND");
}

TEST(Card, IsTitledAgainAfterARejectedOffer) {
  Book book;
  book.form(1, 20170610, exact(1));
  book.check(1, 101, 20170615);
  book.title(1, 20170620);
  book.offer(200, 20170625, {1});
  book.reject(200, 20170626, {1});
  const auto card = book.card_on(1, 20170627);
  EXPECT_EQ(card.asset().state(), ASSET_STATE_TITLED);
  EXPECT_EQ(card.offers(0).answer(), assets::v1::OFFER_DECISION_REJECT);
  book.offer(201, 20170628, {1});
  EXPECT_EQ(book.card_on(1, 20170628).asset().state(), ASSET_STATE_OFFERED);
  EXPECT_EQ(book.card_on(1, 20170627).offers_size(), 1);
}

TEST(Card, LosesAVoidedCheckOnEveryDayButNotInThePast) {
  Book book;
  book.form(1, 20170610, exact(1));
  const int64_t checked = book.check(1, 101, 20170615);
  book.void_check(1, 101, 20170701);
  EXPECT_EQ(book.card_on(1, 20170616).checks_size(), 0);
  EXPECT_EQ(book.card_on(1, 20170616).asset().state(), ASSET_STATE_FORMED);
  const auto then = book.card_on(1, 20170616, checked);
  ASSERT_EQ(then.checks_size(), 1);
  EXPECT_EQ(then.checks(0).condition(), "GOOD");
  EXPECT_EQ(then.asset().state(), ASSET_STATE_CHECKED);
}

TEST(Card, AnswersAsOfARecordedTime) {
  Book book;
  book.form(1, 20170610, exact(1));
  const int64_t then = book.last_recorded_time_us();
  book.check(1, 101, 20170615);
  auto request = on<CardRequest>(20171231);
  request.set_asset_id(id(1));
  request.mutable_read()->mutable_recorded_time()->set_seconds(then / 1'000'000);
  const auto card = book.ask<CardResponse>(request);
  EXPECT_EQ(card.asset().state(), ASSET_STATE_FORMED);
  EXPECT_TRUE(card.freshness().final());
}

TEST(Card, OrdersChecksByDay) {
  Book book;
  book.form(1, 20170610, exact(1));
  book.check(1, 102, 20170801);
  book.check(1, 101, 20170701);
  const auto card = book.card_on(1, 20171231);
  ASSERT_EQ(card.checks_size(), 2);
  EXPECT_EQ(card.checks(0).check_id(), id(101));
  EXPECT_EQ(book.card_on(1, 20170702).checks_size(), 1);
}

}  // namespace
}  // namespace taizhang
