// Requests of assistance as tests send them.
#include "tests/support/assistance_commands.h"

#include "domain/dates.h"

namespace taizhang::test {

common::v1::SubjectRef household(std::string_view name) {
  return subject(common::v1::SUBJECT_KIND_HOUSEHOLD, id(name));
}
common::v1::SubjectRef person(std::string_view name) {
  return subject(common::v1::SUBJECT_KIND_PERSON, id(name));
}
common::v1::SubjectRef organisation(std::string_view name) {
  return subject(common::v1::SUBJECT_KIND_ORGANISATION, id(name));
}
common::v1::SubjectRef worker(std::string_view name) {
  return subject(common::v1::SUBJECT_KIND_WORKER, id(name));
}
common::v1::SubjectRef village(std::string_view code) {
  return subject(common::v1::SUBJECT_KIND_VILLAGE, code);
}
common::v1::SubjectRef region(std::string_view code) {
  return subject(common::v1::SUBJECT_KIND_REGION, code);
}

assistance::v1::StartPairingRequest start_pairing(std::string_view name,
                                                  assistance::v1::PairingKind kind,
                                                  const common::v1::SubjectRef& helper,
                                                  const common::v1::SubjectRef& helped,
                                                  int32_t from_day) {
  assistance::v1::StartPairingRequest command;
  command.set_pairing_id(id(name));
  command.set_kind(kind);
  *command.mutable_helper() = helper;
  *command.mutable_helped() = helped;
  command.set_role("RESPONSIBLE");
  *command.mutable_from_date() = date_of(from_day);
  *command.mutable_document() = document("plan of " + std::string(name), "REPORT");
  return command;
}

assistance::v1::EndPairingRequest end_pairing(std::string_view name, int32_t to_day,
                                              assistance::v1::PairingEndCause cause,
                                              std::string_view successor) {
  assistance::v1::EndPairingRequest command;
  command.set_pairing_id(id(name));
  *command.mutable_to_date() = date_of(to_day);
  command.set_cause(cause);
  if (!successor.empty()) command.set_successor_pairing_id(id(successor));
  return command;
}

assistance::v1::RecordVisitRequest record_visit(std::string_view name,
                                                const common::v1::SubjectRef& visited,
                                                std::string_view lead, int32_t day) {
  assistance::v1::RecordVisitRequest command;
  command.set_visit_id(id(name));
  *command.mutable_visited() = visited;
  command.add_visitors(id(lead));
  *command.mutable_date() = date_of(day);
  command.set_channel(assistance::v1::VISIT_CHANNEL_HOME);
  command.set_purpose("SURVEY");
  return command;
}

assistance::v1::RecordVisitRequest noting(assistance::v1::RecordVisitRequest visit,
                                          std::string_view issue, std::string_view category) {
  auto& request = *visit.add_requests();
  request.set_issue_id(id(issue));
  request.set_kind(assistance::v1::ISSUE_KIND_REQUEST);
  request.set_category(std::string(category));
  return visit;
}

assistance::v1::AssignIssueRequest assign_issue(std::string_view name,
                                                const common::v1::SubjectRef& owner,
                                                int32_t due_day) {
  assistance::v1::AssignIssueRequest command;
  command.set_issue_id(id(name));
  *command.mutable_owner() = owner;
  *command.mutable_due_date() = date_of(due_day);
  return command;
}

assistance::v1::ResolveIssueRequest resolve_issue(std::string_view name) {
  assistance::v1::ResolveIssueRequest command;
  command.set_issue_id(id(name));
  command.set_result(assistance::v1::ISSUE_RESULT_SOLVED);
  *command.add_evidence() = document("answer to " + std::string(name), "REPORT");
  return command;
}

assistance::v1::VoidRecordRequest void_record(common::v1::SubjectKind kind, std::string_view name) {
  assistance::v1::VoidRecordRequest command;
  *command.mutable_record() = subject(kind, id(name));
  command.mutable_context()->set_reason("entered twice");
  return command;
}

}  // namespace taizhang::test
