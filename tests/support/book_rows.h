// What stands in a book before a test of money or assets begins: regions, codes, parameters, organisations, people, as
// rows of state, so that such a test needs no other context.
//
// Things are named by short words; id() makes their ids. All of it is valid from 2012-01-01.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "domain/dates.h"
#include "domain/parameter.h"
#include "domain/uuid.h"
#include "taizhang/common/v1/values.pb.h"
#include "taizhang/registry/state/v1/state.pb.h"
#include "taizhang/rules/state/v1/state.pb.h"
#include "tests/support/scenario.h"

namespace taizhang::test {

inline constexpr int32_t kSince = 20120101;
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

inline rules::state::v1::Region region_row(std::string_view code) {
  rules::state::v1::Region row;
  row.set_region(std::string(code));
  row.set_from_day(kSince);
  return row;
}

inline rules::state::v1::Code code_row(std::string_view list, std::string_view code, std::string_view of_class = "") {
  rules::state::v1::Code row;
  row.set_list_id(std::string(list));
  row.set_code(std::string(code));
  auto& validity = *row.add_validities();
  validity.set_from_day(kSince);
  validity.set_class_(std::string(of_class));
  return row;
}

using Scope = std::initializer_list<std::pair<std::string, std::string>>;

// A parameter without a version: missing, or no rule.
inline rules::state::v1::Parameter parameter_row(
    std::string_view key, rules::v1::WhenMissing when_missing = rules::v1::WHEN_MISSING_CANNOT_DECIDE) {
  rules::state::v1::Parameter row;
  row.set_key(std::string(key));
  row.set_resolution(rules::v1::RESOLUTION_MOST_SPECIFIC);
  row.set_when_missing(when_missing);
  return row;
}

inline void add_version(rules::state::v1::Parameter& row, const rules::v1::ParameterValue& value, Scope scope = {}) {
  auto& setting = *row.add_settings();
  setting.set_number(row.settings_size());
  setting.set_from_day(kSince);
  *setting.mutable_value() = value;
  for (const auto& [dimension, code] : scope) {
    auto& part = *setting.add_scope();
    part.set_dimension(dimension);
    part.set_code(code);
  }
}

inline rules::v1::ParameterValue flag(bool value) {
  rules::v1::ParameterValue result;
  result.set_flag(value);
  return result;
}

inline rules::v1::ParameterValue days(int32_t value) {
  rules::v1::ParameterValue result;
  result.set_days(value);
  return result;
}

inline rules::v1::ParameterValue rate(int64_t fen, common::v1::Unit unit,
                                      rules::v1::Rate::Mode mode = rules::v1::Rate::MODE_EXACT) {
  rules::v1::ParameterValue result;
  result.mutable_rate()->set_fen(fen);
  result.mutable_rate()->set_unit(unit);
  result.mutable_rate()->set_mode(mode);
  return result;
}

inline registry::state::v1::Organisation organisation_row(std::string_view name, std::string_view region = "990101") {
  registry::state::v1::Organisation row;
  row.set_org_id(id(name));
  row.set_region(std::string(region));
  row.set_from_day(kSince);
  return row;
}

inline registry::state::v1::Worker worker_row(std::string_view name) {
  registry::state::v1::Worker row;
  row.set_worker_id(id(name));
  row.set_from_day(kSince);
  return row;
}

inline registry::state::v1::Person person_row(std::string_view name) {
  registry::state::v1::Person row;
  row.set_person_id(id(name));
  row.set_from_day(kSince);
  return row;
}

inline registry::state::v1::Household household_row(std::string_view name, std::string_view village) {
  registry::state::v1::Household row;
  row.set_household_id(id(name));
  row.set_region(std::string(village));
  row.set_from_day(kSince);
  return row;
}

// County 990101, town, villages J and D, and group 001 of J; organisations "unit", "village office", "firm"; workers
// "approver", "checker"; person "villager"; household "family" in D; the document kinds.
inline void give_people_and_places(Scenario& book) {
  for (const auto& region : {std::string("990101"), std::string(kTown), std::string(kVillageJ), std::string(kVillageD),
                            std::string(kVillageJ) + "001"}) {
    book.given_row(region_row(region));
  }
  book.given_row(organisation_row("unit")).given_row(organisation_row("firm"));
  book.given_row(organisation_row("village office", kVillageD));
  book.given_row(worker_row("approver")).given_row(worker_row("checker"));
  book.given_row(person_row("villager")).given_row(household_row("family", kVillageD));
  for (const auto* kind : {"RECEIPT", "BUDGET", "LIST", "CERTIFICATE"}) {
    book.given_row(code_row("document_kind", kind));
  }
}

}  // namespace taizhang::test
