// One visit, and its versions.
#include "projections/common/row_change.h"
#include "projections/household_file/answers.h"
#include "projections/household_file/parts.h"
#include "taizhang/household_file/v1/queries.pb.h"

namespace taizhang::household_file {
namespace {

using state::v1::Visit;
using v1::ShowVisitRequest;
using v1::ShowVisitResponse;
using v1::VisitHistoryRequest;
using v1::VisitHistoryResponse;

Error visit_not_found(const std::string& id) {
  return not_found("VISIT_NOT_FOUND", "没有这次走访，或已作废", "visit", id);
}

Result<ShowVisitResponse> show(const Snapshot& snapshot, const ShowVisitRequest& request) {
  const auto* visit = snapshot.find<Visit>(request.visit_id());
  if (!visit || visit->voided_seq() != 0 || visit->day() > snapshot.effective_day()) {
    return visit_not_found(request.visit_id());
  }
  ShowVisitResponse response;
  *response.mutable_visit() = shown(snapshot, *visit);
  return response;
}

Result<VisitHistoryResponse> history(const Snapshot& snapshot, const VisitHistoryRequest& request) {
  if (!snapshot.has<Visit>(request.visit_id())) return visit_not_found(request.visit_id());
  VisitHistoryResponse response;
  snapshot.page_history<Visit>(
      [&](const RowVersion& version, const Visit& visit) {
        auto& row = *response.add_rows();
        *row.mutable_change() = change_of(snapshot, version.seq);
        *row.mutable_visit() = shown(snapshot, visit);
      },
      request.visit_id());
  return response;
}

}  // namespace

void answer_visits(View& view) { view.query(show).query(history); }

}  // namespace taizhang::household_file
