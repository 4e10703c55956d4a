// Events by hand, for the unit tests of views.
#pragma once

#include <cstdio>
#include <initializer_list>
#include <string>
#include <utility>

#include "domain/dates.h"
#include "taizhang/assistance/v1/events.pb.h"
#include "taizhang/common/v1/request.pb.h"
#include "taizhang/funds/v1/events.pb.h"
#include "taizhang/registry/v1/events.pb.h"
#include "taizhang/rules/v1/events.pb.h"

namespace taizhang::events {

inline constexpr char kVillage[] = "990101100201";
inline constexpr char kOtherVillage[] = "990101100202";

// A UUID of our own: kind and number are easy to read in it.
inline std::string uuid(char kind, int number) {
  char text[40];
  std::snprintf(text, sizeof text, "%c0000000-0000-4000-8000-%012d", kind, number);
  return text;
}
inline std::string household_id(int number) { return uuid('a', number); }
inline std::string person_id(int number) { return uuid('b', number); }
inline std::string worker_id(int number) { return uuid('c', number); }
inline std::string pairing_id(int number) { return uuid('d', number); }
inline std::string visit_id(int number) { return uuid('e', number); }
inline std::string issue_id(int number) { return uuid('f', number); }
inline std::string org_id(int number) { return uuid('1', number); }

inline common::v1::SubjectRef subject(common::v1::SubjectKind kind, std::string id) {
  common::v1::SubjectRef ref;
  ref.set_kind(kind);
  ref.set_id(std::move(id));
  return ref;
}
inline common::v1::SubjectRef household(int number) {
  return subject(common::v1::SUBJECT_KIND_HOUSEHOLD, household_id(number));
}
inline common::v1::SubjectRef worker(int number) {
  return subject(common::v1::SUBJECT_KIND_WORKER, worker_id(number));
}

// As decide seals: scheme 0, the plain bytes.
inline common::v1::Sealed sealed(const google::protobuf::Message& personal) {
  common::v1::Sealed sealed;
  sealed.set_bytes(personal.SerializeAsString());
  return sealed;
}
inline common::v1::Sealed sealed_text(const std::string& text) {
  common::v1::PersonalText personal;
  personal.set_text(text);
  return sealed(personal);
}

inline rules::v1::RegionCreated region_created(const std::string& region, const std::string& name) {
  rules::v1::RegionCreated event;
  event.set_region(region);
  event.set_name(name);
  return event;
}

inline registry::v1::OrganisationRegistered organisation_registered(int number,
                                                                    const std::string& region) {
  registry::v1::OrganisationRegistered event;
  event.set_org_id(org_id(number));
  event.set_region(region);
  return event;
}

inline registry::v1::WorkerRegistered worker_registered(int number, const std::string& rank,
                                                        const std::string& village = kVillage) {
  registry::v1::WorkerRegistered event;
  event.set_worker_id(worker_id(number));
  event.set_org_id(org_id(1));
  event.set_rank(rank);
  event.set_village(village);
  return event;
}

inline registry::v1::HouseholdRegistered household_registered(
    int number, const std::string& region = kVillage) {
  registry::v1::HouseholdRegistered event;
  event.set_household_id(household_id(number));
  event.set_region(region);
  event.set_group_no(3);
  common::v1::PersonalContact contact;
  contact.set_phone("13900000000");
  *event.mutable_contact() = sealed(contact);
  event.set_head_person_id(person_id(number * 10));
  return event;
}

inline registry::v1::PersonRegistered person_registered(int number, const std::string& name,
                                                        const std::string& citizen_index = {}) {
  registry::v1::PersonRegistered event;
  event.set_person_id(person_id(number));
  common::v1::PersonalIdentity identity;
  identity.set_name(name);
  *event.mutable_identity() = sealed(identity);
  event.set_sex("1");
  event.set_citizen_index(citizen_index);
  return event;
}

inline registry::v1::MemberAdded member_added(int household_number, int person_number,
                                              const std::string& relation, bool is_head = false) {
  registry::v1::MemberAdded event;
  event.set_household_id(household_id(household_number));
  event.set_person_id(person_id(person_number));
  event.set_relation(relation);
  event.set_is_head(is_head);
  return event;
}

struct StatusSpan {
  const char* status;
  int32_t from;
  int32_t to = 0;  // 0: open
};
inline registry::v1::HouseholdStatusLoaded status_loaded(int number,
                                                         std::initializer_list<StatusSpan> spans) {
  registry::v1::HouseholdStatusLoaded event;
  event.set_household_id(household_id(number));
  for (const auto& span : spans) {
    auto& period = *event.add_periods();
    period.set_status(span.status);
    *period.mutable_from_date() = date_of(span.from);
    if (span.to != 0) *period.mutable_to_date() = date_of(span.to);
  }
  event.mutable_document()->set_document_id(uuid('9', number));
  return event;
}

inline assistance::v1::PairingStarted pairing_started(
    int number, int32_t from, common::v1::SubjectRef helper, common::v1::SubjectRef helped,
    assistance::v1::PairingKind kind = assistance::v1::PAIRING_KIND_CADRE_HOUSEHOLD) {
  assistance::v1::PairingStarted event;
  event.set_pairing_id(pairing_id(number));
  event.set_kind(kind);
  *event.mutable_helper() = std::move(helper);
  *event.mutable_helped() = std::move(helped);
  event.set_role("RESPONSIBLE");
  *event.mutable_from_date() = date_of(from);
  return event;
}

inline assistance::v1::PairingEnded pairing_ended(int number, int32_t to,
                                                  assistance::v1::PairingEndCause cause) {
  assistance::v1::PairingEnded event;
  event.set_pairing_id(pairing_id(number));
  *event.mutable_to_date() = date_of(to);
  event.set_cause(cause);
  return event;
}

inline assistance::v1::VisitRecorded visit_recorded(
    int number, int32_t day, common::v1::SubjectRef visited, int lead = 1,
    assistance::v1::VisitChannel channel = assistance::v1::VISIT_CHANNEL_HOME) {
  assistance::v1::VisitRecorded event;
  event.set_visit_id(visit_id(number));
  *event.mutable_visited() = std::move(visited);
  event.add_visitors(worker_id(lead));
  *event.mutable_date() = date_of(day);
  event.set_channel(channel);
  event.set_purpose("SURVEY");
  return event;
}

inline assistance::v1::RecordVoided visit_voided(int number, int replaced_by = 0) {
  assistance::v1::RecordVoided event;
  *event.mutable_record() = subject(common::v1::SUBJECT_KIND_VISIT, visit_id(number));
  if (replaced_by != 0) event.set_replaced_by(visit_id(replaced_by));
  return event;
}

inline assistance::v1::IssueRaised issue_raised(int number, common::v1::SubjectRef whose) {
  assistance::v1::IssueRaised event;
  event.set_issue_id(issue_id(number));
  event.set_kind(assistance::v1::ISSUE_KIND_DIFFICULTY);
  event.set_category("HOUSING");
  *event.mutable_subject() = std::move(whose);
  event.set_found_by(worker_id(1));
  return event;
}

inline assistance::v1::IssueAssigned issue_assigned(int number, int32_t due,
                                                    common::v1::SubjectRef owner) {
  assistance::v1::IssueAssigned event;
  event.set_issue_id(issue_id(number));
  *event.mutable_owner() = std::move(owner);
  *event.mutable_due_date() = date_of(due);
  return event;
}

inline assistance::v1::IssueReopened issue_reopened(int number) {
  assistance::v1::IssueReopened event;
  event.set_issue_id(issue_id(number));
  return event;
}

inline assistance::v1::IssueResolved issue_resolved(int number) {
  assistance::v1::IssueResolved event;
  event.set_issue_id(issue_id(number));
  event.set_result(assistance::v1::ISSUE_RESULT_SOLVED);
  return event;
}

inline rules::v1::ParameterDefined frequency_defined() {
  rules::v1::ParameterDefined event;
  event.set_key("visit.frequency");
  event.set_type(rules::v1::PARAMETER_TYPE_COUNT_PER_PERIOD);
  event.set_resolution(rules::v1::RESOLUTION_STRICTEST_HIGH);
  event.set_when_missing(rules::v1::WHEN_MISSING_CANNOT_DECIDE);
  return event;
}

inline rules::v1::ParameterDefined channels_defined() {
  rules::v1::ParameterDefined event;
  event.set_key("visit.channels_counted");
  event.set_type(rules::v1::PARAMETER_TYPE_ENUM_SET);
  event.set_resolution(rules::v1::RESOLUTION_MOST_SPECIFIC);
  event.set_when_missing(rules::v1::WHEN_MISSING_CANNOT_DECIDE);
  return event;
}

using Scope = std::initializer_list<std::pair<const char*, const char*>>;

// Version `version` of visit.frequency, from 2012-01-01 unless said; open.
inline rules::v1::ParameterSet frequency_set(int64_t version, int32_t count,
                                             rules::v1::CalendarPeriod period, Scope scope = {},
                                             int32_t from = 20120101) {
  rules::v1::ParameterSet event;
  event.set_key("visit.frequency");
  for (const auto& [dimension, value] : scope) (*event.mutable_scope())[dimension] = value;
  event.mutable_value()->mutable_count_per_period()->set_count(count);
  event.mutable_value()->mutable_count_per_period()->set_period(period);
  *event.mutable_valid_from_date() = date_of(from);
  event.set_version(version);
  return event;
}

inline rules::v1::ParameterSet channels_set(int64_t version,
                                            std::initializer_list<const char*> channels,
                                            int32_t from = 20120101) {
  rules::v1::ParameterSet event;
  event.set_key("visit.channels_counted");
  auto& members = *event.mutable_value()->mutable_enum_set();
  for (const char* channel : channels) members.add_members(channel);
  *event.mutable_valid_from_date() = date_of(from);
  event.set_version(version);
  return event;
}

// A request of a query, on a day.
template <class Request>
Request on(int32_t day, Request request = {}) {
  *request.mutable_read()->mutable_effective_date() = date_of(day);
  return request;
}

}  // namespace taizhang::events
