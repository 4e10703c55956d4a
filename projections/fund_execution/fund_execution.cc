// The view fund_execution, put together.
#include "projections/fund_execution/fund_execution.h"

#include <string>

#include "projections/fund_execution/parts.h"
#include "taizhang/fund_execution/state/v1/state.pb.h"

namespace taizhang {

View fund_execution_view() {
  View view("fund_execution", 1);
  fund_execution::add_folds(view);
  view.query(fund_execution::by_source)
      .query(fund_execution::by_village)
      .query(fund_execution::progress)
      .query(fund_execution::line_history);
  const auto sum = [](const char* name) { return std::string("months.sums.") + name; };
  for (const char* name : {"budgeted_fen", "planned_fen", "arrived_fen", "allocated_fen",
                           "committed_fen", "paid_fen"}) {
    view.figure<fund_execution::state::v1::LineMonths>(name, sum(name));
  }
  view.figure<fund_execution::state::v1::LineMonths>(
      "balance_fen", sum("arrived_fen") + " - " + sum("paid_fen"));
  for (const char* name : {"committed_fen", "paid_fen"})
    view.figure<fund_execution::state::v1::VillageMonths>(name, sum(name));
  return view;
}

}  // namespace taizhang
