// Why a figure stands in a view: the events that changed it, each with its contribution.
#pragma once

#include <string>
#include <vector>

#include "platform/command/answer.h"
#include "platform/projection/view.h"

namespace taizhang {
namespace views::v1 {
class ExplainRequest;
}

namespace projection {

// Row versions that one explanation over several rows, or inside a month, reads at most.
inline constexpr int64_t kExplainVersionsMax = 100'000;
// Contributions told one by one, when the request does not say.
inline constexpr int32_t kContributionsDefault = 1'000;

// Made of the versions of the rows, each of which names the event that wrote it; a total is checked
// against the rows as they are read at that moment. INVALID_ARGUMENT: names the field that is
// wrong. DATA_LOSS: versions and rows say different things.
Answer explain(const std::string& view, const std::vector<View::Figure>& figures,
               const Snapshot& snapshot, const views::v1::ExplainRequest& request);

// Tables, key fields, fields and figures, and the first rows of each.
Answer list_tables(const std::string& view, const std::vector<View::Figure>& figures,
                   const Snapshot& snapshot);

}  // namespace projection
}  // namespace taizhang
