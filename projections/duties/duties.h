// Duties: which visits pairings owe, which were made, who is paired with whom.
#pragma once

#include "platform/projection/view.h"

namespace taizhang {

View duties_view();

}  // namespace taizhang
