// Money in fen.
#include "domain/money.h"

namespace taizhang {
namespace {

__extension__ using Wide = __int128;
constexpr int64_t kMilli = 1'000;

std::optional<int64_t> narrow(Wide value) {
  const auto result = static_cast<int64_t>(value);
  if (result != value) return std::nullopt;
  return result;
}

}  // namespace

std::optional<int64_t> add_fen(int64_t a, int64_t b) { return narrow(Wide{a} + b); }

std::optional<int64_t> times_fen(int64_t count, int64_t fen) { return narrow(Wide{count} * fen); }

bool price_matches(int64_t unit_price_fen, int64_t quantity_milli, int64_t amount_fen) {
  return Wide{unit_price_fen} * quantity_milli == Wide{amount_fen} * kMilli;
}

std::optional<int64_t> price_fen(int64_t unit_price_fen, int64_t quantity_milli) {
  const Wide product = Wide{unit_price_fen} * quantity_milli;
  if (product % kMilli != 0) return std::nullopt;
  return narrow(product / kMilli);
}

}  // namespace taizhang
