// What lines committed and paid for villages, with totals.
#include "domain/money.h"
#include "projections/fund_execution/lines.h"
#include "projections/fund_execution/parts.h"

namespace taizhang::fund_execution {
namespace {

using state::v1::Sums;
using state::v1::VillageMonths;

// Calls `walk` with the longest prefix of the key that the request fixes.
template <class Walk>
void with_prefix(const v1::ByVillageRequest& request, const Walk& walk) {
  if (request.village().empty()) return walk();
  if (request.owner_org_id().empty()) return walk(request.village());
  walk(request.village(), request.owner_org_id());
}

// Nothing for a row of another owner, or without a fact by the day asked. `fits`: false when over
// int64.
std::optional<Sums> asked_sums(const Snapshot& snapshot, const v1::ByVillageRequest& request,
                               const VillageMonths& months, bool& fits) {
  if (!request.owner_org_id().empty() && months.owner_org_id() != request.owner_org_id())
    return std::nullopt;
  auto sums = village_sums(snapshot, months);
  fits = fits && sums;
  if (!sums || (sums->committed_fen() == 0 && sums->paid_fen() == 0)) return std::nullopt;
  return sums;
}

bool add_to(v1::VillageTotal& total, const Sums& sums) {
  const auto committed = add_fen(total.committed_fen(), sums.committed_fen());
  const auto paid = add_fen(total.paid_fen(), sums.paid_fen());
  if (!committed || !paid) return false;
  total.set_committed_fen(*committed);
  total.set_paid_fen(*paid);
  return true;
}

bool fill_totals(const Snapshot& snapshot, const v1::ByVillageRequest& request,
                 v1::ByVillageResponse& response) {
  auto& total = *response.mutable_total();
  if (request.village().empty()) response.mutable_none_village();
  bool fits = true;
  const auto visit = [&](const VillageMonths& months) {
    const auto sums = asked_sums(snapshot, request, months, fits);
    if (!sums) return fits;
    if (months.village().empty()) {
      fits = add_to(*response.mutable_none_village(), *sums);
      return fits;
    }
    auto& villages = *response.mutable_village_totals();
    if (villages.empty() || villages.rbegin()->village() != months.village()) {
      villages.Add()->set_village(months.village());
    }
    fits = add_to(*villages.rbegin(), *sums) && add_to(total, *sums);
    return fits;
  };
  with_prefix(request,
              [&](const auto&... prefix) { snapshot.scan<VillageMonths>(visit, prefix...); });
  return fits;
}

}  // namespace

Result<v1::ByVillageResponse> by_village(const Snapshot& snapshot,
                                         const v1::ByVillageRequest& request) {
  v1::ByVillageResponse response;
  const bool first_page = snapshot.page().after().empty();
  if (first_page && !fill_totals(snapshot, request, response)) return sum_out_of_range();
  bool fits = true;
  const auto visit = [&](const VillageMonths& months) {
    const auto sums = asked_sums(snapshot, request, months, fits);
    if (!sums) return false;
    auto& row = *response.add_rows();
    row.set_version(months.version());
    for (auto& id : event_ids(snapshot, months)) row.add_event_ids(std::move(id));
    row.set_village(months.village());
    row.set_owner_org_id(months.owner_org_id());
    row.set_fund_line_id(months.fund_line_id());
    row.set_committed_fen(sums->committed_fen());
    row.set_paid_fen(sums->paid_fen());
    return true;
  };
  with_prefix(request,
              [&](const auto&... prefix) { snapshot.page_scan<VillageMonths>(visit, prefix...); });
  if (!fits) return sum_out_of_range();
  return response;
}

}  // namespace taizhang::fund_execution
