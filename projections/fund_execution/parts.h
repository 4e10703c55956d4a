// What the files of this view are made of.
#pragma once

#include "platform/projection/snapshot.h"
#include "platform/projection/view.h"
#include "taizhang/fund_execution/v1/service.pb.h"

namespace taizhang::fund_execution {

// Share of a plan from which a line counts as basically complete.
inline constexpr char kThresholdKey[] = "progress.basically_complete_bp";

void add_folds(View& view);

Result<v1::BySourceResponse> by_source(const Snapshot& snapshot,
                                       const v1::BySourceRequest& request);
Result<v1::ByVillageResponse> by_village(const Snapshot& snapshot,
                                         const v1::ByVillageRequest& request);
Result<v1::ProgressResponse> progress(const Snapshot& snapshot, const v1::ProgressRequest& request);
Result<v1::LineHistoryResponse> line_history(const Snapshot& snapshot,
                                             const v1::LineHistoryRequest& request);

}  // namespace taizhang::fund_execution
