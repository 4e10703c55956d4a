// Where and how two versions of a row differ, in words that hold no personal data.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace taizhang::projection {

// "ledger 990101, placed/610001, seq 4" of a row version's key in a view's store.
std::string difference_place(std::string_view view, std::string_view store_key);

// "generation, name" of the fields in which two values of one row differ; "erased on one side"; "the
// bytes" where the view has no such table. Values are as in the store, keys without version.
std::string differing_fields(std::string_view view, std::string_view row_key, std::string_view one,
                             std::string_view other);

}  // namespace taizhang::projection
