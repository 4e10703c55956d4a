// A household's page.
#include <algorithm>
#include <map>
#include <vector>

#include "domain/dates.h"
#include "projections/common/row_change.h"
#include "projections/household_file/answers.h"
#include "projections/household_file/parts.h"
#include "taizhang/household_file/v1/queries.pb.h"

namespace taizhang::household_file {
namespace {

using v1::SheetRequest;
using v1::SheetResponse;

void add_members(const Snapshot& snapshot, const std::string& household_id, SheetResponse& sheet) {
  std::vector<state::v1::Member> members;
  snapshot.scan<state::v1::Member>(
      [&](const state::v1::Member& member) {
        if (member.from_day() <= snapshot.effective_day()) members.push_back(member);
      },
      household_id);
  std::sort(members.begin(), members.end(), [](const auto& a, const auto& b) {
    return a.is_head() != b.is_head() ? a.is_head() : a.seq() < b.seq();
  });
  for (const auto& row : members) {
    auto& member = *sheet.add_members();
    *member.mutable_person() = shown(snapshot, snapshot.get<state::v1::Person>(row.person_id()));
    member.set_relation(row.relation());
    member.set_is_head(row.is_head());
    *member.mutable_from_date() = date_of(row.from_day());
    member.set_version(row.version());
    add_event_id(snapshot, row.seq(), member);
  }
}

void add_pairings(const Snapshot& snapshot, const std::string& household_id, SheetResponse& sheet) {
  snapshot.scan<state::v1::PairingOfHousehold>(
      [&](const state::v1::PairingOfHousehold& entry) {
        const auto& pairing = snapshot.get<state::v1::Pairing>(entry.pairing_id());
        const DayRange days{pairing.from_day(),
                            pairing.to_day() == 0 ? kOpenDay : pairing.to_day()};
        if (days.contains(snapshot.effective_day()))
          *sheet.add_pairings() = shown(snapshot, pairing);
      },
      household_id);
}

// Visits of the calendar year up to the effective date. Voided ones have left the timeline.
void add_visits(const Snapshot& snapshot, const std::string& household_id, SheetResponse& sheet) {
  constexpr int32_t kYear = 10'000;
  const int32_t before_year = snapshot.effective_day() / kYear * kYear;
  std::map<int, v1::ChannelVisits> channels;
  snapshot.scan_after<state::v1::TimelineEntry>(
      make_key(household_id, before_year, 0),
      [&](const state::v1::TimelineEntry& entry) {
        if (entry.day() > snapshot.effective_day()) return false;
        if (!entry.detail().has_visit_made()) return true;
        const auto channel = entry.detail().visit_made().channel();
        auto& visits = channels[channel];
        visits.set_channel(channel);
        visits.set_visits(visits.visits() + 1);
        visits.set_version(std::max(visits.version(), entry.seq()));
        if (visits.event_ids_size() < kAggregateEventIdsMax)
          add_event_id(snapshot, entry.seq(), visits);
        return true;
      },
      household_id);
  for (auto& [channel, visits] : channels) *sheet.add_visits_this_year() = std::move(visits);
}

void add_open_issues(const Snapshot& snapshot, const std::string& household_id,
                     SheetResponse& sheet) {
  const int32_t day = snapshot.effective_day();
  snapshot.scan<state::v1::IssueOfSubject>(
      [&](const state::v1::IssueOfSubject& entry) {
        const auto& row = snapshot.get<state::v1::Issue>(entry.issue_id());
        if (row.raised_day() > day) return;
        auto issue = shown(snapshot, row, day);
        if (issue.state() != v1::ISSUE_STATE_RESOLVED) *sheet.add_open_issues() = std::move(issue);
      },
      common::v1::SUBJECT_KIND_HOUSEHOLD, household_id);
}

Result<SheetResponse> sheet(const Snapshot& snapshot, const SheetRequest& request) {
  const auto* household = active_household(snapshot, request.household_id());
  if (!household) return household_not_found(request.household_id());
  SheetResponse sheet;
  *sheet.mutable_household() = shown(snapshot, *household);
  add_members(snapshot, request.household_id(), sheet);
  for (const auto& status : household->statuses()) *sheet.add_statuses() = shown(snapshot, status);
  sheet.set_status(status_on(*household, snapshot.effective_day()));
  add_pairings(snapshot, request.household_id(), sheet);
  add_visits(snapshot, request.household_id(), sheet);
  add_open_issues(snapshot, request.household_id(), sheet);
  return sheet;
}

}  // namespace

void answer_sheet(View& view) { view.query(sheet); }

}  // namespace taizhang::household_file
