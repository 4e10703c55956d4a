// Households of a region, how many there are, and the versions of one.
#include <algorithm>

#include "projections/common/place.h"
#include "projections/common/row_change.h"
#include "projections/household_file/answers.h"
#include "projections/household_file/parts.h"
#include "taizhang/household_file/v1/queries.pb.h"

namespace taizhang::household_file {
namespace {

using state::v1::Household;
using state::v1::HouseholdByPlace;
using v1::CountHouseholdsRequest;
using v1::CountHouseholdsResponse;
using v1::HouseholdHistoryRequest;
using v1::HouseholdHistoryResponse;
using v1::HouseholdsRequest;
using v1::HouseholdsResponse;

bool is_within(const HouseholdByPlace& entry, const std::string& region) {
  return Place{entry.township(), entry.village()}.is_within(region);
}

Result<HouseholdsResponse> households(const Snapshot& snapshot, const HouseholdsRequest& request) {
  HouseholdsResponse response;
  const auto each = [&](const HouseholdByPlace& entry) {
    if (!is_within(entry, request.region())) return false;
    const auto* household = active_household(snapshot, entry.household_id());
    if (!household) return false;
    std::string status = status_on(*household, snapshot.effective_day());
    if (!request.status().empty() && status != request.status()) return false;
    auto& row = *response.add_rows();
    *row.mutable_household() = shown(snapshot, *household);
    row.set_members(count_members(snapshot, entry.household_id()));
    row.set_status(std::move(status));
    return true;
  };
  with_place_prefix(request.region(), [&](const auto&... parts) {
    snapshot.page_scan<HouseholdByPlace>(each, parts...);
  });
  return response;
}

Result<CountHouseholdsResponse> count_households(const Snapshot& snapshot,
                                                 const CountHouseholdsRequest& request) {
  CountHouseholdsResponse response;
  const auto each = [&](const HouseholdByPlace& entry) {
    if (!is_within(entry, request.region())) return;
    const auto* household = active_household(snapshot, entry.household_id());
    if (!household) return;
    const int last = response.villages_size() - 1;
    if (last < 0 || response.villages(last).region() != household->region()) {
      auto& village = *response.add_villages();
      village.set_region(household->region());
      village.set_region_name(snapshot.get<state::v1::Region>(household->region()).name());
    }
    auto& village = *response.mutable_villages(response.villages_size() - 1);
    const int32_t persons = count_members(snapshot, entry.household_id());
    village.set_households(village.households() + 1);
    village.set_persons(village.persons() + persons);
    village.set_version(std::max(village.version(), household->version()));
    response.set_households(response.households() + 1);
    response.set_persons(response.persons() + persons);
  };
  with_place_prefix(request.region(),
                    [&](const auto&... parts) { snapshot.scan<HouseholdByPlace>(each, parts...); });
  return response;
}

Result<HouseholdHistoryResponse> history(const Snapshot& snapshot,
                                         const HouseholdHistoryRequest& request) {
  if (!snapshot.has<Household>(request.household_id())) {
    return household_not_found(request.household_id());
  }
  HouseholdHistoryResponse response;
  snapshot.page_history<Household>(
      [&](const RowVersion& version, const Household& household) {
        auto& row = *response.add_rows();
        *row.mutable_change() = change_of(snapshot, version.seq);
        *row.mutable_household() = shown(snapshot, household);
        row.set_members(household.members());
        for (const auto& status : household.statuses())
          *row.add_statuses() = shown(snapshot, status);
      },
      request.household_id());
  return response;
}

}  // namespace

void answer_households(View& view) {
  view.query(households).query(count_households).query(history);
}

}  // namespace taizhang::household_file
