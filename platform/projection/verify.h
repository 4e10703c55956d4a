// Folds a view again in a scratch place and compares every row version.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "platform/projection/batch_reader.h"
#include "platform/projection/folder.h"
#include "platform/projection/store.h"
#include "platform/projection/view.h"
#include "platform/projection/views.h"

namespace taizhang::projection {

// As of the positions that `live` holds now; `logs` by partition. What the view passes over as
// decided is passed over again, and must stand in the journal. An error: the comparison could not be
// made (no disk, a damaged journal), NOT_FOUND: `live` does not hold the ledger, OUT_OF_RANGE: nor
// the seq; damage of the view itself is a difference.
absl::StatusOr<VerifyReport> verify_view(const View& view, std::shared_ptr<const Store> live,
                                         const VerifyScope& scope,
                                         const std::string& scratch_directory,
                                         const std::vector<journal::Log*>& logs,
                                         std::shared_ptr<StoreResources> resources,
                                         BatchLimits limits, FoldSettings settings,
                                         BuildMemory& memory);

}  // namespace taizhang::projection
