// Shares.
#include "domain/ratio.h"

#include <cstdio>
#include <cstdlib>

namespace taizhang {
namespace {

__extension__ using Wide = __int128;
constexpr int64_t kWhole = 10'000;

}  // namespace

std::optional<int64_t> percent_hundredths(int64_t numerator, int64_t denominator) {
  if (denominator <= 0) return std::nullopt;
  // floor(x + 1/2), also below 0.
  const Wide doubled = Wide{numerator} * kWhole * 2 + denominator;
  const Wide divisor = Wide{denominator} * 2;
  Wide quotient = doubled / divisor;
  if (doubled % divisor < 0) --quotient;
  const auto result = static_cast<int64_t>(quotient);
  if (result != quotient) return std::nullopt;
  return result;
}

std::string percent_text(int64_t hundredths) {
  char text[32];
  std::snprintf(text, sizeof text, "%s%lld.%02lld", hundredths < 0 ? "-" : "",
                std::llabs(static_cast<long long>(hundredths)) / 100,
                std::llabs(static_cast<long long>(hundredths)) % 100);
  return text;
}

bool reaches_bp(int64_t numerator, int64_t denominator, int64_t bp) {
  return Wide{numerator} * kWhole >= Wide{bp} * denominator;
}

}  // namespace taizhang
