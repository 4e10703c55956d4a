// What stands in a book before a test of money or assets begins: places, people and organisations;
// and the small parts its commands are made of. Things are named by short words; id() makes their
// ids. All are there from 2012-01-01 on.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "domain/dates.h"
#include "domain/uuid.h"
#include "taizhang/common/v1/values.pb.h"
#include "taizhang/registry/state/v1/state.pb.h"
#include "taizhang/rules/state/v1/state.pb.h"
#include "tests/support/reference_data.h"
#include "tests/support/scenario.h"

namespace taizhang::test {

inline constexpr std::string_view kTown = "990101100";
inline constexpr std::string_view kVillageJ = "990101100201";
inline constexpr std::string_view kVillageD = "990101100202";

inline std::string id(std::string_view name) {
  return uuid_v5("0f8fad5b-d9cb-469f-a165-70867728950e", name);
}

inline common::v1::SubjectRef subject(common::v1::SubjectKind kind, std::string_view subject_id) {
  common::v1::SubjectRef ref;
  ref.set_kind(kind);
  ref.set_id(std::string(subject_id));
  return ref;
}

inline common::v1::DocumentRef document(std::string_view name, std::string_view kind = "RECEIPT") {
  common::v1::DocumentRef ref;
  ref.set_document_id(id(name));
  ref.set_kind(std::string(kind));
  ref.set_title(std::string(name));
  return ref;
}

inline common::v1::Quantity quantity(int64_t whole, common::v1::Unit unit) {
  common::v1::Quantity result;
  result.set_milli(whole * 1'000);
  result.set_unit(unit);
  return result;
}

// A changed copy: with(spend("p", "line"), [](auto& c) { c.clear_evidence(); }).
template <class Message, class Change>
Message with(Message message, const Change& change) {
  change(message);
  return message;
}

// An empty row. Its table becomes known by the type here, not by the passing row that is given.
template <class Row>
Row new_row() {
  row_type<Row>();
  return Row();
}

// A parameter of which nothing is known, in place of what was there.
inline rules::state::v1::Parameter unknown_parameter(std::string_view key) {
  auto row = new_row<rules::state::v1::Parameter>();
  row.set_key(std::string(key));
  return row;
}

inline registry::state::v1::Organisation organisation_row(std::string_view name,
                                                          std::string_view region = "990101") {
  auto row = new_row<registry::state::v1::Organisation>();
  row.set_org_id(id(name));
  row.set_region(std::string(region));
  row.set_from_day(kReferenceDay);
  return row;
}

inline registry::state::v1::Worker worker_row(std::string_view name) {
  auto row = new_row<registry::state::v1::Worker>();
  row.set_worker_id(id(name));
  row.set_from_day(kReferenceDay);
  return row;
}

inline registry::state::v1::Person person_row(std::string_view name) {
  auto row = new_row<registry::state::v1::Person>();
  row.set_person_id(id(name));
  row.set_from_day(kReferenceDay);
  return row;
}

inline registry::state::v1::Household household_row(std::string_view name,
                                                    std::string_view village) {
  auto row = new_row<registry::state::v1::Household>();
  row.set_household_id(id(name));
  row.set_region(std::string(village));
  row.set_from_day(kReferenceDay);
  return row;
}

// County 990101, town, villages J and D, and group 001 of J; organisations "unit" and "firm" of the
// county, "village office" of D; workers "approver" and "checker"; person "villager"; household
// "family" in D; the document kinds.
inline void give_people_and_places(Scenario& book) {
  book.given(region_created("990101"), region_created(kTown), region_created(kVillageJ),
             region_created(kVillageD), region_created(std::string(kVillageJ) + "001"),
             code_list("document_kind", {"RECEIPT", "BUDGET", "LIST", "CERTIFICATE"}));
  book.given_row(organisation_row("unit")).given_row(organisation_row("firm"));
  book.given_row(organisation_row("village office", kVillageD));
  book.given_row(worker_row("approver")).given_row(worker_row("checker"));
  book.given_row(person_row("villager")).given_row(household_row("family", kVillageD));
}

}  // namespace taizhang::test
