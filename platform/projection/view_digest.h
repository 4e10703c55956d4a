// Digests of what a view holds: equal in every process that holds the same events of a ledger.
#pragma once

#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "platform/projection/store.h"
#include "platform/projection/views.h"

namespace taizhang::projection {

// Of every ledger, or of one, as kept beside the rows. NOT_FOUND: the view does not hold the
// ledger.
absl::StatusOr<std::vector<LedgerDigest>> digests_now(const Store& store, std::string_view ledger);

// Of one ledger at an earlier seq, from its rows: takes as long as reading them. OUT_OF_RANGE: the
// view is not there yet.
absl::StatusOr<LedgerDigest> digest_at(const Store& store, std::string_view ledger, int64_t seq);

}  // namespace taizhang::projection
