// Whom duties speak of: households with their statuses, workers with their ranks, organisations.
#include "domain/dates.h"
#include "projections/common/place.h"
#include "projections/duties/parts.h"
#include "taizhang/duties/state/v1/state.pb.h"
#include "taizhang/registry/v1/events.pb.h"

namespace taizhang::duties {
namespace {

using registry::v1::HouseholdRegistered;
using registry::v1::HouseholdStatusLoaded;
using registry::v1::OrganisationRegistered;
using registry::v1::WorkerRegistered;
using state::v1::Household;
using state::v1::Organisation;
using state::v1::Worker;

void fold(Ledger& rows, const EventMeta&, const OrganisationRegistered& event) {
  rows.edit<Organisation>(event.org_id()).set_region(event.region());
}

void fold(Ledger& rows, const EventMeta& meta, const WorkerRegistered& event) {
  auto& worker = rows.edit<Worker>(event.worker_id());
  auto& rank = *worker.add_ranks();
  rank.set_rank(event.rank());
  rank.set_from_day(meta.effective_day);
  worker.set_region(event.village().empty() ? rows.get<Organisation>(event.org_id()).region()
                                            : event.village());
}

void fold(Ledger& rows, const EventMeta&, const HouseholdRegistered& event) {
  rows.edit<Household>(event.household_id()).set_region(event.region());
  const Place place = place_of(event.region());
  rows.edit<state::v1::HouseholdByPlace>(place.township, place.village, event.household_id());
}

void fold(Ledger& rows, const EventMeta& meta, const HouseholdStatusLoaded& event) {
  auto& household = rows.edit<Household>(event.household_id());
  for (const auto& period : event.periods()) {
    auto& status = *household.add_statuses();
    status.set_status(period.status());
    status.set_from_day(day_of(period.from_date()));
    status.set_to_day(period.has_to_date() ? day_of(period.to_date()) : 0);
    status.set_seq(meta.seq);
  }
}

}  // namespace

void take_subjects(View& view) {
  view.on<OrganisationRegistered>(fold)
      .on<WorkerRegistered>(fold)
      .on<HouseholdRegistered>(fold)
      .on<HouseholdStatusLoaded>(fold);
}

}  // namespace taizhang::duties
