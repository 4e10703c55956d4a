// Quantities.
#include "domain/quantity.h"

#include "taizhang/common/v1/values.pb.h"

namespace taizhang {

std::optional<common::v1::Quantity> subtract(const common::v1::Quantity& a,
                                             const common::v1::Quantity& b) {
  int64_t milli = 0;
  if (a.unit() != b.unit() || __builtin_sub_overflow(a.milli(), b.milli(), &milli))
    return std::nullopt;
  common::v1::Quantity difference;
  difference.set_unit(a.unit());
  difference.set_milli(milli);
  return difference;
}

}  // namespace taizhang
