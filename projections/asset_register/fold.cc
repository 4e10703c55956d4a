// Events of assets into the lives of assets.
#include <algorithm>

#include "domain/dates.h"
#include "domain/parameter.h"
#include "projections/asset_register/parts.h"
#include "taizhang/asset_register/state/v1/state.pb.h"
#include "taizhang/assets/v1/events.pb.h"
#include "taizhang/rules/v1/events.pb.h"

namespace taizhang::asset_register {
namespace {

using rules::state::v1::Parameter;
using state::v1::Asset;
using state::v1::AssetByHolder;
using state::v1::Check;
using state::v1::Formation;

Asset& edit_asset(Ledger& rows, const std::string& asset_id) {
  // A copy: the edit may move what get() answered.
  const std::string region = rows.get<Formation>(asset_id).region();
  return rows.edit<Asset>(region, asset_id);
}

// Moves the row added last to its place by day, behind those of the same day.
template <class List, class DayOf>
void order_last(List& list, const DayOf& day_of_row) {
  const auto last = list.pointer_end() - 1;
  const auto place =
      std::upper_bound(list.pointer_begin(), last, day_of_row(**last),
                       [&](int32_t day, const auto* row) { return day < day_of_row(*row); });
  std::rotate(place, last, list.pointer_end());
}

Asset::Offer& offer_of(Asset& asset, const std::string& offer_id) {
  for (auto& offer : *asset.mutable_offers()) {
    if (offer.offer_id() == offer_id) return offer;
  }
  auto& offer = *asset.add_offers();
  offer.set_offer_id(offer_id);
  return offer;
}

void on_formed(Ledger& rows, const EventMeta& meta, const assets::v1::AssetFormed& event) {
  auto& formation = rows.edit<Formation>(event.asset_id());
  formation.set_region(event.region());
  *formation.mutable_name() = event.name();
  *formation.mutable_quantity() = event.quantity();
  formation.set_project_id(event.project_id());
  formation.set_care_id(event.care_id());
  *formation.mutable_parts() = event.parts();
  *formation.mutable_serials() = event.serials();
  auto& asset = rows.edit<Asset>(event.region(), event.asset_id());
  asset.set_asset_class(event.asset_class());
  asset.set_kind(event.kind());
  asset.set_formed_day(day_of(event.formed_date()));
  asset.set_formed_seq(meta.seq);
  *asset.mutable_value() = event.value();
}

void on_checked(Ledger& rows, const EventMeta& meta, const assets::v1::AssetChecked& event) {
  auto& check = rows.edit<Check>(event.asset_id(), event.check_id());
  *check.mutable_found() = event.found();
  *check.mutable_difference() = event.difference();
  check.set_condition(event.condition());
  check.set_checker_worker_id(event.checker_worker_id());
  *check.mutable_evidence() = event.evidence();
  auto& checks = *edit_asset(rows, event.asset_id()).mutable_checks();
  auto& one = *checks.Add();
  one.set_check_id(event.check_id());
  one.set_day(day_of(event.check_date()));
  one.set_seq(meta.seq);
  order_last(checks, [](const Asset::Check& row) { return row.day(); });
}

void on_titled(Ledger& rows, const EventMeta& meta, const assets::v1::AssetTitled& event) {
  auto& title = *edit_asset(rows, event.asset_id()).mutable_title();
  *title.mutable_owner() = event.owner();
  *title.mutable_rights() = event.rights();
  *title.mutable_certificate() = event.certificate();
  title.set_day(day_of(event.title_date()));
  title.set_seq(meta.seq);
}

void on_offered(Ledger& rows, const EventMeta& meta, const assets::v1::AssetOffered& event) {
  for (const auto& asset_id : event.asset_ids()) {
    auto& offer = offer_of(edit_asset(rows, asset_id), event.offer_id());
    *offer.mutable_to() = event.to();
    *offer.mutable_document() = event.document();
    offer.set_day(day_of(event.offered_date()));
    offer.set_seq(meta.seq);
  }
}

void on_handed_over(Ledger& rows, const EventMeta& meta, const assets::v1::AssetHandedOver& event) {
  auto& asset = edit_asset(rows, event.asset_id());
  auto& offer = offer_of(asset, event.offer_id());
  *offer.mutable_to() = event.to();
  offer.set_answer(event.decision());
  offer.set_answer_day(day_of(event.date()));
  offer.set_answer_seq(meta.seq);
  *offer.mutable_sign_offs() = event.sign_offs();
  const std::string region = asset.region();
  rows.edit<AssetByHolder>(static_cast<int32_t>(event.to().kind()), event.to().id(),
                           event.asset_id())
      .set_region(region);
}

void on_rejected(Ledger& rows, const EventMeta& meta, const assets::v1::AssetOfferRejected& event) {
  for (const auto& asset_id : event.asset_ids()) {
    auto& offer = offer_of(edit_asset(rows, asset_id), event.offer_id());
    offer.set_answer(event.decision());
    offer.set_answer_day(day_of(event.date()));
    offer.set_answer_seq(meta.seq);
    *offer.mutable_sign_offs() = event.sign_offs();
  }
}

void on_manager(Ledger& rows, const EventMeta& meta, const assets::v1::ManagerAppointed& event) {
  auto& managers = *edit_asset(rows, event.asset_id()).mutable_managers();
  auto& term = *managers.Add();
  *term.mutable_manager() = event.manager();
  term.set_from_day(day_of(event.from_date()));
  term.set_seq(meta.seq);
  term.set_offer_id(event.offer_id());
  order_last(managers, [](const Asset::ManagerTerm& row) { return row.from_day(); });
}

// A voided check is gone on every day; what was believed before stands in the versions before.
void on_voided(Ledger& rows, const EventMeta&, const assets::v1::RecordVoided& event) {
  if (event.record().kind() != common::v1::SUBJECT_KIND_CHECK) return;
  auto& checks = *edit_asset(rows, event.asset_id()).mutable_checks();
  checks.erase(std::remove_if(checks.begin(), checks.end(),
                              [&](const Asset::Check& check) {
                                return check.check_id() == event.record().id();
                              }),
               checks.end());
  rows.erase<Check>(event.asset_id(), event.record().id());
}

bool is_ours(const std::string& key) { return key == kTitleDueKey || key == kManagerRequiredKey; }

void on_parameter_defined(Ledger& rows, const EventMeta&,
                          const rules::v1::ParameterDefined& event) {
  if (is_ours(event.key())) apply_parameter_defined(rows.edit<Parameter>(event.key()), event);
}

void on_parameter_set(Ledger& rows, const EventMeta& meta, const rules::v1::ParameterSet& event) {
  if (!is_ours(event.key())) return;
  apply_parameter_set(rows.edit<Parameter>(event.key()), event, meta.seq, meta.recorded_time_us);
}

}  // namespace

void add_folds(View& view) {
  view.on(on_formed)
      .on(on_checked)
      .on(on_titled)
      .on(on_offered)
      .on(on_handed_over)
      .on(on_rejected)
      .on(on_manager)
      .on(on_voided)
      .on(on_parameter_defined)
      .on(on_parameter_set);
}

}  // namespace taizhang::asset_register
