// One asset with everything known of it.
#include "domain/dates.h"
#include "projections/asset_register/life.h"
#include "projections/asset_register/parts.h"

namespace taizhang::asset_register {
namespace {

using state::v1::Asset;
using state::v1::Check;
using state::v1::Formation;

void fill_checks(const Snapshot& snapshot, const Asset& asset, v1::CardResponse& response) {
  for (const auto& one : asset.checks()) {
    if (one.day() > snapshot.effective_day()) break;
    const auto& check = snapshot.get<Check>(asset.asset_id(), one.check_id());
    auto& row = *response.add_checks();
    row.set_check_id(one.check_id());
    *row.mutable_check_date() = date_of(one.day());
    *row.mutable_found() = check.found();
    *row.mutable_difference() = check.difference();
    row.set_condition(check.condition());
    row.set_checker_worker_id(check.checker_worker_id());
    *row.mutable_evidence() = check.evidence();
    row.set_event_id(event_id(snapshot.ledger(), one.seq()));
  }
}

void fill_title(const Snapshot& snapshot, const Asset::Title& title, v1::TitleRow& row) {
  *row.mutable_owner() = title.owner();
  *row.mutable_rights() = title.rights();
  *row.mutable_certificate() = title.certificate();
  *row.mutable_title_date() = date_of(title.day());
  row.set_event_id(event_id(snapshot.ledger(), title.seq()));
}

void fill_offers(const Snapshot& snapshot, const Asset& asset, v1::CardResponse& response) {
  for (const auto& offer : asset.offers()) {
    if (offer.day() > snapshot.effective_day()) continue;
    auto& row = *response.add_offers();
    row.set_offer_id(offer.offer_id());
    *row.mutable_to() = offer.to();
    *row.mutable_document() = offer.document();
    *row.mutable_offered_date() = date_of(offer.day());
    row.set_event_id(event_id(snapshot.ledger(), offer.seq()));
    if (!is_answered(offer, snapshot.effective_day())) continue;
    row.set_answer(offer.answer());
    *row.mutable_answer_date() = date_of(offer.answer_day());
    *row.mutable_sign_offs() = offer.sign_offs();
    row.set_answer_event_id(event_id(snapshot.ledger(), offer.answer_seq()));
  }
}

void fill_managers(const Snapshot& snapshot, const Asset& asset, v1::CardResponse& response) {
  for (const auto& term : asset.managers()) {
    if (term.from_day() > snapshot.effective_day()) break;
    auto& row = *response.add_managers();
    *row.mutable_manager() = term.manager();
    *row.mutable_from_date() = date_of(term.from_day());
    row.set_offer_id(term.offer_id());
    row.set_event_id(event_id(snapshot.ledger(), term.seq()));
  }
}

}  // namespace

Result<v1::CardResponse> card(const Snapshot& snapshot, const v1::CardRequest& request) {
  const auto* formation = snapshot.find<Formation>(request.asset_id());
  if (!formation) return asset_not_found(request.asset_id());
  const auto& asset = snapshot.get<Asset>(formation->region(), request.asset_id());
  if (!on_record(asset, snapshot.effective_day())) return asset_not_found(request.asset_id());
  v1::CardResponse response;
  fill_asset(snapshot, asset, *response.mutable_asset());
  response.set_project_id(formation->project_id());
  response.set_care_id(formation->care_id());
  *response.mutable_parts() = formation->parts();
  *response.mutable_serials() = formation->serials();
  fill_checks(snapshot, asset, response);
  if (const auto* title = title_on(asset, snapshot.effective_day())) {
    fill_title(snapshot, *title, *response.mutable_title());
  }
  fill_offers(snapshot, asset, response);
  fill_managers(snapshot, asset, response);
  return response;
}

}  // namespace taizhang::asset_register
