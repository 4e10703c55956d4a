// Every version of an asset.
#include "projections/asset_register/life.h"
#include "projections/asset_register/parts.h"
#include "projections/common/documents.h"
#include "projections/common/row_change.h"
#include "taizhang/common/v1/change.pb.h"

namespace taizhang::asset_register {
namespace {

using state::v1::Asset;
using state::v1::Formation;

void fill_version(const Asset& asset, int32_t day, v1::AssetVersion& out) {
  out.set_state(state_on(asset, day));
  out.set_checks(asset.checks_size());
  if (const auto* title = title_on(asset, day)) *out.mutable_owner() = title->owner();
  if (const auto* handover = handover_on(asset, day)) *out.mutable_holder() = handover->to();
  if (const auto* term = manager_on(asset, day)) *out.mutable_manager() = term->manager();
}

}  // namespace

Result<v1::AssetHistoryResponse> asset_history(const Snapshot& snapshot,
                                               const v1::AssetHistoryRequest& request) {
  const auto* formation = snapshot.find<Formation>(request.asset_id());
  if (!formation) return asset_not_found(request.asset_id());
  v1::AssetHistoryResponse response;
  snapshot.page_history<Asset>(
      [&](const RowVersion& version, const Asset& asset) {
        auto& out = *response.add_versions();
        out.set_version(version.seq);
        *out.mutable_change() = change_of(snapshot, version.seq);
        for (auto& id : documents_of(snapshot, version.seq)) out.add_document_ids(std::move(id));
        fill_version(asset, snapshot.effective_day(), out);
      },
      formation->region(), request.asset_id());
  return response;
}

}  // namespace taizhang::asset_register
