// Statuses of households (贫困户, 脱贫户 …): those from before the system are loaded from
// documents.
#include <algorithm>
#include <vector>

#include "domain/dates.h"
#include "platform/command/registry.h"
#include "services/common/parameters.h"
#include "services/registry/aggregates.h"
#include "taizhang/registry/state/v1/state.pb.h"
#include "taizhang/registry/v1/commands.pb.h"
#include "taizhang/registry/v1/errors.pb.h"
#include "taizhang/registry/v1/events.pb.h"

namespace taizhang::registry {
namespace {

using state::v1::Household;
using state::v1::HouseholdStatus;
using v1::HouseholdStatusLoaded;
using v1::LoadHouseholdStatusRequest;
using v1::StatusPeriod;

std::string period_path(int index) { return "periods[" + std::to_string(index) + "]"; }

DayRange days_of(const StatusPeriod& period) {
  return {day_of(period.from_date()), period.has_to_date() ? day_of(period.to_date()) : kOpenDay};
}

DayRange days_of(const HouseholdStatus::Period& period) {
  return {period.from_day(), period.to_day() == 0 ? kOpenDay : period.to_day()};
}

bool overlap(const DayRange& a, const DayRange& b) {
  return a.first <= b.last && b.first <= a.last;
}

std::optional<Refusal> check_overlaps(const Ledger& ledger,
                                      const LoadHouseholdStatusRequest& command) {
  std::vector<DayRange> taken;
  for (const auto& known : ledger.get<HouseholdStatus>(command.household_id()).periods()) {
    taken.push_back(days_of(known));
  }
  for (int i = 0; i < command.periods_size(); ++i) {
    const DayRange days = days_of(command.periods(i));
    const auto clashes = [&](const DayRange& other) { return overlap(days, other); };
    if (std::any_of(taken.begin(), taken.end(), clashes)) {
      return refuse(v1::REGISTRY_REFUSAL_STATUS_OVERLAPS, period_path(i));
    }
    taken.push_back(days);
  }
  return std::nullopt;
}

Decision decide(const Ledger& ledger, const LoadHouseholdStatusRequest& command) {
  const auto* household = ledger.find<Household>(command.household_id());
  if (!household) return refuse(v1::REGISTRY_REFUSAL_HOUSEHOLD_NOT_FOUND, "household_id");
  if (auto no = version_mismatch(ledger, household->version())) return *no;
  const auto golive = governing(ledger, "golive.date", {}, ledger.effective_day());
  if (!golive.decided()) return parameter_missing(golive, "periods");
  const int32_t last_day = golive.has_rule() ? day_of(golive.value().date()) : kOpenDay;
  for (int i = 0; i < command.periods_size(); ++i) {
    if (day_of(command.periods(i).from_date()) > last_day) {
      return refuse(v1::REGISTRY_REFUSAL_AFTER_GOLIVE, period_path(i) + ".from_date");
    }
  }
  if (auto no = check_overlaps(ledger, command)) return *no;
  auto event = copy_inputs<HouseholdStatusLoaded>(command);
  golive.copy_uses(event.mutable_parameters_used());
  return emit(std::move(event));
}

void evolve(Ledger& ledger, const HouseholdStatusLoaded& event) {
  auto& periods = *ledger.edit<HouseholdStatus>(event.household_id()).mutable_periods();
  for (const auto& loaded : event.periods()) {
    auto& period = *periods.Add();
    period.set_status(loaded.status());
    period.set_from_day(day_of(loaded.from_date()));
    period.set_to_day(day_of(loaded.to_date()));
    period.set_loaded(true);
  }
  std::sort(periods.begin(), periods.end(),
            [](const auto& a, const auto& b) { return a.from_day() < b.from_day(); });
  // The status belongs to the household: its version moves with it.
  ledger.edit<Household>(event.household_id());
}

}  // namespace

void register_household_status(Registry& registry) {
  registry.command<LoadHouseholdStatusRequest>(decide).event<HouseholdStatusLoaded>(evolve);
}

}  // namespace taizhang::registry
