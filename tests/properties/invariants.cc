// What holds of every book at every moment.
#include "tests/properties/invariants.h"

#include <algorithm>
#include <map>
#include <set>

#include "domain/dates.h"
#include "services/common/names.h"
#include "services/common/parameters.h"
#include "taizhang/assets/state/v1/state.pb.h"
#include "taizhang/assistance/state/v1/state.pb.h"
#include "taizhang/assistance/v1/events.pb.h"
#include "taizhang/funds/state/v1/state.pb.h"
#include "taizhang/funds/v1/events.pb.h"
#include "taizhang/registry/state/v1/state.pb.h"

namespace taizhang::test {
namespace {

using assets::state::v1::Asset;
using assistance::state::v1::Issue;
using assistance::state::v1::Visit;
using assistance::state::v1::VisitKey;
using funds::state::v1::BalanceByUnitVillage;
using funds::state::v1::FundLine;
using registry::state::v1::Household;
using registry::state::v1::Person;

// Days of something that may be open; `to` 0 is open.
DayRange days(int32_t from, int32_t to) { return {from, to == 0 ? kOpenDay : to}; }

bool disjoint(std::vector<DayRange> ranges) {
  std::erase_if(ranges, [](const DayRange& range) { return range.last < range.first; });
  std::sort(ranges.begin(), ranges.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  for (size_t i = 1; i < ranges.size(); ++i) {
    if (ranges[i].first <= ranges[i - 1].last) return false;
  }
  return true;
}

std::string money_floors(MemoryBook& book) {
  return each<FundLine>(book, [](const Ledger&, const FundLine& line) -> std::string {
    if (line.paid_fen() < 0) return "paid is negative";
    if (line.paid_fen() > line.committed_fen()) return "more paid than committed";
    if (line.committed_fen() > line.allocated_fen()) return "more committed than allocated";
    if (line.allocated_fen() > std::max(line.budgeted_fen(), line.arrived_fen()))
      return "more allocated than there is";
    if (line.paid_fen() > line.arrived_fen()) return "more paid than arrived";
    if (line.issued_budgets() > 0 && line.arrived_fen() > line.budgeted_fen())
      return "more arrived than budgeted";
    return "";
  });
}

struct Sums {
  int64_t allocated = 0, committed = 0, paid = 0;
  bool operator==(const Sums&) const = default;
};

std::string lines_equal_villages(MemoryBook& book) {
  std::map<std::string, Sums> by_line, by_village;
  const auto add = [](Sums& sums, const auto& row) {
    sums.allocated += row.allocated_fen();
    sums.committed += row.committed_fen();
    sums.paid += row.paid_fen();
  };
  each<FundLine>(book, [&](const Ledger&, const FundLine& row) {
    add(by_line[row.owner_org_id()], row);
    return "";
  });
  each<BalanceByUnitVillage>(book, [&](const Ledger&, const BalanceByUnitVillage& row) {
    add(by_village[row.org_id()], row);
    return "";
  });
  for (const auto& [owner, sums] : by_line) {
    if (by_village[owner] != sums)
      return "the lines of " + owner + " and their villages do not agree";
  }
  return by_village.size() > by_line.size() ? "an owner without lines has village balances" : "";
}

// Every counter from the events alone, without any evolve.
std::string counters_equal_events(MemoryBook& book) {
  std::map<std::string, FundLine> lines;
  for (const auto& commit : book.commits()) {
    for (const auto& stored : commit.events) {
      if (stored.type == "funds.v1.BudgetRecorded") {
        funds::v1::BudgetRecorded event;
        event.ParseFromString(stored.bytes);
        auto& line = lines[event.fund_line_id()];
        if (event.nature() == funds::v1::BUDGET_NATURE_PLAN) {
          line.set_planned_fen(line.planned_fen() + event.amount_fen());
        } else {
          line.set_budgeted_fen(line.budgeted_fen() + event.amount_fen());
        }
      } else if (stored.type == "funds.v1.FundsArrived") {
        funds::v1::FundsArrived event;
        event.ParseFromString(stored.bytes);
        auto& line = lines[event.fund_line_id()];
        line.set_arrived_fen(line.arrived_fen() + event.amount_fen());
      } else if (stored.type == "funds.v1.FundsDisbursed") {
        funds::v1::FundsDisbursed event;
        event.ParseFromString(stored.bytes);
        auto& line = lines[event.fund_line_id()];
        line.set_paid_fen(line.paid_fen() + event.amount_fen());
      }
    }
  }
  return each<FundLine>(book, [&](const Ledger&, const FundLine& row) -> std::string {
    const auto& line = lines[row.fund_line_id()];
    const bool equal = line.budgeted_fen() == row.budgeted_fen() &&
                       line.planned_fen() == row.planned_fen() &&
                       line.arrived_fen() == row.arrived_fen() && line.paid_fen() == row.paid_fen();
    return equal ? "" : "its events add up to something else";
  });
}

std::string households_have_one_head(MemoryBook& book) {
  return each<Household>(book, [](const Ledger&, const Household& household) -> std::string {
    // Membership changes only on these days.
    std::set<int32_t> dates{household.from_day()};
    for (const auto& member : household.members()) {
      dates.insert(member.from_day());
      if (member.to_day() != 0) dates.insert(add_days(member.to_day(), 1));
    }
    for (const int32_t date : dates) {
      if (date < household.from_day()) return "a member before the household";
      int members = 0, heads = 0;
      for (const auto& member : household.members()) {
        if (!days(member.from_day(), member.to_day()).contains(date)) continue;
        ++members;
        heads += member.person_id() == household.head_person_id();
      }
      if (members == 0) return "no member on " + day_text(date);
      if (heads != 1) return std::to_string(heads) + " heads on " + day_text(date);
    }
    return "";
  });
}

std::string citizens_live_in_one_household(MemoryBook& book) {
  std::map<std::string, std::vector<DayRange>> by_citizen;
  std::string wrong = each<Person>(book, [&](const Ledger&, const Person& person) -> std::string {
    std::vector<DayRange> own;
    for (const auto& membership : person.memberships())
      own.push_back(days(membership.from_day(), membership.to_day()));
    auto& all =
        by_citizen[person.citizen_index().empty() ? person.person_id() : person.citizen_index()];
    all.insert(all.end(), own.begin(), own.end());
    return disjoint(own) ? "" : "in two households at once";
  });
  for (const auto& [citizen, ranges] : by_citizen) {
    if (wrong.empty() && !disjoint(ranges))
      wrong = "citizen " + citizen + " is in two households at once";
  }
  return wrong;
}

std::string pairings_are_disjoint(MemoryBook& book) {
  using assistance::state::v1::Pairing;
  std::map<std::string, std::vector<DayRange>> by_three;
  std::string wrong = each<Pairing>(book, [&](const Ledger&, const Pairing& row) -> std::string {
    by_three[row.helper().ShortDebugString() + row.helped().ShortDebugString() +
             std::to_string(row.kind())]
        .push_back(days(row.from_day(), row.to_day()));
    return row.to_day() == 0 || row.to_day() >= add_days(row.from_day(), -1)
               ? ""
               : "ended before it began";
  });
  for (const auto& [three, ranges] : by_three) {
    if (wrong.empty() && !disjoint(ranges)) wrong = "paired twice at once: " + three;
  }
  return wrong;
}

std::string statuses_are_disjoint(MemoryBook& book) {
  using registry::state::v1::HouseholdStatus;
  return each<HouseholdStatus>(book, [](const Ledger&, const HouseholdStatus& row) -> std::string {
    std::vector<DayRange> ranges;
    for (const auto& period : row.periods())
      ranges.push_back(days(period.from_day(), period.to_day()));
    return disjoint(ranges) ? "" : "two statuses at once";
  });
}

std::string parameter_versions_are_disjoint(MemoryBook& book) {
  using rules::state::v1::Parameter;
  return each<Parameter>(book, [](const Ledger&, const Parameter& row) -> std::string {
    std::map<std::string, std::vector<DayRange>> by_scope;
    for (const auto& setting : row.settings()) {
      std::string scope;
      for (const auto& part : setting.scope()) scope += part.dimension() + "=" + part.code() + ";";
      by_scope[scope].push_back(days(setting.from_day(), setting.to_day()));
    }
    const bool good = std::all_of(by_scope.begin(), by_scope.end(),
                                  [](const auto& one) { return disjoint(one.second); });
    return good ? "" : "two versions of one scope at once";
  });
}

std::string exact_parts_sum(MemoryBook& book) {
  return each<Asset>(book, [](const Ledger&, const Asset& asset) -> std::string {
    if (asset.value().qualifier() != common::v1::Figure::QUALIFIER_EXACT) return "";
    int64_t sum = 0;
    for (const auto& part : asset.parts()) sum += part.fen();
    return sum == asset.value().fen() ? "" : "its parts do not sum to its value";
  });
}

std::string titled_assets_were_checked(MemoryBook& book) {
  return each<Asset>(book, [](const Ledger&, const Asset& asset) -> std::string {
    return asset.state() < assets::state::v1::ASSET_STATE_TITLED || !asset.checks().empty()
               ? ""
               : "titled without a check";
  });
}

std::string handed_over_assets_are_held(MemoryBook& book) {
  return each<Asset>(book, [](const Ledger& ledger, const Asset& asset) -> std::string {
    if (asset.state() != assets::state::v1::ASSET_STATE_HANDED_OVER) return "";
    if (!asset.has_holder()) return "handed over to nobody";
    const auto rule =
        governing(ledger, "asset.manager_required",
                  {{"class", short_name(asset.asset_class())}, {"region", asset.region()}},
                  asset.handed_over_day());
    return rule.has_rule() && rule.value().flag() && !asset.has_manager() ? "nobody manages it"
                                                                          : "";
  });
}

std::string assets_have_one_open_offer(MemoryBook& book) {
  using assets::state::v1::Offer;
  std::map<std::string, std::string> open;
  std::string wrong = each<Offer>(book, [&](const Ledger&, const Offer& offer) -> std::string {
    if (offer.answer() != assets::v1::OFFER_DECISION_UNSPECIFIED) return "";
    for (const auto& asset_id : offer.asset_ids()) {
      if (!open.emplace(asset_id, offer.offer_id()).second)
        return "asset " + asset_id + " is in another open offer";
    }
    return "";
  });
  if (!wrong.empty()) return wrong;
  return each<Asset>(book, [&](const Ledger&, const Asset& asset) -> std::string {
    const auto offer = open.find(asset.asset_id());
    return asset.open_offer_id() == (offer == open.end() ? "" : offer->second)
               ? ""
               : "its open offer is another";
  });
}

std::string visit_keys_are_unique(MemoryBook& book) {
  int64_t visits = 0, keys = 0;
  std::string wrong =
      each<Visit>(book, [&](const Ledger& ledger, const Visit& visit) -> std::string {
        if (visit.voided() || visit.visited().kind() != common::v1::SUBJECT_KIND_HOUSEHOLD)
          return "";
        ++visits;
        const auto* key = ledger.find<VisitKey>(visit.visited().id(), visit.day(), visit.channel(),
                                                visit.lead_worker_id());
        return key && key->visit_id() == visit.visit_id() ? "" : "its key names another visit";
      });
  each<VisitKey>(book, [&](const Ledger&, const VisitKey&) {
    ++keys;
    return "";
  });
  if (wrong.empty() && keys != visits) wrong = "keys of visits that are not there";
  return wrong;
}

std::string open_issues_are_counted(MemoryBook& book) {
  using assistance::state::v1::IssueOpen;
  std::map<std::pair<int, std::string>, int64_t> open;
  each<Issue>(book, [&](const Ledger&, const Issue& issue) {
    open[{issue.subject().kind(), issue.subject().id()}] += issue.state() != Issue::STATE_RESOLVED;
    return "";
  });
  std::string wrong =
      each<IssueOpen>(book, [&](const Ledger&, const IssueOpen& row) -> std::string {
        const auto own = open.extract({row.subject_kind(), row.subject_id()});
        return (own.empty() ? 0 : own.mapped()) == row.count() ? ""
                                                               : "another number of issues is open";
      });
  return wrong.empty() && !open.empty() ? "issues of a subject that nothing counts" : wrong;
}

}  // namespace

const std::vector<Invariant>& invariants() {
  static const std::vector<Invariant> all = {
      {"money_floors", money_floors},
      {"lines_equal_villages", lines_equal_villages},
      {"counters_equal_events", counters_equal_events},
      {"households_have_one_head", households_have_one_head},
      {"citizens_live_in_one_household", citizens_live_in_one_household},
      {"pairings_are_disjoint", pairings_are_disjoint},
      {"statuses_are_disjoint", statuses_are_disjoint},
      {"parameter_versions_are_disjoint", parameter_versions_are_disjoint},
      {"exact_parts_sum", exact_parts_sum},
      {"titled_assets_were_checked", titled_assets_were_checked},
      {"handed_over_assets_are_held", handed_over_assets_are_held},
      {"assets_have_one_open_offer", assets_have_one_open_offer},
      {"visit_keys_are_unique", visit_keys_are_unique},
      {"open_issues_are_counted", open_issues_are_counted},
  };
  return all;
}

}  // namespace taizhang::test
