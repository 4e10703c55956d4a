// Rows as they are answered.
#include "projections/household_file/answers.h"

#include "domain/dates.h"
#include "projections/common/personal.h"
#include "projections/common/row_change.h"

namespace taizhang::household_file {

const state::v1::Household* active_household(const Snapshot& snapshot, const std::string& id) {
  const auto* household = snapshot.find<state::v1::Household>(id);
  // A row without a registration cannot be: every event of a household comes after it.
  return household && household->from_day() <= snapshot.effective_day() ? household : nullptr;
}

Error household_not_found(const std::string& id) {
  return not_found("HOUSEHOLD_NOT_FOUND", "该户不在册", "household", id);
}

v1::Household shown(const Snapshot& snapshot, const state::v1::Household& row) {
  v1::Household household;
  household.set_household_id(row.household_id());
  household.set_version(row.version());
  add_event_id(snapshot, row.registered_seq(), household);
  household.set_region(row.region());
  household.set_region_name(snapshot.get<state::v1::Region>(row.region()).name());
  if (row.has_group_no()) household.set_group_no(row.group_no());
  household.set_head_person_id(row.head_person_id());
  *household.mutable_from_date() = date_of(row.from_day());
  show_personal(snapshot, row.has_contact(), row.contact(), household,
                &v1::Household::mutable_contact);
  return household;
}

v1::Person shown(const Snapshot& snapshot, const state::v1::Person& row) {
  v1::Person person;
  person.set_person_id(row.person_id());
  person.set_version(row.version());
  add_event_id(snapshot, row.registered_seq(), person);
  person.set_sex(row.sex());
  person.set_ethnic(row.ethnic());
  person.set_education(row.education());
  show_personal(snapshot, row.has_identity(), row.identity(), person,
                &v1::Person::mutable_identity);
  return person;
}

v1::Status shown(const Snapshot& snapshot, const state::v1::Household::Status& row) {
  v1::Status status;
  status.set_status(row.status());
  *status.mutable_from_date() = date_of(row.from_day());
  if (row.to_day() != 0) *status.mutable_to_date() = date_of(row.to_day());
  status.set_loaded(true);  // nothing else sets a status yet
  status.set_version(row.seq());
  add_event_id(snapshot, row.seq(), status);
  return status;
}

v1::Pairing shown(const Snapshot& snapshot, const state::v1::Pairing& row) {
  v1::Pairing pairing;
  pairing.set_pairing_id(row.pairing_id());
  pairing.set_version(row.version());
  add_event_id(snapshot, row.started_seq(), pairing);
  add_event_id(snapshot, row.ended_seq(), pairing);
  pairing.set_kind(row.kind());
  *pairing.mutable_helper() = row.helper();
  pairing.set_role(row.role());
  *pairing.mutable_from_date() = date_of(row.from_day());
  if (row.to_day() != 0) *pairing.mutable_to_date() = date_of(row.to_day());
  pairing.set_accountable_worker_id(row.accountable_worker_id());
  return pairing;
}

v1::Visit shown(const Snapshot& snapshot, const state::v1::Visit& row) {
  v1::Visit visit;
  visit.set_visit_id(row.visit_id());
  visit.set_version(row.version());
  add_event_id(snapshot, row.recorded_seq(), visit);
  add_event_id(snapshot, row.voided_seq(), visit);
  *visit.mutable_visited() = row.visited();
  *visit.mutable_visitors() = row.visitors();
  *visit.mutable_date() = date_of(row.day());
  visit.set_channel(row.channel());
  visit.set_purpose(row.purpose());
  if (row.has_round()) visit.set_round(row.round());
  visit.set_leader_rank(row.leader_rank());
  *visit.mutable_evidence() = row.evidence();
  show_personal(snapshot, row.has_text(), row.text(), visit, &v1::Visit::mutable_text);
  visit.set_voided(row.voided_seq() != 0);
  visit.set_replaced_by(row.replaced_by());
  return visit;
}

v1::Issue shown(const Snapshot& snapshot, const state::v1::Issue& row, int32_t day) {
  v1::Issue issue;
  issue.set_issue_id(row.issue_id());
  issue.set_version(row.version());
  add_event_id(snapshot, row.raised_seq(), issue);
  *issue.mutable_subject() = row.subject();
  issue.set_kind(row.kind());
  issue.set_category(row.category());
  *issue.mutable_raised_date() = date_of(row.raised_day());
  issue.set_found_by(row.found_by());
  issue.set_visit_id(row.visit_id());
  issue.set_state(v1::ISSUE_STATE_RAISED);
  if (row.due_day() != 0) *issue.mutable_due_date() = date_of(row.due_day());
  show_personal(snapshot, row.has_text(), row.text(), issue, &v1::Issue::mutable_text);
  for (const auto& step : row.steps()) {
    if (step.day() > day) continue;
    add_event_id(snapshot, step.seq(), issue);
    issue.set_state(step.state());
    if (step.state() == v1::ISSUE_STATE_ASSIGNED) {
      if (step.has_owner()) *issue.mutable_owner() = step.owner();
      issue.set_escalated_to(step.escalated_to());
      if (step.due_day() != 0) *issue.mutable_due_date() = date_of(step.due_day());
      // Taken up again: its answer counts no more.
      issue.clear_result();
      issue.clear_resolved_date();
      issue.clear_told_date();
    } else {
      issue.set_result(step.result());
      *issue.mutable_resolved_date() = date_of(step.day());
      if (step.told_day() != 0) *issue.mutable_told_date() = date_of(step.told_day());
    }
  }
  return issue;
}

std::string status_on(const state::v1::Household& household, int32_t day) {
  for (const auto& status : household.statuses()) {
    const int32_t last = status.to_day() == 0 ? kOpenDay : status.to_day();
    if (status.from_day() <= day && day <= last) return status.status();
  }
  return {};
}

int32_t count_members(const Snapshot& snapshot, const std::string& household_id) {
  int32_t count = 0;
  snapshot.scan<state::v1::Member>(
      [&](const state::v1::Member& member) {
        if (member.from_day() <= snapshot.effective_day()) ++count;
      },
      household_id);
  return count;
}

}  // namespace taizhang::household_file
