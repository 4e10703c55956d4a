// Two versions of a view beside each other, at one moment of each ledger.
#pragma once

#include <memory>
#include <string_view>

#include "absl/status/statusor.h"
#include "platform/projection/store.h"
#include "platform/projection/views.h"

namespace taizhang::projection {

// Each ledger at the last seq that both hold, or at the scope's. Reads every row version of both.
// NOT_FOUND: one of them does not hold the ledger of the scope. OUT_OF_RANGE: nor its seq.
// DATA_LOSS: files are damaged.
absl::StatusOr<ViewComparison> compare_views(std::string_view view,
                                             std::shared_ptr<const Store> one,
                                             std::shared_ptr<const Store> other,
                                             const VerifyScope& scope);

}  // namespace taizhang::projection
