// ListService.Gather: one query over many ledgers.
#pragma once

#include <memory>
#include <variant>

#include "platform/lists/pulled_stream.h"
#include "platform/projection/views.h"

namespace taizhang {

namespace lists::v1 {
class GatherRequest;
}

namespace lists {

// `views` must outlive what is returned. Holds a page of one ledger; in the order of rows a page of
// each, together at most kRowsHeldMax rows, or one of each ledger.
std::variant<std::shared_ptr<StreamWork>, Error> open_gather(Views& views, const Call& call,
                                                             const v1::GatherRequest& request);

inline constexpr int32_t kRowsHeldMax = 10'000;

}  // namespace lists
}  // namespace taizhang
