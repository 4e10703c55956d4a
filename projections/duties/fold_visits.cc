// Visits. One new row for each visitor and nothing read: this fold must keep up with imports.
#include "projections/duties/parts.h"
#include "taizhang/assistance/v1/events.pb.h"
#include "taizhang/duties/state/v1/state.pb.h"

namespace taizhang::duties {
namespace {

using assistance::v1::RecordVoided;
using assistance::v1::VisitRecorded;

void fold(Ledger& rows, const EventMeta& meta, const VisitRecorded& event) {
  for (int place = 0; place < event.visitors_size(); ++place) {
    rows.edit<state::v1::Visit>(event.visited().kind(), event.visited().id(), meta.effective_day,
                                meta.seq, place, event.channel(), event.visit_id(),
                                event.visitors(place));
  }
}

void fold(Ledger& rows, const EventMeta&, const RecordVoided& event) {
  if (event.record().kind() != common::v1::SUBJECT_KIND_VISIT) return;
  rows.edit<state::v1::VoidedVisit>(event.record().id());
}

}  // namespace

void take_visits(View& view) { view.on<VisitRecorded>(fold).on<RecordVoided>(fold); }

}  // namespace taizhang::duties
