// The view `subscriptions`: how each named subscription stands, folded from the system ledgers.
// What asks it is platform/delivery.
#pragma once

#include "platform/projection/view.h"

namespace taizhang {

View subscriptions_view();

}  // namespace taizhang
