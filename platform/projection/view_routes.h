// Which version of a view a call goes to.
#pragma once

#include <string_view>

#include "platform/command/answer.h"
#include "platform/command/dispatcher.h"
#include "platform/projection/view_versions.h"

namespace taizhang::projection {

// Puts the queries and streams of all versions of the view into the dispatcher: each call is
// answered by the version that is live then, UNIMPLEMENTED where that one has no such method.
// The view must outlive the dispatcher's calls.
void serve_view(const ViewVersions& view, Dispatcher& dispatcher);

// UNIMPLEMENTED, reason METHOD_NOT_SERVED.
Error not_served(std::string_view method);

}  // namespace taizhang::projection
