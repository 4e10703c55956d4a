// Visits. One new row for each and nothing read: this fold must keep up with imports.
#include "projections/duties/parts.h"
#include "taizhang/assistance/v1/events.pb.h"
#include "taizhang/duties/state/v1/state.pb.h"

namespace taizhang::duties {
namespace {

using assistance::v1::RecordVoided;
using assistance::v1::VisitRecorded;

void fold(Ledger& rows, const EventMeta& meta, const VisitRecorded& event) {
  auto& visit = rows.edit<state::v1::Visit>(event.visited().kind(), event.visited().id(),
                                            meta.effective_day, meta.seq);
  visit.set_visit_id(event.visit_id());
  visit.set_channel(event.channel());
  *visit.mutable_visitors() = event.visitors();
}

void fold(Ledger& rows, const EventMeta&, const RecordVoided& event) {
  if (event.record().kind() != common::v1::SUBJECT_KIND_VISIT) return;
  rows.edit<state::v1::VoidedVisit>(event.record().id());
}

}  // namespace

void take_visits(View& view) { view.on<VisitRecorded>(fold).on<RecordVoided>(fold); }

}  // namespace taizhang::duties
