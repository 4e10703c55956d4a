// Lists of assets by region or holder, whole or by pages.
#pragma once

#include <functional>
#include <string>

#include "platform/projection/snapshot.h"
#include "taizhang/asset_register/state/v1/state.pb.h"
#include "taizhang/assets/v1/values.pb.h"
#include "taizhang/common/v1/values.pb.h"

namespace taizhang::asset_register {

struct AssetFilter {
  // Empty: everywhere.
  std::string region;
  // UNSPECIFIED: any.
  assets::v1::AssetClass asset_class = assets::v1::ASSET_CLASS_UNSPECIFIED;
  // Kind 0: any. Otherwise assets that ever came to it: who holds them on a day is for the visitor
  // to ask.
  common::v1::SubjectRef holder;
};

// Assets on record on the snapshot's effective day that fit, in the order of the list.
void each_asset(const Snapshot& snapshot, const AssetFilter& filter,
                const std::function<void(const state::v1::Asset&)>& visit);

// One page of them: `visit` answers whether the asset stands on it. Sets the token when more may
// follow.
void page_assets(const Snapshot& snapshot, const AssetFilter& filter,
                 const std::function<bool(const state::v1::Asset&)>& visit);

}  // namespace taizhang::asset_register
