// The view asset_register: expected figures of the sample book, states by day, voids, rules, pages,
// history.
#include "projections/asset_register/asset_register.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "domain/dates.h"
#include "platform/projection/view_fixture.h"
#include "taizhang/asset_register/v1/service.pb.h"
#include "taizhang/assets/v1/events.pb.h"
#include "taizhang/common/v1/change.pb.h"
#include "taizhang/rules/v1/events.pb.h"

namespace taizhang {
namespace {

using namespace asset_register::v1;

constexpr char kDiaoqu[] = "990101100202";  // 吊渠村
constexpr char kJia[] = "990101100201";

// 00000000-0000-4000-8000-0000000000NN
std::string id(int number) {
  char text[37];
  std::snprintf(text, sizeof text, "00000000-0000-4000-8000-%012d", number);
  return text;
}

common::v1::SubjectRef village(const std::string& code) {
  common::v1::SubjectRef subject;
  subject.set_kind(common::v1::SUBJECT_KIND_VILLAGE);
  subject.set_id(code);
  return subject;
}

common::v1::Figure exact(int64_t fen) {
  common::v1::Figure figure;
  figure.set_qualifier(common::v1::Figure::QUALIFIER_EXACT);
  figure.set_nature(common::v1::Figure::NATURE_ACTUAL);
  figure.set_fen(fen);
  return figure;
}

common::v1::Figure unknown() {
  common::v1::Figure figure;
  figure.set_qualifier(common::v1::Figure::QUALIFIER_UNKNOWN);
  figure.set_nature(common::v1::Figure::NATURE_ACTUAL);
  return figure;
}

common::v1::Quantity pieces(int64_t milli) {
  common::v1::Quantity quantity;
  quantity.set_milli(milli);
  quantity.set_unit(common::v1::UNIT_PIECE);
  return quantity;
}

assets::v1::AssetFormed formed(int asset, int32_t day, const common::v1::Figure& value,
                               const std::string& region = kDiaoqu) {
  assets::v1::AssetFormed event;
  event.set_asset_id(id(asset));
  event.set_asset_class(assets::v1::ASSET_CLASS_PUBLIC);
  event.set_kind("OFFICE_GOODS");
  event.mutable_name()->set_text("asset " + std::to_string(asset));
  event.set_region(region);
  auto& part = *event.add_parts();
  part.set_fund_line_id(id(500));
  part.set_fen(value.fen());
  *event.mutable_value() = value;
  *event.mutable_quantity() = pieces(2'000);
  *event.mutable_formed_date() = date_of(day);
  event.add_serials("S-1");
  return event;
}

class Book : public ViewFixture {
 public:
  Book() : ViewFixture(asset_register_view()) {}

  void rules() {
    set_rule("asset.title_due", rules::v1::PARAMETER_TYPE_MONTH_DAY,
             [](rules::v1::ParameterValue& value) {
               value.mutable_month_day()->set_month(3);
               value.mutable_month_day()->set_day(31);
             });
    set_rule("asset.manager_required", rules::v1::PARAMETER_TYPE_BOOL,
             [](rules::v1::ParameterValue& value) { value.set_flag(true); });
  }

  int64_t form(int asset, int32_t day, const common::v1::Figure& value,
               const std::string& region = kDiaoqu) {
    return commit(day, formed(asset, day, value, region));
  }

  int64_t check(int asset, int number, int32_t day, int64_t found_milli = 2'000) {
    assets::v1::AssetChecked event;
    event.set_check_id(id(number));
    event.set_asset_id(id(asset));
    *event.mutable_check_date() = date_of(day);
    *event.mutable_found() = pieces(found_milli);
    *event.mutable_difference() = pieces(found_milli - 2'000);
    event.set_condition("GOOD");
    event.set_checker_worker_id(id(700));
    event.add_evidence()->set_document_id(id(901));
    return commit(day, event);
  }

  int64_t void_check(int asset, int number, int32_t day) {
    assets::v1::RecordVoided event;
    event.mutable_record()->set_kind(common::v1::SUBJECT_KIND_CHECK);
    event.mutable_record()->set_id(id(number));
    event.set_asset_id(id(asset));
    return commit(day, event);
  }

  int64_t title(int asset, int32_t day) {
    assets::v1::AssetTitled event;
    event.set_asset_id(id(asset));
    *event.mutable_owner() = village(kDiaoqu);
    auto& holding = *event.add_rights();
    holding.set_right(assets::v1::ASSET_RIGHT_OWNERSHIP);
    *holding.mutable_holder() = village(kDiaoqu);
    event.mutable_certificate()->set_document_id(id(902));
    *event.mutable_title_date() = date_of(day);
    return commit(day, event);
  }

  int64_t offer(int number, int32_t day, const std::vector<int>& assets) {
    assets::v1::AssetOffered event;
    event.set_offer_id(id(number));
    for (const int asset : assets) event.add_asset_ids(id(asset));
    *event.mutable_to() = village(kDiaoqu);
    event.mutable_document()->set_document_id(id(903));
    *event.mutable_offered_date() = date_of(day);
    return commit(day, event);
  }

  int64_t reject(int number, int32_t day, const std::vector<int>& assets) {
    assets::v1::AssetOfferRejected event;
    event.set_offer_id(id(number));
    event.set_decision(assets::v1::OFFER_DECISION_REJECT);
    *event.mutable_date() = date_of(day);
    for (const int asset : assets) event.add_asset_ids(id(asset));
    return commit(day, event);
  }

  int64_t accept(int number, int32_t day, int asset) {
    assets::v1::AssetHandedOver handed;
    handed.set_asset_id(id(asset));
    *handed.mutable_to() = village(kDiaoqu);
    handed.set_offer_id(id(number));
    handed.set_decision(assets::v1::OFFER_DECISION_ACCEPT);
    auto& sign_off = *handed.add_sign_offs();
    sign_off.set_role(common::v1::SignOff::ROLE_RECEIVER);
    sign_off.set_mark(common::v1::SignOff::MARK_SEAL);
    *handed.mutable_date() = date_of(day);
    assets::v1::ManagerAppointed manager;
    manager.set_asset_id(id(asset));
    manager.mutable_manager()->mutable_subject()->set_kind(common::v1::SUBJECT_KIND_WORKER);
    manager.mutable_manager()->mutable_subject()->set_id(id(701));
    manager.mutable_manager()->add_duties("KEEPING");
    *manager.mutable_from_date() = date_of(day);
    manager.set_offer_id(id(number));
    return commit(day, handed, manager);
  }

  // The three assets of slice-1 §8.
  void sample() {
    rules();
    const std::vector<int64_t> values{3'400'000, 400'000, 200'000};
    for (int asset = 1; asset <= 3; ++asset)
      form(asset, 20170610, exact(values[static_cast<size_t>(asset - 1)]));
    for (int asset = 1; asset <= 3; ++asset) check(asset, 100 + asset, 20170615);
    for (int asset = 1; asset <= 3; ++asset) title(asset, 20170620);
    offer(200, 20170625, {1, 2, 3});
    for (int asset = 1; asset <= 3; ++asset) accept(200, 20170630, asset);
  }

  CardResponse card_on(int asset, int32_t day, int64_t seq = 0) {
    CardRequest request;
    request.set_asset_id(id(asset));
    *request.mutable_read()->mutable_effective_date() = date_of(day);
    if (seq != 0) request.mutable_read()->set_seq(seq);
    return ask<CardResponse>(request);
  }

 private:
  template <class Fill>
  void set_rule(const std::string& key, rules::v1::ParameterType type, const Fill& fill) {
    rules::v1::ParameterDefined defined;
    defined.set_key(key);
    defined.set_type(type);
    defined.add_scope_dims("class");
    defined.set_resolution(rules::v1::RESOLUTION_MOST_SPECIFIC);
    defined.set_when_missing(rules::v1::WHEN_MISSING_CANNOT_DECIDE);
    commit(20120101, defined);
    rules::v1::ParameterSet set;
    set.set_key(key);
    fill(*set.mutable_value());
    *set.mutable_valid_from_date() = date_of(20120101);
    set.set_version(1);
    commit(20120101, set);
  }
};

template <class Request>
Request on(int32_t day) {
  Request request;
  *request.mutable_read()->mutable_effective_date() = date_of(day);
  return request;
}

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
