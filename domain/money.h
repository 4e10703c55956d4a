// Money in fen: sums and products that never overflow silently.
#pragma once

#include <cstdint>
#include <optional>

namespace taizhang {

// Nothing: over int64.
std::optional<int64_t> add_fen(int64_t a, int64_t b);
// count × fen. Nothing: over int64.
std::optional<int64_t> times_fen(int64_t count, int64_t fen);

// unit price × quantity = amount, exactly: price × thousandths = amount × 1,000.
bool price_matches(int64_t unit_price_fen, int64_t quantity_milli, int64_t amount_fen);
// unit price × quantity. Nothing: not a whole fen, or over int64.
std::optional<int64_t> price_fen(int64_t unit_price_fen, int64_t quantity_milli);

}  // namespace taizhang
