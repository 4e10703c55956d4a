// What operators are told of views: their state, a comparison with a fold from nothing, digests.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "platform/command/answer.h"

namespace taizhang {

class Views;
struct ViewStatus;

namespace admin::v1 {
class CompareViewsRequest;
class GetViewDigestRequest;
class JournalStatus;
class VerifyViewRequest;
class ViewStatus;
}  // namespace admin::v1

void fill(const ViewStatus& view, admin::v1::ViewStatus& out);
// What the views' reading knows of the partitions; of claims and positions only when `reads_alone`:
// a writer of the same process knows them better.
void fill_partitions(const Views& views, bool reads_alone, admin::v1::JournalStatus& out);

// How an operation on a view failed.
Error view_error(const absl::Status& status, const std::string& view);
// Takes as long as folding everything again.
Answer verify_view(Views& views, const admin::v1::VerifyViewRequest& request);
// Reads every row of both versions.
Answer compare_views(Views& views, const admin::v1::CompareViewsRequest& request);
Answer view_digest(const Views& views, const admin::v1::GetViewDigestRequest& request);

}  // namespace taizhang
