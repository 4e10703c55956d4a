// The tables of a view, found by its name, and rows named by text.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "platform/state/row_type.h"

namespace taizhang::projection {

// Those of the row messages of package taizhang.<view>.state.v1, by name. Made once for each view.
const std::vector<const RowType*>& tables_of(std::string_view view);
// Null: the view has no such table.
const RowType* find_table(std::string_view view, std::string_view table);

// A row of one of them can hold personal data.
bool holds_personal(const RowType& table);

// Key of a row, or the beginning of keys when `parts` are fewer than the table's key fields.
// INVALID_ARGUMENT: more parts than key fields, or a part that is no value of its field; names it.
absl::StatusOr<std::string> key_of_text(const RowType& table,
                                        const std::vector<std::string>& parts);
// The other way round, of a whole key. Empty: no key of this table.
std::vector<std::string> key_text(const RowType& table, std::string_view key);

// "line_months/6a13651f-…, seq 404" of a row version's key in a view's store.
std::string place_of(std::string_view view, std::string_view store_key);

}  // namespace taizhang::projection
