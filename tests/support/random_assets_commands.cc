// What is asked about assets, from forming to handing over.
#include "taizhang/assets/state/v1/state.pb.h"
#include "tests/support/assets_commands.h"
#include "tests/support/random_commands.h"

namespace taizhang::test {

using assets::state::v1::Asset;
using common::v1::SUBJECT_KIND_HOUSEHOLD;
using common::v1::SUBJECT_KIND_ORGANISATION;
using common::v1::SUBJECT_KIND_VILLAGE;
using common::v1::SUBJECT_KIND_WORKER;

RandomBook::MessagePtr RandomBook::form_asset() {
  using common::v1::Figure;
  auto request = form(chance(95) ? fresh("asset") : any("asset"),
                      static_cast<assets::v1::AssetClass>(chance(50) ? 2 : between(1, 4)));
  request.set_region(any_village());
  *request.mutable_formed_date() = date_of(day_from(20170101));
  request.clear_parts();
  const auto qualifier = static_cast<Figure::Qualifier>(
      chance(70) ? static_cast<int>(Figure::QUALIFIER_EXACT)
                 : one_of<int>({Figure::QUALIFIER_AT_LEAST, Figure::QUALIFIER_AT_MOST,
                                Figure::QUALIFIER_ABOUT, Figure::QUALIFIER_RANGE,
                                Figure::QUALIFIER_UNKNOWN}));
  const int parts = between(1, 3);
  int64_t sum = 0;
  for (int i = 0; i < parts; ++i) {
    auto& part = *request.add_parts();
    part.set_source_kind(funds::v1::SOURCE_KIND_CENTRAL);
    part.set_fen(between(1, 1'000'000));
    sum += part.fen();
  }
  if (chance(20)) request.mutable_parts(0)->set_fund_line_id(id(any("line")));
  *request.mutable_value() = value_of(qualifier, sum + (chance(8) ? between(-1, 1) : 0));
  if (qualifier == Figure::QUALIFIER_RANGE) request.mutable_value()->set_high(sum + 5);
  if (qualifier == Figure::QUALIFIER_UNKNOWN) {
    request.mutable_value()->clear_fen();
    if (!chance(20)) request.clear_parts();
  }
  request.clear_serials();
  if (chance(4)) request.set_project_id(id("project"));
  if (chance(2)) request.set_care_id(id("care"));
  return made(request);
}

RandomBook::MessagePtr RandomBook::check_asset() {
  const std::string name = known<Asset>("asset");
  const auto& asset = book_->get<Asset>(id(name));
  auto request = check(chance(95) ? fresh("check") : any("check"), name,
                       chance(96) ? day_from(std::max(asset.from_day(), 20170101)) : 20170101);
  if (chance(10)) *request.mutable_found() = quantity(between(0, 12), common::v1::UNIT_PIECE);
  if (chance(5)) request.mutable_found()->set_unit(common::v1::UNIT_COPY);
  request.set_condition(chance(85) ? "GOOD" : "DAMAGED");
  request.set_checker_worker_id(id(any("worker")));
  state_version(request, asset.version());
  return made(request);
}

RandomBook::MessagePtr RandomBook::confirm_title() {
  const bool any_state = chance(12);
  const std::string name = where<Asset>("asset", [&](const Asset& row) {
    return any_state || (!row.has_owner() && !row.checks().empty());
  });
  const auto& asset = book_->get<Asset>(id(name));
  const int32_t first = asset.checks().empty() ? 20170101 : asset.checks(0).day();
  auto request = title(name, chance(94) ? day_from(first) : some_day());
  if (asset.asset_class() == assets::v1::ASSET_CLASS_HOUSEHOLD) {
    set_owner(request, any_subject(SUBJECT_KIND_HOUSEHOLD));
  } else if (chance(40)) {
    set_owner(request, any_subject(SUBJECT_KIND_ORGANISATION));
  }
  if (chance(5)) set_owner(request, any_subject(SUBJECT_KIND_WORKER));
  if (chance(5)) request.mutable_rights(0)->set_right(assets::v1::ASSET_RIGHT_INCOME);
  state_version(request, asset.version());
  return made(request);
}

RandomBook::MessagePtr RandomBook::offer_asset() {
  const bool any_state = chance(15);
  const auto offerable = [&](const Asset& row) {
    return any_state || (row.has_owner() && row.open_offer_id().empty() && !row.has_holder());
  };
  const std::string first = where<Asset>("asset", offerable);
  int32_t day = std::max(book_->get<Asset>(id(first)).title_day(), 20170101);
  day = std::max(day, book_->get<Asset>(id(first)).rejected_day());
  auto request = offer(chance(95) ? fresh("offer") : any("offer"), {first},
                       chance(92) ? day_from(day) : some_day());
  if (chance(20)) {
    const std::string second = id(where<Asset>("asset", offerable));
    if (second != request.asset_ids(0)) request.add_asset_ids(second);
  }
  *request.mutable_to() =
      chance(60)   ? any_subject(SUBJECT_KIND_VILLAGE)
      : chance(50) ? any_subject(SUBJECT_KIND_HOUSEHOLD)
                   : subject(SUBJECT_KIND_ORGANISATION, id(chance(60) ? "org 0" : any("org")));
  return made(request);
}

RandomBook::MessagePtr RandomBook::answer_offer() {
  using namespace assets::v1;
  using assets::state::v1::Offer;
  const bool answered_too = chance(10);
  const std::string name = where<Offer>("offer", [&](const Offer& row) {
    return answered_too || row.answer() == OFFER_DECISION_UNSPECIFIED;
  });
  const auto& offer = book_->get<Offer>(id(name));
  const bool accept = chance(70);
  auto request = answer(name, accept ? OFFER_DECISION_ACCEPT : OFFER_DECISION_REJECT,
                        chance(95) ? day_from(std::max(offer.offered_day(), 20170101)) : 20170101);
  auto& sign_off = *request.mutable_sign_offs(0);
  sign_off.set_org_id(id(any("org")));
  if (offer.to().kind() == SUBJECT_KIND_HOUSEHOLD)
    sign_off.set_mark(common::v1::SignOff::MARK_THUMB);
  if (chance(5)) sign_off.set_role(common::v1::SignOff::ROLE_WITNESS);
  if (chance(2)) sign_off.clear_org_id();
  if (request.has_manager()) {
    request.mutable_manager()->mutable_subject()->set_id(id(any("worker")));
    if (chance(20)) request.clear_manager();
  }
  state_version(request, offer.version());
  return made(request);
}

RandomBook::MessagePtr RandomBook::void_check() {
  using assets::state::v1::Check;
  const bool voided_too = chance(10);
  const std::string name =
      where<Check>("check", [&](const Check& row) { return voided_too || !row.voided(); });
  auto request = test::void_check(name);
  const auto& row = book_->get<Check>(id(name));
  if (chance(6))
    *request.mutable_record() = subject(common::v1::SUBJECT_KIND_ASSET, id(any("asset")));
  if (chance(4))
    *request.mutable_record() = subject(common::v1::SUBJECT_KIND_OFFER, id(any("offer")));
  if (chance(5)) request.mutable_context()->clear_reason();
  if (chance(10)) request.set_replaced_by(chance(70) ? id(any("check")) : request.record().id());
  state_version(request, row.version());
  const int32_t day = row.check_day() == 0 ? 20170101 : row.check_day();
  if (chance(5)) return made(dated(request, add_days(day, -1)));
  return made(
      dated(request, chance(60) ? std::min(today_, add_days(day, between(0, 30))) : day_from(day)));
}

}  // namespace taizhang::test
