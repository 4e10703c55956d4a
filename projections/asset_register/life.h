// What had happened in an asset's life by a day, and how that stands in answers.
//
// Days are yyyymmdd. Pointers point into the asset; null: had not happened.
#pragma once

#include <cstdint>
#include <string>

#include "domain/parameter.h"
#include "platform/projection/snapshot.h"
#include "platform/projection/view.h"
#include "taizhang/asset_register/state/v1/state.pb.h"
#include "taizhang/asset_register/v1/service.pb.h"

namespace taizhang::asset_register {

// On record from the day it was formed.
inline bool on_record(const state::v1::Asset& asset, int32_t day) {
  return asset.formed_day() <= day;
}
const state::v1::Asset::Title* title_on(const state::v1::Asset& asset, int32_t day);
// The offer that was accepted.
const state::v1::Asset::Offer* handover_on(const state::v1::Asset& asset, int32_t day);
// Whoever was appointed last.
const state::v1::Asset::ManagerTerm* manager_on(const state::v1::Asset& asset, int32_t day);
v1::AssetState state_on(const state::v1::Asset& asset, int32_t day);
bool is_answered(const state::v1::Asset::Offer& offer, int32_t day);

// What rules may be scoped by.
ScopeFacts facts_of(const state::v1::Asset& asset);

// On the snapshot's effective day.
void fill_asset(const Snapshot& snapshot, const state::v1::Asset& asset, v1::AssetRow& row);

Error asset_not_found(const std::string& asset_id);

}  // namespace taizhang::asset_register
