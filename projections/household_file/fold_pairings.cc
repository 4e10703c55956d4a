// Pairings that help a household.
#include "domain/dates.h"
#include "projections/household_file/parts.h"
#include "projections/household_file/timeline.h"
#include "taizhang/assistance/v1/events.pb.h"

namespace taizhang::household_file {
namespace {

using assistance::v1::PairingEnded;
using assistance::v1::PairingStarted;
using state::v1::Pairing;

void fold(Ledger& rows, const EventMeta& meta, const PairingStarted& event) {
  if (event.helped().kind() != common::v1::SUBJECT_KIND_HOUSEHOLD) return;
  const std::string& household_id = event.helped().id();
  auto& pairing = rows.edit<Pairing>(event.pairing_id());
  pairing.set_kind(event.kind());
  *pairing.mutable_helper() = event.helper();
  pairing.set_household_id(household_id);
  pairing.set_role(event.role());
  pairing.set_from_day(day_of(event.from_date()));
  pairing.set_accountable_worker_id(event.accountable_worker_id());
  pairing.set_started_seq(meta.seq);
  rows.edit<state::v1::PairingOfHousehold>(household_id, event.pairing_id());

  auto& started = *enter_timeline(rows, meta, household_id).mutable_pairing_started();
  started.set_pairing_id(event.pairing_id());
  started.set_kind(event.kind());
  *started.mutable_helper() = event.helper();
  started.set_role(event.role());
}

void fold(Ledger& rows, const EventMeta& meta, const PairingEnded& event) {
  if (!rows.has<Pairing>(event.pairing_id())) return;
  auto& pairing = rows.edit<Pairing>(event.pairing_id());
  pairing.set_to_day(day_of(event.to_date()));
  pairing.set_ended_seq(meta.seq);

  auto& ended = *enter_timeline(rows, meta, pairing.household_id()).mutable_pairing_ended();
  ended.set_pairing_id(event.pairing_id());
  ended.set_cause(event.cause());
  ended.set_successor_pairing_id(event.successor_pairing_id());
}

}  // namespace

void take_pairings(View& view) { view.on<PairingStarted>(fold).on<PairingEnded>(fold); }

}  // namespace taizhang::household_file
