// Issues of a subject or of the ledger, and the versions of one.
#include "domain/dates.h"
#include "projections/common/row_change.h"
#include "projections/household_file/answers.h"
#include "projections/household_file/parts.h"
#include "taizhang/household_file/v1/queries.pb.h"

namespace taizhang::household_file {
namespace {

using state::v1::Issue;
using state::v1::IssueOfSubject;
using v1::IssueHistoryRequest;
using v1::IssueHistoryResponse;
using v1::IssuesRequest;
using v1::IssuesResponse;

Result<IssuesResponse> issues(const Snapshot& snapshot, const IssuesRequest& request) {
  IssuesResponse response;
  const int32_t day = snapshot.effective_day();
  const auto add = [&](const Issue& row) {
    if (row.raised_day() > day) return false;
    auto issue = shown(snapshot, row, day);
    if (issue.state() == v1::ISSUE_STATE_RESOLVED && !request.include_resolved()) return false;
    *response.add_rows() = std::move(issue);
    return true;
  };
  if (request.has_subject()) {
    snapshot.page_scan<IssueOfSubject>(
        [&](const IssueOfSubject& entry) { return add(snapshot.get<Issue>(entry.issue_id())); },
        request.subject().kind(), request.subject().id());
  } else {
    snapshot.page_scan<Issue>(add);
  }
  return response;
}

Result<IssueHistoryResponse> history(const Snapshot& snapshot, const IssueHistoryRequest& request) {
  if (!snapshot.has<Issue>(request.issue_id())) {
    return not_found("ISSUE_NOT_FOUND", "没有这件诉求或问题", "issue", request.issue_id());
  }
  IssueHistoryResponse response;
  snapshot.page_history<Issue>(
      [&](const RowVersion& version, const Issue& issue) {
        auto& row = *response.add_rows();
        *row.mutable_change() = change_of(snapshot, version.seq);
        *row.mutable_issue() = shown(snapshot, issue, kOpenDay);
      },
      request.issue_id());
  return response;
}

}  // namespace

void answer_issues(View& view) { view.query(issues).query(history); }

}  // namespace taizhang::household_file
