// Requests of assistance as tests send them: complete and acceptable, each test changes what it is
// about.
//
// Things are named by short words; ids are made of them.
#pragma once

#include <cstdint>
#include <string_view>

#include "taizhang/assistance/v1/commands.pb.h"
#include "taizhang/common/v1/values.pb.h"
#include "tests/support/registry_commands.h"

namespace taizhang::test {

common::v1::SubjectRef household(std::string_view name);
common::v1::SubjectRef person(std::string_view name);
common::v1::SubjectRef organisation(std::string_view name);
common::v1::SubjectRef worker(std::string_view name);
common::v1::SubjectRef village(std::string_view code);
common::v1::SubjectRef region(std::string_view code);

assistance::v1::StartPairingRequest start_pairing(std::string_view name,
                                                  assistance::v1::PairingKind kind,
                                                  const common::v1::SubjectRef& helper,
                                                  const common::v1::SubjectRef& helped,
                                                  int32_t from_day);
assistance::v1::EndPairingRequest end_pairing(std::string_view name, int32_t to_day,
                                              assistance::v1::PairingEndCause cause,
                                              std::string_view successor = "");
// A visit to the home, led by one worker.
assistance::v1::RecordVisitRequest record_visit(std::string_view name,
                                                const common::v1::SubjectRef& visited,
                                                std::string_view lead, int32_t day);
// Adds a REQUEST to a visit.
assistance::v1::RecordVisitRequest noting(assistance::v1::RecordVisitRequest visit,
                                          std::string_view issue,
                                          std::string_view category = "OTHER");
assistance::v1::AssignIssueRequest assign_issue(std::string_view name,
                                                const common::v1::SubjectRef& owner,
                                                int32_t due_day);
assistance::v1::ResolveIssueRequest resolve_issue(std::string_view name);
assistance::v1::VoidRecordRequest void_record(common::v1::SubjectKind kind, std::string_view name);

}  // namespace taizhang::test
