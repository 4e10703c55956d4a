// The view asset_register: assets with state, owner, holder, manager and value, on any day (slice-1
// §6).
#pragma once

#include "platform/projection/view.h"

namespace taizhang {

View asset_register_view();

}  // namespace taizhang
