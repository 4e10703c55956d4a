// What happened to a household, by effective date.
#include <algorithm>

#include "domain/dates.h"
#include "projections/common/personal.h"
#include "projections/common/row_change.h"
#include "projections/household_file/answers.h"
#include "projections/household_file/parts.h"
#include "taizhang/household_file/v1/queries.pb.h"

namespace taizhang::household_file {
namespace {

using state::v1::TimelineEntry;
using v1::TimelineRequest;
using v1::TimelineResponse;

// The words spoken stand with the visit and the issue, not in the entry.
void show_text(const Snapshot& snapshot, const v1::TimelineDetail& detail, v1::TimelineRow& row) {
  const auto show = [&](const auto& record) {
    show_personal(snapshot, record.has_text(), record.text(), row, &v1::TimelineRow::mutable_text);
  };
  if (detail.has_visit_made()) show(snapshot.get<state::v1::Visit>(detail.visit_made().visit_id()));
  if (detail.has_issue_raised()) {
    show(snapshot.get<state::v1::Issue>(detail.issue_raised().issue_id()));
  }
}

Result<TimelineResponse> timeline(const Snapshot& snapshot, const TimelineRequest& request) {
  if (!active_household(snapshot, request.household_id())) {
    return household_not_found(request.household_id());
  }
  const int32_t first = request.has_from_date() ? day_of(request.from_date()) : 0;
  const int32_t last = std::min(request.has_to_date() ? day_of(request.to_date()) : kOpenDay,
                                snapshot.effective_day());
  TimelineResponse response;
  const auto each = [&](const TimelineEntry& entry) {
    if (entry.day() < first || entry.day() > last) return false;
    auto& row = *response.add_rows();
    *row.mutable_effective_date() = date_of(entry.day());
    row.set_version(entry.seq());
    add_event_id(snapshot, entry.seq(), row);
    *row.mutable_detail() = entry.detail();
    show_text(snapshot, entry.detail(), row);
    return true;
  };
  if (request.order() == v1::TIMELINE_ORDER_NEWEST_FIRST) {
    snapshot.page_scan_back<TimelineEntry>(each, request.household_id());
  } else {
    snapshot.page_scan<TimelineEntry>(each, request.household_id());
  }
  return response;
}

}  // namespace

void answer_timeline(View& view) { view.query(timeline); }

}  // namespace taizhang::household_file
