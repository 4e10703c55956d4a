// What the files of this view are made of.
#pragma once

#include "platform/projection/snapshot.h"
#include "platform/projection/view.h"
#include "taizhang/asset_register/v1/service.pb.h"

namespace taizhang::asset_register {

// Day of the year after it was formed by which an asset must be titled.
inline constexpr char kTitleDueKey[] = "asset.title_due";
inline constexpr char kManagerRequiredKey[] = "asset.manager_required";

void add_folds(View& view);

Result<v1::CardResponse> card(const Snapshot& snapshot, const v1::CardRequest& request);
Result<v1::RegisterResponse> register_of(const Snapshot& snapshot,
                                         const v1::RegisterRequest& request);
Result<v1::LateTitleResponse> late_title(const Snapshot& snapshot,
                                         const v1::LateTitleRequest& request);
Result<v1::WithoutManagerResponse> without_manager(const Snapshot& snapshot,
                                                   const v1::WithoutManagerRequest& request);
Result<v1::AssetHistoryResponse> asset_history(const Snapshot& snapshot,
                                               const v1::AssetHistoryRequest& request);

}  // namespace taizhang::asset_register
