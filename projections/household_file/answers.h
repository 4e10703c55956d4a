// Rows as they are answered: from what the view keeps to what the caller gets.
#pragma once

#include <cstdint>
#include <string>

#include "platform/projection/view.h"
#include "taizhang/household_file/state/v1/state.pb.h"
#include "taizhang/household_file/v1/values.pb.h"

namespace taizhang::household_file {

// Null: not in the book at that moment, or not yet on the effective date.
const state::v1::Household* active_household(const Snapshot& snapshot, const std::string& id);
Error household_not_found(const std::string& id);

v1::Household shown(const Snapshot& snapshot, const state::v1::Household& row);
v1::Person shown(const Snapshot& snapshot, const state::v1::Person& row);
v1::Status shown(const Snapshot& snapshot, const state::v1::Household::Status& row);
v1::Pairing shown(const Snapshot& snapshot, const state::v1::Pairing& row);
v1::Visit shown(const Snapshot& snapshot, const state::v1::Visit& row);
// As it stood on `day`: kOpenDay for all that is recorded.
v1::Issue shown(const Snapshot& snapshot, const state::v1::Issue& row, int32_t day);

// Code of the household's status on the day; empty: none is known.
std::string status_on(const state::v1::Household& household, int32_t day);
// Members of the household on the effective date.
int32_t count_members(const Snapshot& snapshot, const std::string& household_id);

}  // namespace taizhang::household_file
