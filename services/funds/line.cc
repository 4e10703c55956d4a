// Scope facts and balances of a fund line.
#include "services/funds/line.h"

#include "services/common/names.h"

namespace taizhang::funds {

ScopeFacts facts_of(const state::v1::FundLine& line) {
  return {{"source_kind", short_name(line.source_kind())},
          {"level", short_name(line.level())},
          {"year", std::to_string(line.year())},
          {"region", line.region()}};
}

v1::Balances balances_of(const state::v1::FundLine& line) {
  v1::Balances balances;
  balances.set_budgeted_fen(line.budgeted_fen());
  balances.set_arrived_fen(line.arrived_fen());
  balances.set_allocated_fen(line.allocated_fen());
  balances.set_committed_fen(line.committed_fen());
  balances.set_paid_fen(line.paid_fen());
  balances.set_cash_fen(line.arrived_fen() - line.paid_fen());
  return balances;
}

}  // namespace taizhang::funds
