// What one pairing owes: computed when it is asked for, from the pairing, the household's statuses,
// the helper's rank, the rules and the visits, all at the moment of a snapshot.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "domain/dates.h"
#include "platform/projection/snapshot.h"
#include "projections/duties/judge.h"
#include "taizhang/duties/v1/values.pb.h"

namespace taizhang::duties {

// Helps a household: owes visits.
bool is_household_kind(assistance::v1::PairingKind kind);

// Whether this row stands for its visit: one row of a visit does. `worker_id`: only visits of that
// worker are asked for, as lead or not; empty: all.
inline bool stands_for_visit(const state::v1::Visit& row, const std::string& worker_id) {
  return worker_id.empty() ? row.place() == 0 : row.worker_id() == worker_id;
}

// visit(const state::v1::Visit&) for each visit to somebody on these days, by day; voided ones are
// left out. Returns the version of the newest voiding met, 0: none.
template <class Each>
int64_t each_visit(const Snapshot& snapshot, common::v1::SubjectKind kind, const std::string& id,
                   DayRange days, const std::string& worker_id, const Each& each) {
  int64_t voided_version = 0;
  snapshot.scan_after<state::v1::Visit>(
      make_key(kind, id, days.first, 0),
      [&](const state::v1::Visit& visit) {
        if (visit.day() > days.last) return false;
        if (!stands_for_visit(visit, worker_id)) return true;
        if (const auto* voided = snapshot.find<state::v1::VoidedVisit>(visit.visit_id())) {
          voided_version = std::max(voided_version, voided->version());
        } else {
          each(visit);
        }
        return true;
      },
      kind, id);
  return voided_version;
}

class Obligations {
 public:
  explicit Obligations(const Snapshot& snapshot) : snapshot_(snapshot), judge_(snapshot) {}

  // Of the period that holds the effective date, by the rule of that day: none or one.
  std::vector<v1::Obligation> due(const state::v1::Pairing& pairing);
  // Of the last period that ended before the effective date, by the rule of its last day, when its
  // visits were not made or it cannot be decided: none or one.
  std::vector<v1::Obligation> last_overdue(const state::v1::Pairing& pairing);
  // The same of every period that ended on `since` or later; the latest first. What lacks a rule is
  // said once.
  std::vector<v1::Obligation> overdue_since(const state::v1::Pairing& pairing, int32_t since);

  // How often a rule was sought so far: what a query costs.
  int64_t judgements() const { return judgements_; }

 private:
  struct Case;
  enum class Found { kNothing, kPeriod, kNoRule };

  Case case_of(const state::v1::Pairing& pairing) const;
  // What is owed by the rule of the day, when its period is the one asked for; Found says whether
  // there is one at all.
  Found judge(const Case& open, int32_t day, bool period_must_end,
              std::vector<v1::Obligation>& rows);
  v1::Obligation row(const Case& open, int32_t day) const;
  void count_visits(const Case& open, DayRange period, v1::Obligation& row) const;
  Facts facts(const Case& open, int32_t day) const;

  const Snapshot& snapshot_;
  const Judge judge_;
  int64_t judgements_ = 0;
};

}  // namespace taizhang::duties
