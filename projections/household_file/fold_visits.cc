// Visits, and their voiding.
#include "domain/dates.h"
#include "projections/household_file/parts.h"
#include "projections/household_file/timeline.h"
#include "taizhang/assistance/v1/events.pb.h"

namespace taizhang::household_file {
namespace {

using assistance::v1::RecordVoided;
using assistance::v1::VisitRecorded;
using state::v1::Visit;

bool is_to_household(const Visit& visit) {
  return visit.visited().kind() == common::v1::SUBJECT_KIND_HOUSEHOLD;
}

void fold(Ledger& rows, const EventMeta& meta, const VisitRecorded& event) {
  auto& visit = rows.edit<Visit>(event.visit_id());
  *visit.mutable_visited() = event.visited();
  *visit.mutable_visitors() = event.visitors();
  visit.set_day(meta.effective_day);
  visit.set_channel(event.channel());
  visit.set_purpose(event.purpose());
  if (event.has_round()) visit.set_round(event.round());
  visit.set_leader_rank(event.leader_rank());
  *visit.mutable_evidence() = event.evidence();
  if (event.has_text()) *visit.mutable_text() = event.text();
  visit.set_recorded_seq(meta.seq);
  if (!is_to_household(visit)) return;

  auto& made = *enter_timeline(rows, meta, event.visited().id()).mutable_visit_made();
  made.set_visit_id(event.visit_id());
  *made.mutable_visitors() = event.visitors();
  made.set_channel(event.channel());
  made.set_purpose(event.purpose());
  if (event.has_round()) made.set_round(event.round());
}

void fold(Ledger& rows, const EventMeta& meta, const RecordVoided& event) {
  if (event.record().kind() != common::v1::SUBJECT_KIND_VISIT) return;
  auto& visit = rows.edit<Visit>(event.record().id());
  visit.set_voided_seq(meta.seq);
  visit.set_replaced_by(event.replaced_by());
  if (!is_to_household(visit)) return;

  const std::string household_id = visit.visited().id();
  rows.erase<state::v1::TimelineEntry>(household_id, visit.day(), visit.recorded_seq());
  auto& voided = *enter_timeline(rows, meta, household_id).mutable_visit_voided();
  voided.set_visit_id(event.record().id());
  *voided.mutable_visit_date() = date_of(visit.day());
  voided.set_replaced_by(event.replaced_by());
}

}  // namespace

void take_visits(View& view) { view.on<VisitRecorded>(fold).on<RecordVoided>(fold); }

}  // namespace taizhang::household_file
