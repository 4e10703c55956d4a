// Serves taizhang.lists.v1.ListService over the queries of the views.
#pragma once

#include <cstdint>

namespace taizhang {

class Dispatcher;
class Views;

namespace lists {
class ReaderDirectory;
}

// `open_max`: its streams that run at once; more are answered RESOURCE_EXHAUSTED. `readers`: who is
// asked for ledgers that `views` does not hold; null: nobody. Both must outlive the dispatcher's
// calls; `views` need not be started yet.
void serve_lists(Views& views, int32_t open_max, lists::ReaderDirectory* readers,
                 Dispatcher& dispatcher);

}  // namespace taizhang
