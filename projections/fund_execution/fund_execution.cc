// The view fund_execution, put together.
#include "projections/fund_execution/fund_execution.h"

#include "projections/fund_execution/parts.h"

namespace taizhang {

View fund_execution_view() {
  View view("fund_execution", 1);
  fund_execution::add_folds(view);
  view.query(fund_execution::by_source)
      .query(fund_execution::by_village)
      .query(fund_execution::progress)
      .query(fund_execution::line_history);
  return view;
}

}  // namespace taizhang
