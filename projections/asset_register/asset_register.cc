// The view asset_register, put together.
#include "projections/asset_register/asset_register.h"

#include "projections/asset_register/parts.h"

namespace taizhang {

View asset_register_view() {
  View view("asset_register", 1);
  asset_register::add_folds(view);
  view.query(asset_register::card)
      .query(asset_register::register_of)
      .query(asset_register::late_title)
      .query(asset_register::without_manager)
      .query(asset_register::asset_history);
  return view;
}

}  // namespace taizhang
