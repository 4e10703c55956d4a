// What is asked about people and organisations.
#include "tests/support/random_commands.h"

namespace taizhang::test {

RandomBook::MessagePtr RandomBook::register_organisation() {
  using namespace registry::v1;
  const std::string name = chance(95) ? fresh("org") : any("org");
  auto request = test::register_organisation(name);
  request.set_kind(static_cast<OrganisationKind>(between(1, 11)));
  if (chance(25)) request.set_kind(ORGANISATION_KIND_BRANCH);
  if (chance(40)) {
    char text[16];
    snprintf(text, sizeof text, "MA7%05d", chance(80) ? made_["credit code"]++ : between(0, 20));
    request.set_credit_code(credit_code(text));
    if (chance(20)) request.set_org_id("uscc:" + request.credit_code());
    if (chance(6))
      request.mutable_credit_code()->back() = request.credit_code().back() == '1' ? '2' : '1';
  }
  if (chance(30)) request.set_parent_org_id(id(any("org")));
  if (chance(4)) request.set_parent_org_id(request.org_id());
  if (chance(20)) request.set_accountable_worker_id(id(any("worker")));
  return made(dated(request, first_day()));
}

// Whoever has it already now and then.
std::string RandomBook::some_number() {
  const int order = chance(94) ? made_["citizen"]++ : between(0, std::max(0, made_["citizen"] - 1));
  std::string number = citizen_number(order % 1'000, add_days(19500101, order / 1'000 * 30));
  if (chance(3)) number.back() = number.back() == '1' ? '2' : '1';
  return number;
}

RandomBook::MessagePtr RandomBook::register_worker() {
  auto request = test::register_worker(chance(95) ? fresh("worker") : any("worker"));
  request.set_org_id(id(any("org")));
  if (chance(50)) request.mutable_identity()->set_citizen_number(some_number());
  if (chance(10))
    request.mutable_identity()->set_citizen_number(citizen_number(between(0, 5), 19600101));
  if (chance(15)) request.set_village(any_village());
  if (chance(3)) request.set_village(std::string(kTown));
  if (chance(5)) request.set_person_id(id(any("household") + "-0"));
  return made(dated(request, first_day()));
}

RandomBook::MessagePtr RandomBook::register_household() {
  auto request =
      test::register_household(chance(95) ? fresh("household") : any("household"), between(1, 4));
  for (auto& member : *request.mutable_members()) {
    member.mutable_identity()->set_citizen_number(some_number());
    if (chance(20)) {
      member.mutable_identity()->clear_citizen_number();
      *member.mutable_identity()->mutable_birth_date() = date_of(19700301);
    }
  }
  request.set_region(any_village());
  auto& last = *request.mutable_members(request.members_size() - 1);
  switch (below(40)) {
    case 0: request.set_region(std::string(kTown)); break;
    case 1: request.clear_members(); break;
    case 2: request.mutable_members(0)->set_is_head(false); break;
    case 3: last.set_is_head(true); break;
    case 4: *last.mutable_identity()->mutable_birth_date() = date_of(19710302); break;
    case 5:
      last.mutable_identity()->set_citizen_number(request.members(0).identity().citizen_number());
      break;
    case 6: last.set_person_id(id(any("household") + "-0")); break;
    case 7: last.mutable_identity()->Clear(); break;
    case 8: last.mutable_identity()->clear_citizen_number(); break;
    default: break;
  }
  return made(dated(request, first_day()));
}

RandomBook::MessagePtr RandomBook::load_household_status() {
  using registry::state::v1::Household;
  using registry::state::v1::HouseholdStatus;
  const std::string name = known<Household>("household");
  int32_t from = chance(80) ? 20120101 : 20150601;
  for (const auto& period : book_->get<HouseholdStatus>(id(name)).periods()) {
    if (chance(80) && period.to_day() != 0) from = std::max(from, add_days(period.to_day(), 1));
  }
  auto request = load_status(name, one_of({"POOR", "LIFTED", "UNSTABLE"}), from,
                             chance(60) ? add_days(from, between(0, 500)) : 0);
  if (request.periods(0).has_to_date() && chance(40)) {
    const int32_t second = add_days(day_of(request.periods(0).to_date()), between(0, 2));
    auto& period = *request.add_periods();
    period.set_status("LIFTED");
    *period.mutable_from_date() = date_of(second);
  }
  if (chance(4)) *request.mutable_periods(0)->mutable_from_date() = date_of(20170901);
  if (const auto* household = book_->find<Household>(id(name)))
    state_version(request, household->version());
  return made(dated(request, day_from(20171001)));
}

}  // namespace taizhang::test
