// Who a citizen number belongs to. The number stands in the request only: rows hold its blind
// index.
#include "domain/citizen_number.h"
#include "projections/household_file/answers.h"
#include "projections/household_file/parts.h"
#include "taizhang/household_file/v1/queries.pb.h"

namespace taizhang::household_file {
namespace {

using v1::FindByCitizenNumberRequest;
using v1::FindByCitizenNumberResponse;

// Names neither the number nor its index.
Error person_not_found() {
  return not_found("PERSON_NOT_FOUND", "册内没有此公民身份号码的在户人员", "person", "");
}

// Null: a member of no household on the effective date.
const state::v1::Household* household_of(const Snapshot& snapshot,
                                         const state::v1::Person& person) {
  const auto& memberships = person.memberships();
  for (int i = memberships.size() - 1; i >= 0; --i) {
    if (memberships[i].from_day() > snapshot.effective_day()) continue;
    return active_household(snapshot, memberships[i].household_id());
  }
  return nullptr;
}

Result<FindByCitizenNumberResponse> find(const Snapshot& snapshot,
                                         const FindByCitizenNumberRequest& request) {
  const auto number = parse_citizen_number(request.citizen_number());
  if (!number) return invalid_field("citizen_number", "is not a citizen number");
  const auto* entry =
      snapshot.find<state::v1::PersonByCitizen>(snapshot.blind_index(number->number));
  if (!entry) return person_not_found();
  const auto& person = snapshot.get<state::v1::Person>(entry->person_id());
  const auto* household = household_of(snapshot, person);
  if (!household) return person_not_found();

  FindByCitizenNumberResponse response;
  *response.mutable_person() = shown(snapshot, person);
  *response.mutable_household() = shown(snapshot, *household);
  const auto& member =
      snapshot.get<state::v1::Member>(household->household_id(), person.person_id());
  response.set_relation(member.relation());
  response.set_is_head(member.is_head());
  return response;
}

}  // namespace

void answer_citizens(View& view) { view.query(find); }

}  // namespace taizhang::household_file
