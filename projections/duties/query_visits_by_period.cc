// How many visits were made in each period, and how many of them count.
//
// Visits have no index by worker or by day, so that recording one stays cheap: they are sought by
// whom they were made to, one seek for each household of the region asked for.
#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <vector>

#include "domain/dates.h"
#include "domain/region.h"
#include "projections/common/place.h"
#include "projections/common/row_change.h"
#include "projections/duties/obligation.h"
#include "projections/duties/parts.h"
#include "taizhang/duties/v1/queries.pb.h"

namespace taizhang::duties {
namespace {

using common::v1::SubjectKind;
using state::v1::Household;
using state::v1::HouseholdByPlace;
using state::v1::Pairing;
using state::v1::PairingByPlace;
using state::v1::Visit;
using state::v1::VoidedVisit;
using state::v1::Worker;
using v1::VisitsByPeriodRequest;
using v1::VisitsByPeriodResponse;

constexpr int kPeriodsMax = 400;

// A household's pairings that owe visits, with their helpers: read only when a visit to it is met.
// Copies: it outlives the visit in which they are found.
struct Helped {
  Helped(const Snapshot& snapshot, const std::string& id) : household(snapshot.get<Household>(id)) {
    const Place place = place_of(household.region());
    snapshot.scan<PairingByPlace>(
        [&](const PairingByPlace& entry) {
          const auto& pairing = snapshot.get<Pairing>(entry.pairing_id());
          if (!is_household_kind(pairing.kind())) return;
          const bool by_worker = pairing.helper().kind() == common::v1::SUBJECT_KIND_WORKER;
          const auto* worker = by_worker ? snapshot.find<Worker>(pairing.helper().id()) : nullptr;
          helpers.push_back({pairing, worker ? std::optional(*worker) : std::nullopt});
        },
        place.township, place.village, common::v1::SUBJECT_KIND_HOUSEHOLD, id);
  }

  struct Helper {
    Pairing pairing;
    std::optional<Worker> worker;
  };
  Household household;
  std::vector<Helper> helpers;
};

class Tally {
 public:
  Tally(const Snapshot& snapshot, const VisitsByPeriodRequest& request, DayRange days)
      : snapshot_(snapshot), request_(request), days_(days), judge_(snapshot) {}

  void add_households() {
    if (!request_.household_id().empty()) {
      const auto& household = snapshot_.get<Household>(request_.household_id());
      if (region_within(household.region(), request_.region()))
        add_household(request_.household_id());
      return;
    }
    with_place_prefix(request_.region(), [&](const auto&... parts) {
      snapshot_.scan<HouseholdByPlace>(
          [&](const HouseholdByPlace& entry) {
            if (Place{entry.township(), entry.village()}.is_within(request_.region())) {
              add_household(entry.household_id());
            }
          },
          parts...);
    });
  }

  // Visits to villages, organisations or workers: few beside those to households.
  void add_others(SubjectKind kind) {
    snapshot_.scan<Visit>(
        [&](const Visit& visit) {
          if (!days_.contains(visit.day())) return;
          if (!stands_for_visit(visit, request_.worker_id())) return;
          if (!region_within(region_of(visit), request_.region())) return;
          if (snapshot_.has<VoidedVisit>(visit.visit_id())) return;
          group_of(visit).add(visit);
        },
        kind);
  }

  VisitsByPeriodResponse response() const {
    VisitsByPeriodResponse response;
    for (const auto& [key, group] : groups_) {
      const auto& [period_first, kind, channel] = key;
      auto& row = *response.add_rows();
      *row.mutable_period_first() = date_of(period_first);
      *row.mutable_period_last() = date_of(period_of(request_.period(), period_first).last);
      row.set_visited_kind(kind);
      row.set_channel(channel);
      row.set_visits(group.visits);
      row.set_counted(group.counted);
      row.set_undecided(group.undecided);
      row.set_version(*group.newest.rbegin());
      for (auto seq = group.newest.rbegin(); seq != group.newest.rend(); ++seq) {
        add_event_id(snapshot_, *seq, row);
      }
    }
    return response;
  }

 private:
  struct Group {
    void add(const Visit& visit) {
      ++visits;
      newest.insert(visit.seq());
      if (newest.size() > size_t{kAggregateEventIdsMax}) newest.erase(newest.begin());
    }
    int32_t visits = 0;
    int32_t counted = 0;
    int32_t undecided = 0;
    std::set<int64_t> newest;
  };

  Group& group_of(const Visit& visit) {
    return groups_[{period_of(request_.period(), visit.day()).first, visit.visited_kind(),
                    visit.channel()}];
  }

  std::string_view region_of(const Visit& visit) const {
    switch (visit.visited_kind()) {
      case common::v1::SUBJECT_KIND_VILLAGE: return visit.visited_id();
      case common::v1::SUBJECT_KIND_ORGANISATION:
        return snapshot_.get<state::v1::Organisation>(visit.visited_id()).region();
      case common::v1::SUBJECT_KIND_WORKER:
        return snapshot_.get<Worker>(visit.visited_id()).region();
      default: return {};
    }
  }

  void add_household(const std::string& id) {
    std::optional<Helped> helped;
    each_visit(snapshot_, common::v1::SUBJECT_KIND_HOUSEHOLD, id, days_, request_.worker_id(),
               [&](const Visit& visit) {
                 if (!helped) helped.emplace(snapshot_, id);
                 auto& group = group_of(visit);
                 group.add(visit);
                 count(*helped, visit, group);
               });
  }

  // It counts when it counts for one pairing at least.
  void count(const Helped& helped, const Visit& visit, Group& group) const {
    const auto* status = status_on(helped.household, visit.day());
    bool undecided = false;
    for (const auto& [pairing, worker] : helped.helpers) {
      if (!covers(pairing.from_day(), pairing.to_day(), visit.day(), visit.day())) continue;
      const Facts facts{pairing.kind(), rank_on(worker ? &*worker : nullptr, visit.day()),
                        status ? std::string_view(status->status()) : std::string_view(),
                        helped.household.region(), visit.day()};
      const auto counts = judge_.counts(facts, visit.channel());
      if (counts.value_or(false)) {
        ++group.counted;
        return;
      }
      undecided = undecided || !counts;
    }
    if (undecided) ++group.undecided;
  }

  const Snapshot& snapshot_;
  const VisitsByPeriodRequest& request_;
  const DayRange days_;
  const Judge judge_;
  std::map<std::tuple<int32_t, SubjectKind, assistance::v1::VisitChannel>, Group> groups_;
};

Result<VisitsByPeriodResponse> visits_by_period(const Snapshot& snapshot,
                                                const VisitsByPeriodRequest& request) {
  const int32_t from =
      request.has_from_date() ? day_of(request.from_date()) : snapshot.effective_day();
  const int32_t to = request.has_to_date() ? day_of(request.to_date()) : snapshot.effective_day();
  if (from > to)
    return invalid_field("from_date", "must not be after to_date or the effective date");
  DayRange period = period_of(request.period(), to);
  const int32_t last = period.last;
  for (int periods = 1; period.first > from; ++periods) {
    if (periods == kPeriodsMax)
      return invalid_field("to_date", "must be at most 400 periods after from_date");
    period = period_before(request.period(), period);
  }
  Tally tally(snapshot, request, {period.first, std::min(last, snapshot.effective_day())});
  tally.add_households();
  if (request.household_id().empty()) {
    tally.add_others(common::v1::SUBJECT_KIND_VILLAGE);
    tally.add_others(common::v1::SUBJECT_KIND_ORGANISATION);
    tally.add_others(common::v1::SUBJECT_KIND_WORKER);
  }
  return tally.response();
}

}  // namespace

void answer_visits_by_period(View& view) { view.query(visits_by_period); }

}  // namespace taizhang::duties
