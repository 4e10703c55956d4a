// Obligations of a pairing.
#include "projections/duties/obligation.h"

#include <algorithm>

#include "domain/parameter.h"
#include "projections/common/row_change.h"

namespace taizhang::duties {

using rules::v1::CALENDAR_PERIOD_TEN_DAYS;
using state::v1::Household;
using state::v1::Pairing;
using state::v1::Worker;

struct Obligations::Case {
  const Pairing& pairing;
  const Household& household;
  const Worker* helper;  // null: the helper is no worker
};

bool is_household_kind(assistance::v1::PairingKind kind) {
  switch (kind) {
    case assistance::v1::PAIRING_KIND_CADRE_HOUSEHOLD:
    case assistance::v1::PAIRING_KIND_ENTERPRISE_HOUSEHOLD:
    case assistance::v1::PAIRING_KIND_TEACHER_HOUSEHOLD:
    case assistance::v1::PAIRING_KIND_LIAISON_HOUSEHOLD: return true;
    default: return false;
  }
}

Obligations::Case Obligations::case_of(const Pairing& pairing) const {
  const bool by_worker = pairing.helper().kind() == common::v1::SUBJECT_KIND_WORKER;
  return {pairing, snapshot_.get<Household>(pairing.helped().id()),
          by_worker ? snapshot_.find<Worker>(pairing.helper().id()) : nullptr};
}

Facts Obligations::facts(const Case& open, int32_t day) const {
  const auto* status = status_on(open.household, day);
  return {open.pairing.kind(), rank_on(open.helper, day),
          status ? std::string_view(status->status()) : std::string_view(), open.household.region(),
          day};
}

v1::Obligation Obligations::row(const Case& open, int32_t day) const {
  const auto& status = *status_on(open.household, day);
  v1::Obligation row;
  row.set_pairing_id(open.pairing.pairing_id());
  row.set_version(std::max(open.pairing.version(), status.seq()));
  add_event_id(snapshot_, open.pairing.started_seq(), row);
  add_event_id(snapshot_, open.pairing.ended_seq(), row);
  add_event_id(snapshot_, status.seq(), row);
  row.set_kind(open.pairing.kind());
  *row.mutable_helper() = open.pairing.helper();
  row.set_rank(std::string(rank_on(open.helper, day)));
  row.set_household_id(open.pairing.helped().id());
  row.set_region(open.household.region());
  row.set_status(status.status());
  *row.mutable_judged_date() = date_of(day);
  return row;
}

// A visit up to the effective date by anybody, judged by the rule of its own day.
void Obligations::count_visits(const Case& open, DayRange period, v1::Obligation& row) const {
  int32_t done = 0;
  int32_t undecided = 0;
  int64_t version = row.version();
  int listed = 0;
  const DayRange days{period.first, std::min(period.last, snapshot_.effective_day())};
  const int64_t voided =
      each_visit(snapshot_, common::v1::SUBJECT_KIND_HOUSEHOLD, open.pairing.helped().id(), days,
                 {}, [&](const state::v1::Visit& visit) {
                   const auto counts = judge_.counts(facts(open, visit.day()), visit.channel());
                   if (!counts) ++undecided;
                   if (!counts.value_or(false)) return;
                   ++done;
                   version = std::max(version, visit.seq());
                   if (listed++ < kAggregateEventIdsMax) add_event_id(snapshot_, visit.seq(), row);
                 });
  row.set_version(std::max(version, voided));
  row.set_done(done);
  row.set_undecided(undecided);
  if (done >= row.required()) {
    row.set_state(v1::OBLIGATION_STATE_MET);
  } else if (done + undecided >= row.required()) {
    row.set_state(v1::OBLIGATION_STATE_RULE_MISSING);
    row.set_missing_key(std::string(kChannelsKey));
  } else {
    row.set_state(v1::OBLIGATION_STATE_OWED);
  }
}

Obligations::Found Obligations::judge(const Case& open, int32_t day, bool period_must_end,
                                      std::vector<v1::Obligation>& rows) {
  const auto* status = status_on(open.household, day);
  if (!status || !covers(open.pairing.from_day(), open.pairing.to_day(), day, day)) {
    return Found::kNothing;
  }
  ++judgements_;
  const auto settings = judge_.frequency(facts(open, day));
  if (settings.empty()) {
    if (judge_.frequency_may_lack()) return Found::kNothing;
    auto& missing = rows.emplace_back(row(open, day));
    missing.set_state(v1::OBLIGATION_STATE_RULE_MISSING);
    missing.set_missing_key(std::string(kFrequencyKey));
    return Found::kNoRule;
  }
  const auto& rule = settings.front()->value().count_per_period();
  const DayRange period = period_of(rule.period(), day);
  if (period_must_end && period.last != day) return Found::kNothing;
  if (!covers(open.pairing.from_day(), open.pairing.to_day(), period.first, period.last) ||
      !covers(status->from_day(), status->to_day(), period.first, period.last)) {
    return Found::kPeriod;
  }
  auto& owed = rows.emplace_back(row(open, day));
  owed.set_period(rule.period());
  *owed.mutable_period_first() = date_of(period.first);
  *owed.mutable_period_last() = date_of(period.last);
  owed.set_required(rule.count());
  *owed.mutable_rule() = use_of(kFrequencyKey, *settings.front());
  for (const auto* setting : settings) *owed.add_rules_matched() = use_of(kFrequencyKey, *setting);
  owed.set_why(judge_.why(settings));
  owed.set_version(std::max(owed.version(), settings.front()->seq()));
  add_event_id(snapshot_, settings.front()->seq(), owed);
  count_visits(open, period, owed);
  return Found::kPeriod;
}

std::vector<v1::Obligation> Obligations::due(const Pairing& pairing) {
  std::vector<v1::Obligation> rows;
  if (is_household_kind(pairing.kind()))
    judge(case_of(pairing), snapshot_.effective_day(), false, rows);
  return rows;
}

// Every period of every kind ends on the last day of some ten days, so these are the only days to
// be judged.
std::vector<v1::Obligation> Obligations::last_overdue(const Pairing& pairing) {
  std::vector<v1::Obligation> rows;
  if (!is_household_kind(pairing.kind())) return rows;
  const Case open = case_of(pairing);
  const DayRange now = period_of(CALENDAR_PERIOD_TEN_DAYS, snapshot_.effective_day());
  DayRange ended = period_before(CALENDAR_PERIOD_TEN_DAYS, now);
  // A year holds an end of each kind of period.
  const int32_t ends = periods_a_year(CALENDAR_PERIOD_TEN_DAYS);
  for (int32_t i = 0; i < ends && ended.last >= pairing.from_day(); ++i) {
    if (judge(open, ended.last, true, rows) != Found::kNothing) break;
    ended = period_before(CALENDAR_PERIOD_TEN_DAYS, ended);
  }
  std::erase_if(rows, [](const auto& row) { return row.state() == v1::OBLIGATION_STATE_MET; });
  return rows;
}

std::vector<v1::Obligation> Obligations::overdue_since(const Pairing& pairing, int32_t since) {
  std::vector<v1::Obligation> rows;
  if (!is_household_kind(pairing.kind())) return rows;
  const Case open = case_of(pairing);
  const DayRange now = period_of(CALENDAR_PERIOD_TEN_DAYS, snapshot_.effective_day());
  DayRange ended = period_before(CALENDAR_PERIOD_TEN_DAYS, now);
  const int32_t earliest = std::max(since, pairing.from_day());
  bool rule_missing_said = false;
  while (ended.last >= earliest) {
    const Found found = judge(open, ended.last, true, rows);
    if (found == Found::kNoRule && rule_missing_said) rows.pop_back();
    rule_missing_said = rule_missing_said || found == Found::kNoRule;
    ended = period_before(CALENDAR_PERIOD_TEN_DAYS, ended);
  }
  std::erase_if(rows, [](const auto& row) { return row.state() == v1::OBLIGATION_STATE_MET; });
  return rows;
}

}  // namespace taizhang::duties
