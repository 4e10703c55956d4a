// Counts of things in thousandths of a unit; different units never add.
#pragma once

#include <optional>

namespace taizhang {
namespace common::v1 {
class Quantity;
}

// a - b; may be negative. Nothing: different units, or over int64.
std::optional<common::v1::Quantity> subtract(const common::v1::Quantity& a,
                                             const common::v1::Quantity& b);

}  // namespace taizhang
