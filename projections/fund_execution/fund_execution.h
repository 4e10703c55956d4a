// The view fund_execution: money of fund lines by source, by village and against plans, on any day
// (slice-1 §6).
#pragma once

#include "platform/projection/view.h"

namespace taizhang {

View fund_execution_view();

}  // namespace taizhang
