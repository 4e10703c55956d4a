// For tests: commits of a ledger, made by hand, that the view of platform/projection/test_view.h
// folds.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "platform/command/registry.h"
#include "platform/projection/test_view.h"
#include "taizhang/journal/v1/records.pb.h"
#include "taizhang/ledger/v1/commits.pb.h"

namespace taizhang::testing {

inline constexpr char kExported[] = "990101";

// Commit number i (from 1) of the ledger: two events each.
inline ledger::v1::ExportedCommit exported(int64_t i, uint64_t add = 1) {
  journal::v1::Commit commit;
  commit.set_ledger(kExported);
  commit.set_first_seq(2 * i - 1);
  commit.set_recorded_time_us(1'767'196'800'000'000 + i);
  auto& request = *commit.add_requests();
  request.mutable_actor()->set_subject("maker-1");
  request.set_events(2);
  for (const auto& event : {placed("a", add), placed("k" + std::to_string(i), 7)}) {
    auto& stored = *commit.add_events();
    stored.set_type(std::string(stored_type(event.GetDescriptor()->full_name())));
    stored.set_payload(event.SerializeAsString());
    stored.set_effective_date(20260101);
  }
  ledger::v1::ExportedCommit out;
  out.set_commit(commit.SerializeAsString());
  return out;
}

// The same without the content of its first event.
inline ledger::v1::ExportedCommit withheld(int64_t i) {
  auto out = exported(i);
  journal::v1::Commit commit;
  commit.ParseFromString(out.commit());
  commit.mutable_events(0)->clear_payload();
  out.set_commit(commit.SerializeAsString());
  out.add_withheld_seqs(2 * i - 1);
  return out;
}

}  // namespace taizhang::testing
