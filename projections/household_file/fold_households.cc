// Households, their members and statuses; persons; names of regions.
#include "domain/dates.h"
#include "projections/common/place.h"
#include "projections/household_file/parts.h"
#include "projections/household_file/timeline.h"
#include "taizhang/registry/v1/events.pb.h"
#include "taizhang/rules/v1/events.pb.h"

namespace taizhang::household_file {
namespace {

using registry::v1::HouseholdRegistered;
using registry::v1::HouseholdStatusLoaded;
using registry::v1::MemberAdded;
using registry::v1::PersonRegistered;
using state::v1::Household;

void fold(Ledger& rows, const EventMeta&, const rules::v1::RegionCreated& event) {
  rows.edit<state::v1::Region>(event.region()).set_name(event.name());
}

void fold(Ledger& rows, const EventMeta& meta, const HouseholdRegistered& event) {
  auto& household = rows.edit<Household>(event.household_id());
  household.set_region(event.region());
  if (event.has_group_no()) household.set_group_no(event.group_no());
  household.set_head_person_id(event.head_person_id());
  if (event.has_contact()) *household.mutable_contact() = event.contact();
  household.set_from_day(meta.effective_day);
  household.set_registered_seq(meta.seq);
  const Place place = place_of(event.region());
  rows.edit<state::v1::HouseholdByPlace>(place.township, place.village, event.household_id());

  auto& registered = *enter_timeline(rows, meta, event.household_id()).mutable_registered();
  registered.set_region(event.region());
  if (event.has_group_no()) registered.set_group_no(event.group_no());
  registered.set_head_person_id(event.head_person_id());
}

void fold(Ledger& rows, const EventMeta& meta, const PersonRegistered& event) {
  auto& person = rows.edit<state::v1::Person>(event.person_id());
  *person.mutable_identity() = event.identity();
  person.set_sex(event.sex());
  person.set_ethnic(event.ethnic());
  person.set_education(event.education());
  person.set_registered_seq(meta.seq);
  if (!event.citizen_index().empty()) {
    rows.edit<state::v1::PersonByCitizen>(event.citizen_index()).set_person_id(event.person_id());
  }
}

void fold(Ledger& rows, const EventMeta& meta, const MemberAdded& event) {
  auto& member = rows.edit<state::v1::Member>(event.household_id(), event.person_id());
  member.set_relation(event.relation());
  member.set_is_head(event.is_head());
  member.set_from_day(meta.effective_day);
  member.set_seq(meta.seq);
  auto& household = rows.edit<Household>(event.household_id());
  household.set_members(household.members() + 1);
  auto& membership = *rows.edit<state::v1::Person>(event.person_id()).add_memberships();
  membership.set_household_id(event.household_id());
  membership.set_from_day(meta.effective_day);

  auto& added = *enter_timeline(rows, meta, event.household_id()).mutable_member_added();
  added.set_person_id(event.person_id());
  added.set_relation(event.relation());
  added.set_is_head(event.is_head());
}

// Keeps the statuses by from_day: a load may bring earlier ones than those known.
void insert_status(Household& household, Household::Status status) {
  auto& statuses = *household.mutable_statuses();
  *statuses.Add() = std::move(status);
  for (int i = statuses.size() - 1; i > 0; --i) {
    if (statuses[i - 1].from_day() <= statuses[i].from_day()) break;
    statuses.SwapElements(i - 1, i);
  }
}

void fold(Ledger& rows, const EventMeta& meta, const HouseholdStatusLoaded& event) {
  auto& household = rows.edit<Household>(event.household_id());
  auto& loaded = *enter_timeline(rows, meta, event.household_id()).mutable_statuses_loaded();
  loaded.set_document_id(event.document().document_id());
  for (const auto& period : event.periods()) {
    Household::Status status;
    status.set_status(period.status());
    status.set_from_day(day_of(period.from_date()));
    status.set_to_day(period.has_to_date() ? day_of(period.to_date()) : 0);
    status.set_seq(meta.seq);
    insert_status(household, std::move(status));

    auto& shown = *loaded.add_periods();
    shown.set_status(period.status());
    *shown.mutable_from_date() = period.from_date();
    if (period.has_to_date()) *shown.mutable_to_date() = period.to_date();
  }
}

}  // namespace

void take_households(View& view) {
  view.on<rules::v1::RegionCreated>(fold)
      .on<HouseholdRegistered>(fold)
      .on<PersonRegistered>(fold)
      .on<MemberAdded>(fold)
      .on<HouseholdStatusLoaded>(fold);
}

}  // namespace taizhang::household_file
