// ListService.Export: the rows of a list, page after page of one moment.
#pragma once

#include <memory>
#include <variant>

#include "platform/lists/pulled_stream.h"
#include "platform/projection/views.h"

namespace taizhang {

namespace lists::v1 {
class ExportRequest;
}

namespace lists {

// A message of rows is smaller than this, unless it is one row.
inline constexpr size_t kMessageBytesMax = 1'000'000;

// `views` must outlive what is returned. Holds one page.
std::variant<std::shared_ptr<StreamWork>, Error> open_export(Views& views, const Call& call,
                                                             const v1::ExportRequest& request);

}  // namespace lists
}  // namespace taizhang
