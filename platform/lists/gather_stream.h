// ListService.Gather: one query over many ledgers, also of those that other servers hold.
#pragma once

#include <memory>
#include <string_view>
#include <variant>

#include "platform/lists/pulled_stream.h"
#include "platform/lists/reader_directory.h"
#include "platform/projection/views.h"

namespace taizhang {

namespace lists::v1 {
class GatherRequest;
}

namespace lists {

// `views`, and `readers` when it is not null, must outlive what is returned. The call's token
// goes to the readers. Holds a page of one ledger of this server, and of each reader pages of at
// most kRowsHeldMax rows; in the order of rows a page of each ledger, together at most kRowsHeldMax
// rows, or one of each ledger.
std::variant<std::shared_ptr<StreamWork>, Error> open_gather(Views& views, ReaderDirectory* readers,
                                                             const Call& call,
                                                             const v1::GatherRequest& request);

inline constexpr int32_t kRowsHeldMax = 10'000;

}  // namespace lists
}  // namespace taizhang
