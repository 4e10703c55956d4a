// The view history: what was recorded of a thing, by a request, from a document, or late (slice-1
// §6).
#pragma once

#include "platform/projection/view.h"

namespace taizhang {

View history_view();

}  // namespace taizhang
