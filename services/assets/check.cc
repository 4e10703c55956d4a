// A check: an asset counted against its card, its condition seen.
#include <algorithm>

#include "domain/quantity.h"
#include "platform/command/registry.h"
#include "services/assets/aggregates.h"
#include "taizhang/assets/state/v1/state.pb.h"
#include "taizhang/assets/v1/commands.pb.h"
#include "taizhang/assets/v1/errors.pb.h"
#include "taizhang/assets/v1/events.pb.h"
#include "taizhang/common/v1/errors.pb.h"

namespace taizhang::assets {
namespace {

using state::v1::Asset;
using state::v1::Check;
using v1::AssetChecked;
using v1::CheckAssetRequest;

Decision decide(const Ledger& ledger, const CheckAssetRequest& command) {
  const auto* asset = ledger.find<Asset>(command.asset_id());
  if (!asset) return refuse(v1::ASSETS_REFUSAL_ASSET_NOT_FOUND, "asset_id");
  if (auto no = version_mismatch(ledger, asset->version())) return *no;
  if (ledger.effective_day() < asset->from_day()) {
    return refuse(common::v1::COMMON_REFUSAL_DATE_ORDER_INVALID, "check_date");
  }
  const auto difference = subtract(command.found(), asset->quantity());
  if (!difference) return refuse(common::v1::COMMON_REFUSAL_UNIT_MISMATCH, "found.unit");
  auto event = copy_inputs<AssetChecked>(command);
  *event.mutable_difference() = *difference;
  return emit(std::move(event));
}

void evolve(Ledger& ledger, const AssetChecked& event) {
  auto& check = ledger.edit<Check>(event.check_id());
  check.set_asset_id(event.asset_id());
  check.set_check_day(ledger.effective_day());
  *check.mutable_recorder() = ledger.actor();

  auto& asset = ledger.edit<Asset>(event.asset_id());
  auto& made = *asset.add_checks();
  made.set_check_id(event.check_id());
  made.set_day(ledger.effective_day());
  made.set_condition(event.condition());
  made.set_difference_milli(event.difference().milli());
  // Stable: the checks of one day stay in recorded order.
  std::stable_sort(asset.mutable_checks()->begin(), asset.mutable_checks()->end(),
                   [](const Asset::Check& a, const Asset::Check& b) { return a.day() < b.day(); });
  if (asset.state() == state::v1::ASSET_STATE_FORMED)
    asset.set_state(state::v1::ASSET_STATE_CHECKED);
}

}  // namespace

void register_check(Registry& registry) {
  registry.command<CheckAssetRequest>(decide).event<AssetChecked>(evolve);
}

}  // namespace taizhang::assets
