// What every decision about a fund line needs to know of it.
#pragma once

#include "domain/parameter.h"
#include "taizhang/funds/state/v1/state.pb.h"
#include "taizhang/funds/v1/values.pb.h"

namespace taizhang::funds {

// What rules about the money of a line may be scoped by.
ScopeFacts facts_of(const state::v1::FundLine& line);

// The line's counters as they stand.
v1::Balances balances_of(const state::v1::FundLine& line);

}  // namespace taizhang::funds
