// Shares: compared as they are, rounded only for the eye.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace taizhang {

// Hundredths of a percent, half up: 8445 is 84.45 %. Nothing: the denominator is 0 or less, or the
// result over int64.
std::optional<int64_t> percent_hundredths(int64_t numerator, int64_t denominator);
// "84.45".
std::string percent_text(int64_t hundredths);
// numerator / denominator >= bp / 10,000, without rounding; the denominator is above 0.
bool reaches_bp(int64_t numerator, int64_t denominator, int64_t bp);

}  // namespace taizhang
