// Serves taizhang.lists.v1.ListService over the queries of the views.
#pragma once

#include <cstdint>

namespace taizhang {

class Dispatcher;
class Views;

// `open_max`: its streams that run at once; more are answered RESOURCE_EXHAUSTED.
// `views` must outlive the dispatcher's calls; it need not be started yet.
void serve_lists(Views& views, int32_t open_max, Dispatcher& dispatcher);

}  // namespace taizhang
