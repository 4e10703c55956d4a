// Pairings of every kind, found by place and by helper.
#include "domain/dates.h"
#include "projections/common/place.h"
#include "projections/duties/parts.h"
#include "taizhang/assistance/v1/events.pb.h"
#include "taizhang/duties/state/v1/state.pb.h"

namespace taizhang::duties {
namespace {

using assistance::v1::PairingEnded;
using assistance::v1::PairingStarted;
using state::v1::Pairing;

// Region code of where the helped live or sit; empty: not known here, as of persons.
std::string region_of(const Ledger& rows, const common::v1::SubjectRef& helped) {
  switch (helped.kind()) {
    case common::v1::SUBJECT_KIND_HOUSEHOLD:
      return rows.get<state::v1::Household>(helped.id()).region();
    case common::v1::SUBJECT_KIND_VILLAGE:
    case common::v1::SUBJECT_KIND_REGION: return helped.id();
    case common::v1::SUBJECT_KIND_ORGANISATION:
      return rows.get<state::v1::Organisation>(helped.id()).region();
    case common::v1::SUBJECT_KIND_WORKER: return rows.get<state::v1::Worker>(helped.id()).region();
    default: return {};
  }
}

void fold(Ledger& rows, const EventMeta& meta, const PairingStarted& event) {
  auto& pairing = rows.edit<Pairing>(event.pairing_id());
  pairing.set_kind(event.kind());
  *pairing.mutable_helper() = event.helper();
  *pairing.mutable_helped() = event.helped();
  pairing.set_role(event.role());
  pairing.set_from_day(day_of(event.from_date()));
  pairing.set_accountable_worker_id(event.accountable_worker_id());
  pairing.set_started_seq(meta.seq);
  const Place place = place_of(region_of(rows, event.helped()));
  rows.edit<state::v1::PairingByPlace>(place.township, place.village, event.helped().kind(),
                                       event.helped().id(), event.pairing_id());
  rows.edit<state::v1::PairingByHelper>(event.helper().kind(), event.helper().id(),
                                        event.pairing_id());
}

void fold(Ledger& rows, const EventMeta& meta, const PairingEnded& event) {
  auto& pairing = rows.edit<Pairing>(event.pairing_id());
  pairing.set_to_day(day_of(event.to_date()));
  pairing.set_cause(event.cause());
  pairing.set_successor_pairing_id(event.successor_pairing_id());
  pairing.set_ended_seq(meta.seq);
}

}  // namespace

void take_pairings(View& view) { view.on<PairingStarted>(fold).on<PairingEnded>(fold); }

}  // namespace taizhang::duties
