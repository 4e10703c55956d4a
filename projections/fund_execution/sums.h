// Sums of money facts by month and day.
#pragma once

#include <google/protobuf/repeated_field.h>

#include <cstdint>

#include "taizhang/fund_execution/state/v1/state.pb.h"

namespace taizhang::fund_execution {

using Stretches = google::protobuf::RepeatedPtrField<state::v1::Stretch>;

// False: over int64; `to` is as it was.
bool add(state::v1::Sums& to, const state::v1::Sums& more);

// The sums of that month or day; made in its place when it is new.
state::v1::Sums& sums_at(Stretches& list, int32_t at);

// Adds those up to and including `last`. False: over int64; `to` then holds part of it.
bool add_until(state::v1::Sums& to, const Stretches& list, int32_t last);

bool has_stretch(const Stretches& list, int32_t at);

inline int32_t month_of(int32_t day) { return day / 100; }

}  // namespace taizhang::fund_execution
