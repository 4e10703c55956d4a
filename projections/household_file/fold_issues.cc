// Issues: raised, assigned, resolved, taken up again.
#include "domain/dates.h"
#include "projections/household_file/parts.h"
#include "projections/household_file/timeline.h"
#include "taizhang/assistance/v1/events.pb.h"

namespace taizhang::household_file {
namespace {

using assistance::v1::IssueAssigned;
using assistance::v1::IssueRaised;
using assistance::v1::IssueReopened;
using assistance::v1::IssueResolved;
using state::v1::Issue;

bool is_of_household(const Issue& issue) {
  return issue.subject().kind() == common::v1::SUBJECT_KIND_HOUSEHOLD;
}

void fold(Ledger& rows, const EventMeta& meta, const IssueRaised& event) {
  auto& issue = rows.edit<Issue>(event.issue_id());
  *issue.mutable_subject() = event.subject();
  issue.set_kind(event.kind());
  issue.set_category(event.category());
  if (event.has_text()) *issue.mutable_text() = event.text();
  issue.set_raised_day(meta.effective_day);
  issue.set_raised_seq(meta.seq);
  issue.set_due_day(event.has_due_date() ? day_of(event.due_date()) : 0);
  issue.set_found_by(event.found_by());
  issue.set_visit_id(event.visit_id());
  rows.edit<state::v1::IssueOfSubject>(event.subject().kind(), event.subject().id(),
                                       event.issue_id());
  if (!is_of_household(issue)) return;

  auto& raised = *enter_timeline(rows, meta, event.subject().id()).mutable_issue_raised();
  raised.set_issue_id(event.issue_id());
  raised.set_kind(event.kind());
  raised.set_category(event.category());
  if (event.has_due_date()) *raised.mutable_due_date() = event.due_date();
  raised.set_found_by(event.found_by());
  raised.set_visit_id(event.visit_id());
}

Issue::Step& add_step(Issue& issue, const EventMeta& meta, v1::IssueState state) {
  auto& step = *issue.add_steps();
  step.set_state(state);
  step.set_day(meta.effective_day);
  step.set_seq(meta.seq);
  return step;
}

void fold(Ledger& rows, const EventMeta& meta, const IssueAssigned& event) {
  auto& issue = rows.edit<Issue>(event.issue_id());
  auto& step = add_step(issue, meta, v1::ISSUE_STATE_ASSIGNED);
  *step.mutable_owner() = event.owner();
  step.set_due_day(day_of(event.due_date()));
  step.set_escalated_to(event.escalated_to());
  if (!is_of_household(issue)) return;

  auto& assigned = *enter_timeline(rows, meta, issue.subject().id()).mutable_issue_assigned();
  assigned.set_issue_id(event.issue_id());
  *assigned.mutable_owner() = event.owner();
  *assigned.mutable_due_date() = event.due_date();
  assigned.set_escalated_to(event.escalated_to());
}

void fold(Ledger& rows, const EventMeta& meta, const IssueResolved& event) {
  auto& issue = rows.edit<Issue>(event.issue_id());
  auto& step = add_step(issue, meta, v1::ISSUE_STATE_RESOLVED);
  step.set_result(event.result());
  step.set_told_day(event.has_told_date() ? day_of(event.told_date()) : 0);
  if (!is_of_household(issue)) return;

  auto& resolved = *enter_timeline(rows, meta, issue.subject().id()).mutable_issue_resolved();
  resolved.set_issue_id(event.issue_id());
  resolved.set_result(event.result());
  if (event.has_told_date()) *resolved.mutable_told_date() = event.told_date();
}

// Back to whoever had it last.
void fold(Ledger& rows, const EventMeta& meta, const IssueReopened& event) {
  auto& issue = rows.edit<Issue>(event.issue_id());
  Issue::Step last;
  for (const auto& step : issue.steps()) {
    if (step.state() == v1::ISSUE_STATE_ASSIGNED) last = step;
  }
  auto& step = add_step(issue, meta, v1::ISSUE_STATE_ASSIGNED);
  if (last.has_owner()) *step.mutable_owner() = last.owner();
  step.set_escalated_to(last.escalated_to());
  step.set_due_day(last.due_day());
  if (!is_of_household(issue)) return;
  enter_timeline(rows, meta, issue.subject().id())
      .mutable_issue_reopened()
      ->set_issue_id(event.issue_id());
}

}  // namespace

void take_issues(View& view) {
  view.on<IssueRaised>(fold).on<IssueAssigned>(fold).on<IssueResolved>(fold).on<IssueReopened>(
      fold);
}

}  // namespace taizhang::household_file
