// What is asked about pairings, visits and issues.
#include "taizhang/assistance/state/v1/state.pb.h"
#include "tests/support/assistance_commands.h"
#include "tests/support/random_commands.h"

namespace taizhang::test {

using assistance::state::v1::Issue;
using assistance::state::v1::Pairing;
using assistance::state::v1::Visit;
using common::v1::SUBJECT_KIND_HOUSEHOLD;
using common::v1::SUBJECT_KIND_ORGANISATION;
using common::v1::SUBJECT_KIND_VILLAGE;
using common::v1::SUBJECT_KIND_WORKER;

RandomBook::MessagePtr RandomBook::start_pairing() {
  using namespace assistance::v1;
  using common::v1::SubjectKind;
  const auto kind = static_cast<PairingKind>(
      chance(60) ? one_of<int>({PAIRING_KIND_CADRE_HOUSEHOLD, PAIRING_KIND_BRANCH_VILLAGE,
                                PAIRING_KIND_UNIT_VILLAGE})
                 : between(1, PAIRING_KIND_LIAISON_HOUSEHOLD));
  SubjectKind helper = SUBJECT_KIND_WORKER;
  SubjectKind helped = SUBJECT_KIND_HOUSEHOLD;
  switch (kind) {
    case PAIRING_KIND_UNIT_VILLAGE:
    case PAIRING_KIND_ENTERPRISE_VILLAGE:
    case PAIRING_KIND_BRANCH_VILLAGE: helper = SUBJECT_KIND_ORGANISATION; [[fallthrough]];
    case PAIRING_KIND_LEADER_VILLAGE: helped = SUBJECT_KIND_VILLAGE; break;
    case PAIRING_KIND_UNIT_TOWNSHIP: helper = SUBJECT_KIND_ORGANISATION; [[fallthrough]];
    case PAIRING_KIND_CADRE_GROUP: helped = common::v1::SUBJECT_KIND_REGION; break;
    case PAIRING_KIND_ENTERPRISE_HOUSEHOLD: helper = SUBJECT_KIND_ORGANISATION; break;
    case PAIRING_KIND_STAFF_SCHOOL: helped = SUBJECT_KIND_ORGANISATION; break;
    case PAIRING_KIND_HEAD_TEACHER: helped = SUBJECT_KIND_WORKER; break;
    case PAIRING_KIND_TEACHER_STUDENT: helped = common::v1::SUBJECT_KIND_PERSON; break;
    default: break;
  }
  if (chance(4)) std::swap(helper, helped);
  auto helper_ref = any_subject(helper);
  if (kind == PAIRING_KIND_BRANCH_VILLAGE && chance(80)) {
    helper_ref.set_id(id(where<registry::state::v1::Organisation>("org", [](const auto& row) {
      return row.kind() == registry::v1::ORGANISATION_KIND_BRANCH;
    })));
  }
  auto request = test::start_pairing(chance(96) ? fresh("pairing") : any("pairing"), kind,
                                     helper_ref, any_subject(helped), day_from(20170101));
  if (chance(10)) request.set_accountable_worker_id(id(any("worker")));
  return made(request);
}

RandomBook::MessagePtr RandomBook::end_pairing() {
  using namespace assistance::v1;
  const bool ended_too = chance(6);
  const std::string name =
      where<Pairing>("pairing", [&](const Pairing& row) { return ended_too || row.to_day() == 0; });
  const auto& pairing = book_->get<Pairing>(id(name));
  const int32_t from = pairing.from_day() == 0 ? 20170101 : pairing.from_day();
  const auto cause = static_cast<PairingEndCause>(
      chance(85) ? one_of<int>({PAIRING_END_CAUSE_LIFTED, PAIRING_END_CAUSE_SUCCEEDED,
                                PAIRING_END_CAUSE_TERM_ENDED, PAIRING_END_CAUSE_IN_ERROR})
                 : between(4, 6));
  std::string successor;
  if (cause == PAIRING_END_CAUSE_SUCCEEDED) {
    successor = where<Pairing>("pairing", [&](const Pairing& other) {
      return other.kind() == pairing.kind() && other.helped().id() == pairing.helped().id() &&
             other.pairing_id() != pairing.pairing_id() && other.from_day() >= from;
    });
  }
  int32_t to = day_from(from);
  if (const auto* next = successor.empty() ? nullptr : book_->find<Pairing>(id(successor));
      next && chance(80)) {
    to = std::max(from, add_days(next->from_day(), chance(80) ? -1 : -2));
  }
  if ((cause == PAIRING_END_CAUSE_IN_ERROR) == chance(95)) to = add_days(from, -1);
  auto request = test::end_pairing(name, to, cause, successor);
  state_version(request, pairing.version());
  return made(request);
}

RandomBook::MessagePtr RandomBook::record_visit() {
  const auto kind =
      chance(75) ? SUBJECT_KIND_HOUSEHOLD
                 : one_of({SUBJECT_KIND_VILLAGE, SUBJECT_KIND_ORGANISATION, SUBJECT_KIND_WORKER});
  auto request = test::record_visit(chance(96) ? fresh("visit") : any("visit"), any_subject(kind),
                                    any("worker"), chance(60) ? day_from(20171220) : some_day());
  if (chance(3)) *request.mutable_visited() = subject(kind, id("nobody"));
  request.set_channel(static_cast<assistance::v1::VisitChannel>(chance(80) ? 1 : between(1, 5)));
  if (chance(20)) {
    const std::string second = id(any("worker"));
    if (second != request.visitors(0)) request.add_visitors(second);
  }
  // The same household, lead and day as another.
  if (const auto* other = chance(12) ? book_->find<Visit>(id(any("visit"))) : nullptr) {
    *request.mutable_visited() = other->visited();
    request.set_visitors(0, other->lead_worker_id());
    *request.mutable_date() = date_of(other->day());
    request.set_channel(other->channel());
    if (request.visitors_size() > 1) request.mutable_visitors()->RemoveLast();
  }
  for (int issues = chance(40) ? between(1, 2) : 0; issues > 0; --issues) {
    request = noting(std::move(request), chance(97) ? fresh("issue") : any("issue"),
                     one_of({"OTHER", "LOAN_DELAY", "LOAN_DELAY", "WATER"}));
    auto& noted = *request.mutable_requests(request.requests_size() - 1);
    if (noted.category() == "WATER" && chance(70))
      noted.set_kind(assistance::v1::ISSUE_KIND_DIFFICULTY);
    if (chance(20)) {
      *noted.mutable_due_date() =
          date_of(add_days(day_of(request.date()), between(chance(10) ? -3 : 0, 30)));
    }
  }
  if (chance(10)) request.mutable_text()->set_text("words");
  return made(request);
}

RandomBook::MessagePtr RandomBook::assign_issue() {
  const std::string name =
      where<Issue>("issue", [&](const Issue& row) { return row.state() != Issue::STATE_RESOLVED; });
  const auto& issue = book_->get<Issue>(id(name));
  const int32_t day =
      chance(95) ? day_from(issue.raised_day() == 0 ? 20170101 : issue.raised_day()) : some_day();
  auto request = test::assign_issue(
      name, any_subject(chance(50) ? SUBJECT_KIND_WORKER : SUBJECT_KIND_ORGANISATION),
      add_days(day, between(chance(6) ? -4 : 0, 60)));
  if (chance(15)) request.set_escalated_to(id(any("org")));
  state_version(request, issue.version());
  return made(dated(request, day));
}

RandomBook::MessagePtr RandomBook::resolve_issue() {
  const bool resolved_too = chance(12);
  const std::string name = where<Issue>("issue", [&](const Issue& row) {
    return resolved_too || row.state() != Issue::STATE_RESOLVED;
  });
  const auto& issue = book_->get<Issue>(id(name));
  auto request = test::resolve_issue(name);
  if (chance(6)) request.clear_evidence();
  state_version(request, issue.version());
  return made(dated(request, chance(94)
                                 ? day_from(issue.raised_day() == 0 ? 20170101 : issue.raised_day())
                                 : some_day()));
}

RandomBook::MessagePtr RandomBook::reopen_issue() {
  const bool open_too = chance(20);
  const std::string name = where<Issue>(
      "issue", [&](const Issue& row) { return open_too || row.state() == Issue::STATE_RESOLVED; });
  const auto& issue = book_->get<Issue>(id(name));
  assistance::v1::ReopenIssueRequest request;
  request.set_issue_id(id(name));
  state_version(request, issue.version());
  return made(dated(request, chance(94)
                                 ? day_from(issue.raised_day() == 0 ? 20170101 : issue.raised_day())
                                 : some_day()));
}

RandomBook::MessagePtr RandomBook::void_visit() {
  const bool voided_too = chance(12);
  const std::string name =
      where<Visit>("visit", [&](const Visit& row) { return voided_too || !row.voided(); });
  auto request = void_record(common::v1::SUBJECT_KIND_VISIT, name);
  const auto& visit = book_->get<Visit>(id(name));
  if (chance(8))
    *request.mutable_record() = subject(common::v1::SUBJECT_KIND_ISSUE, id(any("issue")));
  if (chance(4))
    *request.mutable_record() = subject(common::v1::SUBJECT_KIND_PAIRING, id(any("pairing")));
  if (chance(5)) request.mutable_context()->clear_reason();
  if (chance(20)) request.set_replaced_by(chance(80) ? id(any("visit")) : request.record().id());
  state_version(request, visit.version());
  const int32_t day = visit.day() == 0 ? 20170101 : visit.day();
  return made(
      dated(request, chance(60) ? std::min(today_, add_days(day, between(0, 30))) : day_from(day)));
}

}  // namespace taizhang::test
