// What is asked about fund lines and the money that comes and goes.
#include "taizhang/funds/state/v1/state.pb.h"
#include "tests/support/funds_commands.h"
#include "tests/support/random_commands.h"

namespace taizhang::test {

using common::v1::SUBJECT_KIND_HOUSEHOLD;
using common::v1::SUBJECT_KIND_ORGANISATION;
using funds::state::v1::FundLine;

RandomBook::MessagePtr RandomBook::open_fund_line() {
  using namespace funds::v1;
  auto request =
      open_line(chance(95) ? fresh("line") : any("line"),
                chance(75) ? one_of({SOURCE_KIND_SELF_RAISED, SOURCE_KIND_SPECIAL_HELP_FUND})
                           : one_of({SOURCE_KIND_WON, SOURCE_KIND_DONATION, SOURCE_KIND_CENTRAL}));
  request.set_owner_org_id(id(known<registry::state::v1::Organisation>("org")));
  if (chance(10)) request.add_purposes("INDUSTRY");
  if (chance(30)) request.set_sector(one_of({"HOUSING", "AGRICULTURE"}));
  if (chance(20)) request.set_origin_line(id(chance(85) ? any("line") : std::string("no line")));
  if (chance(20)) request.set_raised_by_org_id(id(any("org")));
  return made(dated(request, chance(80) ? kReferenceDay : some_day()));
}

RandomBook::MessagePtr RandomBook::record_budget() {
  const std::string name = known<FundLine>("line");
  const auto& line = book_->get<FundLine>(id(name));
  const auto nature = chance(40) ? funds::v1::BUDGET_NATURE_ISSUED : funds::v1::BUDGET_NATURE_PLAN;
  auto request = test::record_budget(chance(95) ? fresh("budget") : any("budget"), name,
                                     between(1, 2'000'000), nature);
  if (nature == funds::v1::BUDGET_NATURE_ISSUED && chance(80)) {
    request.set_amount_fen(request.amount_fen() + line.arrived_fen());
  }
  if (chance(20)) {
    request.mutable_per_head()->set_role("FIRST_SECRETARY");
    request.mutable_per_head()->set_heads(between(1, 3));
    if (chance(75)) request.set_amount_fen(1'790'000 * request.per_head().heads());
  }
  if (chance(3)) request.set_amount_fen(-1);
  state_version(request, line.version());
  return made(
      dated(request, chance(95) ? day_from(std::max(line.from_day(), 20170101)) : kReferenceDay));
}

RandomBook::MessagePtr RandomBook::record_arrival() {
  const std::string name = known<FundLine>("line");
  const auto& line = book_->get<FundLine>(id(name));
  const std::string arrival = chance(95) ? fresh("arrival") : any("arrival");
  int64_t amount = between(1, 3'000'000);
  if (line.issued_budgets() > 0 && line.budgeted_fen() > line.arrived_fen() && chance(80)) {
    amount = std::min(amount, line.budgeted_fen() - line.arrived_fen());
  }
  auto request = test::record_arrival(
      arrival, name, amount,
      chance(95) ? day_from(std::max(line.from_day(), 20170101)) : kReferenceDay);
  if (chance(8)) request.set_bank_reference(any("arrival"));
  if (chance(10)) *request.mutable_donor() = any_subject(SUBJECT_KIND_ORGANISATION);
  if (chance(2)) request.set_asset_income_id(id("income"));
  state_version(request, line.version());
  return made(request);
}

RandomBook::MessagePtr RandomBook::spend_directly() {
  const std::string name = where<FundLine>(
      "line", [](const FundLine& row) { return row.arrived_fen() > row.paid_fen(); });
  const auto& line = book_->get<FundLine>(id(name));
  const int64_t cash = line.arrived_fen() - line.paid_fen();
  const int64_t amount =
      1 + static_cast<int64_t>(below(static_cast<uint64_t>(std::max<int64_t>(cash, 1)))) / 4;
  const std::string payment = chance(95) ? fresh("payment") : any("payment");
  const int32_t day = chance(95) ? day_from(std::max(line.from_day(), 20170101)) : kReferenceDay;
  auto request = spend(payment, name, chance(94) ? amount : cash + between(1, 9), day);
  if (chance(25)) {
    const bool gift = chance(50);
    const auto bought =
        quantity(between(1, 3), gift ? common::v1::UNIT_HOUSEHOLD : common::v1::UNIT_MU);
    request = spend_at(payment, name, gift ? "FESTIVAL_GIFT_HOUSEHOLD" : "TERRACE",
                       gift ? 30'000 : 50'000, bought);
    *request.mutable_paid_date() = date_of(day);
    switch (below(12)) {
      case 0: request.set_amount_fen(request.amount_fen() + 1); break;
      case 1: request.mutable_price()->mutable_quantity()->set_unit(common::v1::UNIT_PERSON); break;
      case 2:
        request.mutable_price()->set_unit_price_fen(40'000);
        request.set_amount_fen(40'000 * bought.milli() / 1'000);
        break;
      case 3: request.mutable_price()->mutable_quantity()->set_milli(0); break;
      default: break;
    }
  }
  if (chance(50))
    request.mutable_payee()->mutable_label()->set_text("shop");
  else
    *request.mutable_payee()->mutable_subject() =
        any_subject(chance(50) ? SUBJECT_KIND_ORGANISATION : SUBJECT_KIND_HOUSEHOLD);
  request.set_region(chance(85) ? any_village() : std::string(kCounty));
  request.set_approved_by(id(any("worker")));
  switch (below(30)) {
    case 0: request.set_project_id(id("project")); break;
    case 1: request.set_purpose("OFFICE"); break;
    case 2: request.clear_evidence(); break;
    case 3: request.set_amount_fen(0); break;
    case 4: request.set_amount_fen(2'000'000'000'000'000); break;
    case 5: request.set_approved_by(id("worker " + std::to_string(between(0, 3)))); break;
    default: break;
  }
  state_version(request, line.version());
  return made(request);
}

}  // namespace taizhang::test
