// A small county for tests of people, and the commands of the registry, complete and acceptable;
// each test changes what it is about.
//
// Things are named by short words; id() makes their ids. The effective date is the scenario's, or
// that of dated().
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "domain/dates.h"
#include "taizhang/registry/v1/commands.pb.h"
#include "tests/support/book_rows.h"
#include "tests/support/scenario.h"

namespace taizhang::test {

inline constexpr std::string_view kCounty = "990101";
inline constexpr std::string_view kGroup = "990101100201001";  // of kVillageJ

// Regions, and the codes that registry and assistance ask for. No parameters. Needs register_rules.
void give_county(Scenario& book);

// A valid number: born on `birth_day`, the `order`-th (0-999) of that day. 99 is a synthetic
// province.
std::string citizen_number(int order, int32_t birth_day = 19700301,
                           std::string_view county = kCounty);
// A valid credit code of 990101 with these eight characters of an organisation code.
std::string credit_code(std::string_view code8 = "MA7AB0X1");

// The same with another effective date, for commands without a date of their own.
template <class Request>
Request dated(Request request, int32_t day) {
  *request.mutable_context()->mutable_effective_date() = date_of(day);
  return request;
}

registry::v1::RegisterOrganisationRequest register_organisation(
    std::string_view name,
    registry::v1::OrganisationKind kind = registry::v1::ORGANISATION_KIND_PAIRING_UNIT);
// Of organisation "unit"; without a citizen number.
registry::v1::RegisterWorkerRequest register_worker(std::string_view name);
// In kVillageJ; `members` persons "<name>-0" (the head), "<name>-1" …, with numbers of orders from
// `first_order` on.
registry::v1::RegisterHouseholdRequest register_household(std::string_view name, int members = 1,
                                                          int first_order = 0);
// `to_day` 0: open.
registry::v1::LoadHouseholdStatusRequest load_status(std::string_view household,
                                                     std::string_view status, int32_t from_day,
                                                     int32_t to_day = 0);

}  // namespace taizhang::test
