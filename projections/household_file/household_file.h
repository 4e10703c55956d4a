// The household file: a household's page and timeline, its issues and visits, who a citizen number
// belongs to.
#pragma once

#include "platform/projection/view.h"

namespace taizhang {

View household_file_view();

}  // namespace taizhang
