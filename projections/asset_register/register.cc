// The register: assets, their number and their value.
#include "domain/figure.h"
#include "projections/asset_register/life.h"
#include "projections/asset_register/list.h"
#include "projections/asset_register/parts.h"

namespace taizhang::asset_register {
namespace {

using state::v1::Asset;

bool is_held_by(const Asset& asset, const common::v1::SubjectRef& holder, int32_t day) {
  const auto* handover = handover_on(asset, day);
  return handover && handover->to().kind() == holder.kind() && handover->to().id() == holder.id();
}

bool is_asked(const Asset& asset, const v1::RegisterRequest& request, int32_t day) {
  constexpr int32_t kDaysOfYear = 10'000;
  return (request.year() == 0 || asset.formed_day() / kDaysOfYear == request.year()) &&
         (request.state() == v1::ASSET_STATE_UNSPECIFIED ||
          state_on(asset, day) == request.state()) &&
         (!request.has_holder() || is_held_by(asset, request.holder(), day));
}

void fill_totals(const Snapshot& snapshot, const v1::RegisterRequest& request,
                 const AssetFilter& filter, v1::RegisterResponse& response) {
  FigureSum sum;
  int64_t count = 0;
  bool all_added = true;
  each_asset(snapshot, filter, [&](const Asset& asset) {
    if (!is_asked(asset, request, snapshot.effective_day())) return;
    ++count;
    all_added = sum.add(asset.value()) == FigureSum::Outcome::kAdded && all_added;
  });
  response.set_count(count);
  if (const auto total = sum.total()) *response.mutable_value() = *total;
  response.set_value_incomplete(sum.incomplete() || !all_added);
}

}  // namespace

Result<v1::RegisterResponse> register_of(const Snapshot& snapshot,
                                         const v1::RegisterRequest& request) {
  const AssetFilter filter{request.region(), request.asset_class(), request.holder()};
  v1::RegisterResponse response;
  if (snapshot.page().after().empty()) fill_totals(snapshot, request, filter, response);
  page_assets(snapshot, filter, [&](const Asset& asset) {
    if (!is_asked(asset, request, snapshot.effective_day())) return false;
    fill_asset(snapshot, asset, *response.add_rows());
    return true;
  });
  return response;
}

}  // namespace taizhang::asset_register
