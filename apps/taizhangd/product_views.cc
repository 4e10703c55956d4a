// All views of the product.
#include "apps/taizhangd/product_views.h"

#include "platform/projection/views.h"
#include "projections/asset_register/asset_register.h"
#include "projections/duties/duties.h"
#include "projections/fund_execution/fund_execution.h"
#include "projections/history/history.h"
#include "projections/household_file/household_file.h"
#include "projections/ledger/ledger_view.h"

namespace taizhang {

void add_product_views(Views& views) {
  views.add(ledger_view::ledger_view());
  views.add(household_file_view());
  views.add(duties_view());
  views.add(fund_execution_view());
  views.add(asset_register_view());
  views.add(history_view());
}

}  // namespace taizhang
