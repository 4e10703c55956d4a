// The view asset_register: titles that are late, assets without a manager, history, folding again.
#include <gtest/gtest.h>

#include "projections/asset_register/test_book.h"

namespace taizhang {
namespace {

using namespace asset_register::v1;
using testing::Book;
using testing::exact;
using testing::id;
using testing::kDiaoqu;
using testing::kJia;
using testing::on;

// T-62
TEST(LateTitle, IsADayLateOnTheFirstOfApril) {
  Book book;
  book.rules();
  book.form(1, 20160601, exact(1));
  book.form(2, 20160601, exact(1));
  book.title(1, 20170401);
  book.title(2, 20170331);
  const auto response = book.ask<LateTitleResponse>(on<LateTitleRequest>(20171231));
  ASSERT_EQ(response.rows_size(), 1);
  const auto& row = response.rows(0);
  EXPECT_EQ(row.asset().asset_id(), id(1));
  EXPECT_EQ(row.judgement(), JUDGEMENT_BROKEN);
  EXPECT_EQ(day_of(row.due_date()), 20170331);
  EXPECT_EQ(row.days_late(), 1);
  ASSERT_EQ(row.rules_size(), 1);
  EXPECT_EQ(row.rules(0).value(), "03-31");
}

TEST(LateTitle, CountsAnUntitledAssetUpToTheDayAsked) {
  Book book;
  book.rules();
  book.form(1, 20160601, exact(1));
  book.title(1, 20170501);
  EXPECT_EQ(book.ask<LateTitleResponse>(on<LateTitleRequest>(20170331)).rows_size(), 0);
  const auto response = book.ask<LateTitleResponse>(on<LateTitleRequest>(20170410));
  ASSERT_EQ(response.rows_size(), 1);
  EXPECT_EQ(response.rows(0).days_late(), 10);
  auto elsewhere = on<LateTitleRequest>(20170410);
  elsewhere.set_region(kJia);
  EXPECT_EQ(book.ask<LateTitleResponse>(elsewhere).rows_size(), 0);
}

TEST(LateTitle, SaysWhereNoRuleDecides) {
  Book book;
  book.rules();
  book.form(1, 20110601, exact(1));  // before the first version of the rule
  const auto response = book.ask<LateTitleResponse>(on<LateTitleRequest>(20171231));
  ASSERT_EQ(response.rows_size(), 1);
  EXPECT_EQ(response.rows(0).judgement(), JUDGEMENT_RULE_MISSING);
  EXPECT_FALSE(response.rows(0).has_due_date());
  EXPECT_FALSE(response.rows(0).has_days_late());
}

TEST(LateTitle, Pages) {
  Book book;
  book.rules();
  for (int asset = 1; asset <= 3; ++asset) book.form(asset, 20160601, exact(1));
  auto request = on<LateTitleRequest>(20180101);
  request.mutable_page()->set_page_size(2);
  const auto first = book.ask<LateTitleResponse>(request);
  EXPECT_EQ(first.rows_size(), 2);
  request.mutable_page()->set_page_token(first.next_page_token());
  EXPECT_EQ(book.ask<LateTitleResponse>(request).rows_size(), 1);
}

TEST(WithoutManager, SaysWhereNoRuleDecides) {
  Book book;
  book.form(1, 20170610, exact(1));
  const auto response = book.ask<WithoutManagerResponse>(on<WithoutManagerRequest>(20171231));
  ASSERT_EQ(response.rows_size(), 1);
  EXPECT_EQ(response.rows(0).judgement(), JUDGEMENT_RULE_MISSING);
}

TEST(AssetHistory, TellsEveryVersionNewestFirst) {
  Book book;
  book.as("maker-7").because("first");
  book.form(1, 20170610, exact(1));
  book.check(1, 101, 20170615);
  book.form(2, 20170610, exact(1));
  book.title(1, 20170620);
  AssetHistoryRequest request;
  request.set_asset_id(id(1));
  request.mutable_page()->set_page_size(2);
  const auto first = book.ask<AssetHistoryResponse>(request);
  ASSERT_EQ(first.versions_size(), 2);
  EXPECT_EQ(first.versions(0).version(), 4);
  EXPECT_EQ(first.versions(0).state(), ASSET_STATE_TITLED);
  EXPECT_EQ(first.versions(0).owner().id(), kDiaoqu);
  EXPECT_EQ(first.versions(0).change().event_type(), "assets.v1.AssetTitled");
  EXPECT_EQ(first.versions(0).change().actor().subject(), "maker-7");
  EXPECT_EQ(first.versions(0).change().reason(), "first");
  EXPECT_EQ(first.versions(0).document_ids(0), id(902));
  EXPECT_EQ(first.versions(1).state(), ASSET_STATE_CHECKED);
  EXPECT_EQ(first.versions(1).checks(), 1);
  request.mutable_page()->set_page_token(first.next_page_token());
  const auto second = book.ask<AssetHistoryResponse>(request);
  ASSERT_EQ(second.versions_size(), 1);
  EXPECT_EQ(second.versions(0).state(), ASSET_STATE_FORMED);
  request.set_asset_id(id(9));
  request.clear_page();
  EXPECT_EQ(book.ask_error(request).reason, "ASSET_NOT_FOUND");
}

TEST(AssetFold, GivesTheSameRowsAgain) {
  Book once;
  Book again;
  once.sample();
  again.sample();
  EXPECT_EQ(once.dump(), again.dump());
}

}  // namespace
}  // namespace taizhang
