// States of assets by day.
#include "projections/asset_register/life.h"

#include <algorithm>
#include <functional>
#include <vector>

#include "domain/dates.h"
#include "projections/common/names.h"

namespace taizhang::asset_register {
namespace {

using state::v1::Asset;
using state::v1::Formation;

constexpr size_t kEventIdsMax = 20;

std::vector<int64_t> event_seqs(const Asset& asset, int32_t day) {
  std::vector<int64_t> seqs{asset.formed_seq()};
  const auto take = [&](int32_t fact_day, int64_t seq) {
    if (fact_day <= day) seqs.push_back(seq);
  };
  for (const auto& check : asset.checks()) take(check.day(), check.seq());
  if (asset.has_title()) take(asset.title().day(), asset.title().seq());
  for (const auto& offer : asset.offers()) {
    take(offer.day(), offer.seq());
    if (is_answered(offer, day)) seqs.push_back(offer.answer_seq());
  }
  for (const auto& term : asset.managers()) take(term.from_day(), term.seq());
  std::sort(seqs.begin(), seqs.end(), std::greater<>());
  if (seqs.size() > kEventIdsMax) seqs.resize(kEventIdsMax);
  return seqs;
}

}  // namespace

bool is_answered(const Asset::Offer& offer, int32_t day) {
  return offer.answer() != assets::v1::OFFER_DECISION_UNSPECIFIED && offer.answer_day() <= day;
}

const Asset::Title* title_on(const Asset& asset, int32_t day) {
  return asset.has_title() && asset.title().day() <= day ? &asset.title() : nullptr;
}

const Asset::Offer* handover_on(const Asset& asset, int32_t day) {
  for (const auto& offer : asset.offers()) {
    if (offer.answer() == assets::v1::OFFER_DECISION_ACCEPT && is_answered(offer, day))
      return &offer;
  }
  return nullptr;
}

const Asset::ManagerTerm* manager_on(const Asset& asset, int32_t day) {
  const Asset::ManagerTerm* found = nullptr;
  for (const auto& term : asset.managers()) {
    if (term.from_day() <= day) found = &term;
  }
  return found;
}

v1::AssetState state_on(const Asset& asset, int32_t day) {
  if (handover_on(asset, day)) return v1::ASSET_STATE_HANDED_OVER;
  const auto& offers = asset.offers();
  if (std::any_of(offers.begin(), offers.end(), [&](const Asset::Offer& offer) {
        return offer.day() <= day && !is_answered(offer, day);
      })) {
    return v1::ASSET_STATE_OFFERED;
  }
  if (title_on(asset, day)) return v1::ASSET_STATE_TITLED;
  // Checks stand by day: the first one says whether there was any.
  if (!asset.checks().empty() && asset.checks(0).day() <= day) return v1::ASSET_STATE_CHECKED;
  return v1::ASSET_STATE_FORMED;
}

ScopeFacts facts_of(const Asset& asset) {
  return {{"class", code_of(asset.asset_class())}, {"region", asset.region()}};
}

void fill_asset(const Snapshot& snapshot, const Asset& asset, v1::AssetRow& row) {
  const int32_t day = snapshot.effective_day();
  const auto& formation = snapshot.get<Formation>(asset.asset_id());
  row.set_version(asset.version());
  for (const int64_t seq : event_seqs(asset, day))
    row.add_event_ids(event_id(snapshot.ledger(), seq));
  row.set_asset_id(asset.asset_id());
  row.set_asset_class(asset.asset_class());
  row.set_kind(asset.kind());
  *row.mutable_name() = formation.name();
  row.set_region(asset.region());
  *row.mutable_formed_date() = date_of(asset.formed_day());
  *row.mutable_value() = asset.value();
  *row.mutable_quantity() = formation.quantity();
  row.set_state(state_on(asset, day));
  if (const auto* title = title_on(asset, day)) {
    *row.mutable_owner() = title->owner();
    *row.mutable_title_date() = date_of(title->day());
  }
  if (const auto* handover = handover_on(asset, day)) *row.mutable_holder() = handover->to();
  if (const auto* term = manager_on(asset, day)) *row.mutable_manager() = term->manager();
}

Error asset_not_found(const std::string& asset_id) {
  return not_found("ASSET_NOT_FOUND", "当时没有这项资产", "ASSET", asset_id);
}

}  // namespace taizhang::asset_register
