// A fund line: from being opened, through its budgets, to the money that reaches it.
#include <algorithm>

#include "domain/money.h"
#include "platform/command/registry.h"
#include "services/common/parameters.h"
#include "services/funds/aggregates.h"
#include "services/funds/line.h"
#include "taizhang/common/v1/errors.pb.h"
#include "taizhang/funds/v1/commands.pb.h"
#include "taizhang/funds/v1/errors.pb.h"
#include "taizhang/funds/v1/events.pb.h"

namespace taizhang::funds {
namespace {

using state::v1::BankReference;
using state::v1::FundLine;
using state::v1::LineOpenByOwner;
using v1::BudgetRecorded;
using v1::FundLineOpened;
using v1::FundsArrived;
using v1::OpenFundLineRequest;
using v1::RecordBudgetRequest;
using v1::RecordFundsArrivalRequest;

// The line as the request describes it: rules ask about it before it is there.
FundLine line_of(const OpenFundLineRequest& command) {
  FundLine line;
  line.set_source_kind(command.source_kind());
  line.set_level(command.level());
  line.set_year(command.year());
  line.set_region(command.region());
  return line;
}

Decision decide(const Ledger& ledger, const OpenFundLineRequest& command) {
  const auto allowed = governing(ledger, "funds.purposes_allowed", facts_of(line_of(command)),
                                 ledger.effective_day());
  if (!allowed.decided()) return parameter_missing(allowed, "purposes");
  if (allowed.has_rule()) {
    const auto& codes = allowed.value().codes().codes();
    for (int i = 0; i < command.purposes_size(); ++i) {
      if (std::find(codes.begin(), codes.end(), command.purposes(i)) == codes.end()) {
        return refuse(v1::FUNDS_REFUSAL_PURPOSE_NOT_ALLOWED, "purposes[" + std::to_string(i) + "]");
      }
    }
  }
  if (!command.origin_line().empty()) {
    const auto* origin = ledger.find<FundLine>(command.origin_line());
    if (!origin || origin->from_day() > ledger.effective_day()) {
      return refuse(v1::FUNDS_REFUSAL_ORIGIN_LINE_NOT_FOUND, "origin_line");
    }
  }
  auto event = copy_inputs<FundLineOpened>(command);
  allowed.copy_uses(event.mutable_parameters_used());
  return emit(std::move(event));
}

void evolve(Ledger& ledger, const FundLineOpened& event) {
  auto& line = ledger.edit<FundLine>(event.fund_line_id());
  line.set_from_day(ledger.effective_day());
  line.set_source_kind(event.source_kind());
  line.set_level(event.level());
  line.set_year(event.year());
  *line.mutable_purposes() = event.purposes();
  line.set_owner_org_id(event.owner_org_id());
  line.set_sector(event.sector());
  line.set_region(event.region());
  auto& open = ledger.edit<LineOpenByOwner>(event.owner_org_id());
  open.set_lines(open.lines() + 1);
}

// VERSION_MISMATCH, then DATE_ORDER_INVALID: nothing happens to a line before it is open.
std::optional<Refusal> check_line(const Ledger& ledger, const FundLine& line,
                                  std::string_view date_field) {
  if (auto no = version_mismatch(ledger, line.version())) return no;
  if (ledger.effective_day() < line.from_day()) {
    return refuse(common::v1::COMMON_REFUSAL_DATE_ORDER_INVALID, date_field);
  }
  return std::nullopt;
}

// heads × the sum of the rate's items. Nothing: over int64.
std::optional<int64_t> amount_per_head(const rules::v1::AmountItems& rate, int64_t heads) {
  std::optional<int64_t> sum = 0;
  for (const auto& item : rate.items()) {
    sum = add_fen(*sum, item.fen());
    if (!sum) return std::nullopt;
  }
  return times_fen(heads, *sum);
}

Decision decide(const Ledger& ledger, const RecordBudgetRequest& command) {
  const auto* line = ledger.find<FundLine>(command.fund_line_id());
  if (!line) return refuse(v1::FUNDS_REFUSAL_FUND_LINE_NOT_FOUND, "fund_line_id");
  if (auto no = check_line(ledger, *line, "context.effective_date")) return *no;
  auto event = copy_inputs<BudgetRecorded>(command);
  if (command.has_per_head()) {
    auto facts = facts_of(*line);
    facts.set("role", command.per_head().role());
    const auto rate = governing(ledger, "budget.per_head", facts, ledger.effective_day());
    if (!rate.decided()) return parameter_missing(rate, "per_head");
    if (rate.has_rule() && amount_per_head(rate.value().amount_items(),
                                           command.per_head().heads()) != command.amount_fen()) {
      return refuse(v1::FUNDS_REFUSAL_RATE_MISMATCH, "amount_fen");
    }
    rate.copy_uses(event.mutable_parameters_used());
  }
  const bool issued = command.nature() == v1::BUDGET_NATURE_ISSUED;
  const auto total =
      add_fen(issued ? line->budgeted_fen() : line->planned_fen(), command.amount_fen());
  if (!total) return refuse(common::v1::COMMON_REFUSAL_FIELD_INVALID, "amount_fen");
  // The first issued budget makes a ceiling: money that came before it must fit under it.
  if (issued && line->arrived_fen() > *total) {
    return refuse(v1::FUNDS_REFUSAL_ARRIVAL_EXCEEDS_BUDGET, "amount_fen");
  }
  *event.mutable_balances() = balances_of(*line);
  if (issued) event.mutable_balances()->set_budgeted_fen(*total);
  return emit(std::move(event));
}

void evolve(Ledger& ledger, const BudgetRecorded& event) {
  auto& line = ledger.edit<FundLine>(event.fund_line_id());
  if (event.nature() == v1::BUDGET_NATURE_ISSUED) {
    line.set_budgeted_fen(line.budgeted_fen() + event.amount_fen());
    line.set_issued_budgets(line.issued_budgets() + 1);
  } else {
    line.set_planned_fen(line.planned_fen() + event.amount_fen());
  }
}

Decision decide(const Ledger& ledger, const RecordFundsArrivalRequest& command) {
  const auto* line = ledger.find<FundLine>(command.fund_line_id());
  if (!line) return refuse(v1::FUNDS_REFUSAL_FUND_LINE_NOT_FOUND, "fund_line_id");
  if (auto no = check_line(ledger, *line, "date")) return *no;
  if (ledger.has<BankReference>(command.bank_reference())) {
    return refuse(v1::FUNDS_REFUSAL_RECEIPT_REPEATED, "bank_reference");
  }
  const auto total = add_fen(line->arrived_fen(), command.amount_fen());
  if (line->issued_budgets() > 0 && (!total || *total > line->budgeted_fen())) {
    return refuse(v1::FUNDS_REFUSAL_ARRIVAL_EXCEEDS_BUDGET, "amount_fen");
  }
  if (!total) return refuse(common::v1::COMMON_REFUSAL_FIELD_INVALID, "amount_fen");
  auto event = copy_inputs<FundsArrived>(command);
  *event.mutable_balances() = balances_of(*line);
  event.mutable_balances()->set_arrived_fen(*total);
  event.mutable_balances()->set_cash_fen(*total - line->paid_fen());
  return emit(std::move(event));
}

void evolve(Ledger& ledger, const FundsArrived& event) {
  auto& line = ledger.edit<FundLine>(event.fund_line_id());
  line.set_arrived_fen(line.arrived_fen() + event.amount_fen());
  ledger.edit<BankReference>(event.bank_reference()).set_arrival_id(event.arrival_id());
}

}  // namespace

void register_fund_line(Registry& registry) {
  registry.command<OpenFundLineRequest>(decide)
      .command<RecordBudgetRequest>(decide)
      .command<RecordFundsArrivalRequest>(decide)
      .event<FundLineOpened>(evolve)
      .event<BudgetRecorded>(evolve)
      .event<FundsArrived>(evolve);
}

}  // namespace taizhang::funds
