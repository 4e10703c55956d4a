// A payment: money that leaves a line, here spent directly by the unit whose own it is.
#include <algorithm>

#include "domain/money.h"
#include "domain/region.h"
#include "domain/uuid.h"
#include "platform/command/registry.h"
#include "services/common/names.h"
#include "services/common/parameters.h"
#include "services/common/references.h"
#include "services/common/same_actor.h"
#include "services/funds/aggregates.h"
#include "services/funds/line.h"
#include "taizhang/common/v1/errors.pb.h"
#include "taizhang/funds/v1/commands.pb.h"
#include "taizhang/funds/v1/errors.pb.h"
#include "taizhang/funds/v1/events.pb.h"

namespace taizhang::funds {
namespace {

using state::v1::Allocation;
using state::v1::BalanceByUnitVillage;
using state::v1::Commitment;
using state::v1::FundLine;
using state::v1::Payment;
using v1::FundsAllocated;
using v1::FundsCommitted;
using v1::FundsDisbursed;
using v1::SpendDirectlyRequest;

void validate(const SpendDirectlyRequest& command, Violations& found) {
  const bool project = command.target_case() == SpendDirectlyRequest::kProjectId;
  if ((project ? command.project_id() : command.region()).empty()) {
    found.add(common::v1::COMMON_REFUSAL_FIELD_REQUIRED, project ? "project_id" : "region",
              "one of project_id and region is required");
  }
  if (command.has_payee() && command.payee().payee_case() == v1::Payee::PAYEE_NOT_SET) {
    found.add(common::v1::COMMON_REFUSAL_FIELD_REQUIRED, "payee.subject",
              "one of subject and label is required");
  }
}

// The unit in which the ledger counts the item that day. An item without one is counted in any.
bool unit_fits(const Ledger& ledger, const v1::Price& price) {
  const auto* item = code_at(ledger, "price_item", price.item(), ledger.effective_day());
  return !item || item->class_().empty() || item->class_() == short_name(price.quantity().unit());
}

bool rate_fits(const rules::v1::Rate& rate, const v1::Price& price) {
  if (rate.unit() != price.quantity().unit()) return false;
  switch (rate.mode()) {
    case rules::v1::Rate::MODE_MIN: return price.unit_price_fen() >= rate.fen();
    case rules::v1::Rate::MODE_MAX: return price.unit_price_fen() <= rate.fen();
    default: return price.unit_price_fen() == rate.fen();
  }
}

// Price and rate of the amount; what was consulted goes into `event`.
std::optional<Refusal> check_price(const Ledger& ledger, const FundLine& line,
                                   const SpendDirectlyRequest& command, FundsCommitted& event) {
  if (!command.has_price()) return std::nullopt;
  const auto& price = command.price();
  if (!price_matches(price.unit_price_fen(), price.quantity().milli(), command.amount_fen())) {
    return refuse(v1::FUNDS_REFUSAL_PRICE_MISMATCH, "amount_fen");
  }
  auto facts = facts_of(line);
  facts.set("item", price.item());
  const auto rate = governing(ledger, "rate.amount", facts, ledger.effective_day());
  if (!rate.decided()) return parameter_missing(rate, "price");
  if (rate.has_rule() && !rate_fits(rate.value().rate(), price)) {
    return refuse(v1::FUNDS_REFUSAL_RATE_MISMATCH, "price.unit_price_fen");
  }
  event.set_computed_fen(command.amount_fen());
  rate.copy_uses(event.mutable_parameters_used());
  return std::nullopt;
}

// The three events of one payment, each with the balances it leaves.
Events spend(const FundLine& line, const SpendDirectlyRequest& command, FundsCommitted committed,
             FundsDisbursed disbursed) {
  const std::string allocation_id = uuid_v5(command.payment_id(), "allocation");
  const std::string commitment_id = uuid_v5(command.payment_id(), "commitment");
  const std::string village(village_of(command.region()));
  const int64_t amount = command.amount_fen();
  auto balances = balances_of(line);

  auto allocated = copy_inputs<FundsAllocated>(command);
  allocated.set_allocation_id(allocation_id);
  allocated.set_village(village);
  balances.set_allocated_fen(balances.allocated_fen() + amount);
  *allocated.mutable_balances() = balances;

  copy_inputs(command, committed);
  committed.set_commitment_id(commitment_id);
  auto& part = *committed.add_parts();
  part.set_allocation_id(allocation_id);
  part.set_amount_fen(amount);
  committed.set_village(village);
  balances.set_committed_fen(balances.committed_fen() + amount);
  *committed.mutable_balances() = balances;

  copy_inputs(command, disbursed);
  disbursed.set_commitment_id(commitment_id);
  disbursed.set_village(village);
  balances.set_paid_fen(balances.paid_fen() + amount);
  balances.set_cash_fen(balances.cash_fen() - amount);
  *disbursed.mutable_balances() = balances;

  Events events;
  events.add(std::move(allocated)).add(std::move(committed)).add(std::move(disbursed));
  return events;
}

Decision decide(const Ledger& ledger, const SpendDirectlyRequest& command) {
  const auto* line = ledger.find<FundLine>(command.fund_line_id());
  if (!line) return refuse(v1::FUNDS_REFUSAL_FUND_LINE_NOT_FOUND, "fund_line_id");
  if (auto no = version_mismatch(ledger, line->version())) return *no;
  const bool own = acts_as_worker(ledger, command.approved_by());
  if (auto no = same_actor(ledger, own, "approved_by")) return *no;
  if (ledger.effective_day() < line->from_day()) {
    return refuse(common::v1::COMMON_REFUSAL_DATE_ORDER_INVALID, "paid_date");
  }
  if (command.has_price() && !unit_fits(ledger, command.price())) {
    return refuse(common::v1::COMMON_REFUSAL_UNIT_MISMATCH, "price.quantity.unit");
  }

  FundsCommitted committed;
  FundsDisbursed disbursed;
  const auto direct =
      governing(ledger, "funds.direct_spending", facts_of(*line), ledger.effective_day());
  if (!direct.decided()) return parameter_missing(direct, "fund_line_id");
  if (direct.has_rule() && !direct.value().flag()) {
    return refuse(v1::FUNDS_REFUSAL_DIRECT_SPENDING_NOT_ALLOWED, "fund_line_id");
  }
  direct.copy_uses(disbursed.mutable_parameters_used());
  if (command.target_case() == SpendDirectlyRequest::kProjectId) {
    return refuse(v1::FUNDS_REFUSAL_PROJECT_NOT_FOUND, "project_id");
  }
  const auto& purposes = line->purposes();
  if (std::find(purposes.begin(), purposes.end(), command.purpose()) == purposes.end()) {
    return refuse(v1::FUNDS_REFUSAL_PURPOSE_NOT_ALLOWED, "purpose");
  }
  if (auto no = check_price(ledger, *line, command, committed)) return *no;
  if (command.evidence().empty()) return refuse(v1::FUNDS_REFUSAL_EVIDENCE_MISSING, "evidence");
  // In recorded order, whatever the dates: what is paid has arrived in the book.
  if (line->arrived_fen() - line->paid_fen() < command.amount_fen()) {
    return refuse(v1::FUNDS_REFUSAL_LINE_NOT_FUNDED, "amount_fen");
  }
  const auto& unit =
      ledger.get<BalanceByUnitVillage>(line->owner_org_id(), village_of(command.region()));
  if (!add_fen(unit.allocated_fen(), command.amount_fen())) {
    return refuse(common::v1::COMMON_REFUSAL_FIELD_INVALID, "amount_fen");
  }
  auto events = spend(*line, command, std::move(committed), std::move(disbursed));
  if (own) events.used_right(kSelfApprove);
  return events;
}

BalanceByUnitVillage& unit_balance(Ledger& ledger, const FundLine& line,
                                   const std::string& village) {
  return ledger.edit<BalanceByUnitVillage>(line.owner_org_id(), village);
}

void evolve(Ledger& ledger, const FundsAllocated& event) {
  auto& line = ledger.edit<FundLine>(event.fund_line_id());
  line.set_allocated_fen(line.allocated_fen() + event.amount_fen());
  auto& unit = unit_balance(ledger, line, event.village());
  unit.set_allocated_fen(unit.allocated_fen() + event.amount_fen());
  auto& allocation = ledger.edit<Allocation>(event.allocation_id());
  allocation.set_fund_line_id(event.fund_line_id());
  allocation.set_purpose(event.purpose());
  allocation.set_project_id(event.project_id());
  allocation.set_region(event.region());
  allocation.set_village(event.village());
  allocation.set_amount_fen(event.amount_fen());
}

void evolve(Ledger& ledger, const FundsCommitted& event) {
  auto& line = ledger.edit<FundLine>(event.fund_line_id());
  line.set_committed_fen(line.committed_fen() + event.amount_fen());
  auto& unit = unit_balance(ledger, line, event.village());
  unit.set_committed_fen(unit.committed_fen() + event.amount_fen());
  for (const auto& part : event.parts()) {
    auto& allocation = ledger.edit<Allocation>(part.allocation_id());
    allocation.set_committed_fen(allocation.committed_fen() + part.amount_fen());
  }
  auto& commitment = ledger.edit<Commitment>(event.commitment_id());
  commitment.set_fund_line_id(event.fund_line_id());
  *commitment.mutable_parts() = event.parts();
  *commitment.mutable_payee() = event.payee();
  commitment.set_village(event.village());
  commitment.set_amount_fen(event.amount_fen());
}

void evolve(Ledger& ledger, const FundsDisbursed& event) {
  auto& line = ledger.edit<FundLine>(event.fund_line_id());
  line.set_paid_fen(line.paid_fen() + event.amount_fen());
  auto& unit = unit_balance(ledger, line, event.village());
  unit.set_paid_fen(unit.paid_fen() + event.amount_fen());
  auto& commitment = ledger.edit<Commitment>(event.commitment_id());
  commitment.set_paid_fen(commitment.paid_fen() + event.amount_fen());
  auto& payment = ledger.edit<Payment>(event.payment_id());
  payment.set_fund_line_id(event.fund_line_id());
  payment.set_commitment_id(event.commitment_id());
  payment.set_paid_day(ledger.effective_day());
  payment.set_purpose(event.purpose());
  *payment.mutable_payee() = event.payee();
  payment.set_village(event.village());
  payment.set_amount_fen(event.amount_fen());
}

}  // namespace

void register_payment(Registry& registry) {
  registry.command<SpendDirectlyRequest>(decide)
      .validate<SpendDirectlyRequest>(validate)
      .event<FundsAllocated>(evolve)
      .event<FundsCommitted>(evolve)
      .event<FundsDisbursed>(evolve);
}

}  // namespace taizhang::funds
