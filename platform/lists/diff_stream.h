// ListService.Diff: one query at two moments, merged row by row.
#pragma once

#include <memory>
#include <variant>

#include "platform/lists/pulled_stream.h"
#include "platform/projection/views.h"

namespace taizhang {

namespace lists::v1 {
class DiffRequest;
}

namespace lists {

// Versions that a difference names at most, newest first.
inline constexpr size_t kChangesMax = 20;

// `views` must outlive what is returned. Holds a page of each moment.
std::variant<std::shared_ptr<StreamWork>, Error> open_diff(Views& views, const Call& call,
                                                           const v1::DiffRequest& request);

}  // namespace lists
}  // namespace taizhang
