// The visits themselves.
#include <algorithm>

#include "domain/dates.h"
#include "projections/common/row_change.h"
#include "projections/duties/obligation.h"
#include "projections/duties/parts.h"
#include "taizhang/duties/state/v1/state.pb.h"
#include "taizhang/duties/v1/queries.pb.h"

namespace taizhang::duties {
namespace {

using v1::VisitsRequest;
using v1::VisitsResponse;

Result<VisitsResponse> visits(const Snapshot& snapshot, const VisitsRequest& request) {
  const int32_t first = request.has_from_date() ? day_of(request.from_date()) : 0;
  const int32_t last = std::min(request.has_to_date() ? day_of(request.to_date()) : kOpenDay,
                                snapshot.effective_day());
  VisitsResponse response;
  const auto each = [&](const state::v1::Visit& visit) {
    if (visit.day() < first || visit.day() > last) return false;
    if (!stands_for_visit(visit, request.worker_id())) return false;
    if (snapshot.has<state::v1::VoidedVisit>(visit.visit_id())) return false;
    auto& row = *response.add_rows();
    row.set_visit_id(visit.visit_id());
    row.set_version(visit.seq());
    add_event_id(snapshot, visit.seq(), row);
    row.mutable_visited()->set_kind(visit.visited_kind());
    row.mutable_visited()->set_id(visit.visited_id());
    snapshot.scan<state::v1::Visit>(
        [&](const state::v1::Visit& visitor) { row.add_visitors(visitor.worker_id()); },
        visit.visited_kind(), visit.visited_id(), visit.day(), visit.seq());
    *row.mutable_date() = date_of(visit.day());
    row.set_channel(visit.channel());
    return true;
  };
  if (request.has_visited()) {
    snapshot.page_scan<state::v1::Visit>(each, request.visited().kind(), request.visited().id());
  } else {
    snapshot.page_scan<state::v1::Visit>(each);
  }
  return response;
}

}  // namespace

void answer_visits(View& view) { view.query(visits); }

}  // namespace taizhang::duties
