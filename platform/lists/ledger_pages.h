// What a server says of the ledgers it holds itself: which they are, and a page of each. This is
// what servers ask of each other for ListService.Gather; it is never asked on.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "platform/lists/list_query.h"

namespace taizhang {

namespace lists::v1 {
class LedgerRows;
class ReadPagesRequest;
}  // namespace lists::v1

namespace lists {

inline constexpr size_t kLedgersListedMax = 10'000;

// Ledgers of a view whose code begins with `prefix` and which the caller may enter, ascending,
// without system ledgers and the directory. NOT_FOUND: no such view. UNAVAILABLE: it is being
// built.
std::variant<std::vector<std::string>, Error> held_ledgers(const Views& views,
                                                           const std::string& view,
                                                           const Caller& caller,
                                                           std::string_view prefix);

// One page of one ledger. `done` is called once, on any thread; an error is in the rows' failure.
void read_page(Views& views, const Call& call, const ListQuery& query, int32_t page_size,
               const std::string& page_token, bool with_places,
               std::function<void(v1::LedgerRows)> done);

// ListService.ReadPages: one after the other, so that no more than the answer is held.
void read_pages(Views& views, const Call& call, const v1::ReadPagesRequest& request, Done done);

}  // namespace lists
}  // namespace taizhang
