// Who made a version of a row, when and why, as answers tell it.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include "platform/projection/event_meta.h"

namespace taizhang {
namespace common::v1 {
class RowChange;
}

// Calls `visit` with the event that is wanted; false: it is not (yet) known.
using FindEvent = std::function<bool(const std::function<void(const EventMeta&)>& visit)>;

// `seq` of the event that made the version, which `find` finds. `pending` when it does not.
common::v1::RowChange row_change(std::string_view ledger, int64_t seq, const FindEvent& find);

}  // namespace taizhang
