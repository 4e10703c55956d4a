// One request or difficulty, from being raised to being answered.
#include "domain/dates.h"
#include "platform/command/registry.h"
#include "services/assistance/aggregates.h"
#include "services/common/references.h"
#include "taizhang/assistance/state/v1/state.pb.h"
#include "taizhang/assistance/v1/commands.pb.h"
#include "taizhang/assistance/v1/errors.pb.h"
#include "taizhang/assistance/v1/events.pb.h"
#include "taizhang/common/v1/errors.pb.h"

namespace taizhang::assistance {
namespace {

using state::v1::Issue;
using state::v1::IssueOpen;
using state::v1::Visit;
using v1::AssignIssueRequest;
using v1::IssueAssigned;
using v1::IssueRaised;
using v1::IssueReopened;
using v1::IssueResolved;
using v1::ReopenIssueRequest;
using v1::ResolveIssueRequest;

// What both moves of an issue ask: it is there, open, at the version the caller saw, and raised
// before the move.
std::optional<Refusal> check_open(const Ledger& ledger, const std::string& issue_id) {
  const auto* issue = ledger.find<Issue>(issue_id);
  if (!issue) return refuse(v1::ASSISTANCE_REFUSAL_ISSUE_NOT_FOUND, "issue_id");
  if (issue->state() == Issue::STATE_RESOLVED)
    return refuse(v1::ASSISTANCE_REFUSAL_ISSUE_RESOLVED, "issue_id");
  if (auto no = version_mismatch(ledger, issue->version())) return no;
  if (ledger.effective_day() < issue->raised_day()) {
    return refuse(common::v1::COMMON_REFUSAL_DATE_ORDER_INVALID, "context.effective_date");
  }
  return std::nullopt;
}

Decision decide_assign(const Ledger& ledger, const AssignIssueRequest& command) {
  if (auto no = check_open(ledger, command.issue_id())) return *no;
  if (day_of(command.due_date()) < ledger.effective_day()) {
    return refuse(common::v1::COMMON_REFUSAL_DATE_ORDER_INVALID, "due_date");
  }
  if (!is_active(ledger, command.owner(), ledger.effective_day())) {
    return refuse(v1::ASSISTANCE_REFUSAL_OWNER_NOT_ACTIVE, "owner");
  }
  return emit(copy_inputs<IssueAssigned>(command));
}

Decision decide_resolve(const Ledger& ledger, const ResolveIssueRequest& command) {
  if (auto no = check_open(ledger, command.issue_id())) return *no;
  if (command.evidence().empty())
    return refuse(v1::ASSISTANCE_REFUSAL_EVIDENCE_MISSING, "evidence");
  return emit(copy_inputs<IssueResolved>(command));
}

Decision decide_reopen(const Ledger& ledger, const ReopenIssueRequest& command) {
  const auto* issue = ledger.find<Issue>(command.issue_id());
  if (!issue) return refuse(v1::ASSISTANCE_REFUSAL_ISSUE_NOT_FOUND, "issue_id");
  if (issue->state() != Issue::STATE_RESOLVED)
    return refuse(v1::ASSISTANCE_REFUSAL_ISSUE_NOT_RESOLVED, "issue_id");
  if (auto no = version_mismatch(ledger, issue->version())) return *no;
  if (ledger.effective_day() < issue->raised_day()) {
    return refuse(common::v1::COMMON_REFUSAL_DATE_ORDER_INVALID, "context.effective_date");
  }
  return emit(copy_inputs<IssueReopened>(command));
}

void count_open(Ledger& ledger, const common::v1::SubjectRef& subject, int64_t change) {
  auto& open = ledger.edit<IssueOpen>(subject.kind(), subject.id());
  open.set_count(open.count() + change);
}

void evolve_raised(Ledger& ledger, const IssueRaised& event) {
  auto& issue = ledger.edit<Issue>(event.issue_id());
  issue.set_state(Issue::STATE_RAISED);
  *issue.mutable_subject() = event.subject();
  issue.set_raised_day(ledger.effective_day());
  count_open(ledger, event.subject(), 1);
  // The issues of a visit are its last events: they carry its version on.
  if (!event.visit_id().empty())
    ledger.edit<Visit>(event.visit_id()).add_issue_ids(event.issue_id());
}

void evolve_assigned(Ledger& ledger, const IssueAssigned& event) {
  ledger.edit<Issue>(event.issue_id()).set_state(Issue::STATE_ASSIGNED);
}

void evolve_resolved(Ledger& ledger, const IssueResolved& event) {
  auto& issue = ledger.edit<Issue>(event.issue_id());
  issue.set_state(Issue::STATE_RESOLVED);
  count_open(ledger, issue.subject(), -1);
}

void evolve_reopened(Ledger& ledger, const IssueReopened& event) {
  auto& issue = ledger.edit<Issue>(event.issue_id());
  issue.set_state(Issue::STATE_ASSIGNED);
  count_open(ledger, issue.subject(), 1);
}

}  // namespace

void register_issue(Registry& registry) {
  registry.command<AssignIssueRequest>(decide_assign)
      .command<ResolveIssueRequest>(decide_resolve)
      .command<ReopenIssueRequest>(decide_reopen)
      .event<IssueRaised>(evolve_raised)
      .event<IssueAssigned>(evolve_assigned)
      .event<IssueResolved>(evolve_resolved)
      .event<IssueReopened>(evolve_reopened);
}

}  // namespace taizhang::assistance
