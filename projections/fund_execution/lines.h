// A fund line's figures on the day asked, and how they stand in answers.
#pragma once

#include <google/protobuf/repeated_field.h>

#include <optional>
#include <string>
#include <vector>

#include "platform/projection/snapshot.h"
#include "platform/projection/view.h"
#include "projections/fund_execution/sums.h"
#include "taizhang/fund_execution/v1/service.pb.h"

namespace taizhang::fund_execution {

// What is asked of a line: figures on the snapshot's effective day, from the line's months.
// Nothing: over int64.
std::optional<state::v1::Sums> line_sums(const Snapshot& snapshot,
                                         const state::v1::LineMonths& months);
std::optional<state::v1::Sums> village_sums(const Snapshot& snapshot,
                                            const state::v1::VillageMonths& months);

void fill_figures(const state::v1::Sums& sums, v1::Figures& figures);
// Everything but the figures.
void fill_line(const Snapshot& snapshot, const state::v1::Line& line,
               const state::v1::LineMonths& months, v1::LineRow& row);

// Events of the row dated on or before the day asked, newest first, at most 20.
std::vector<std::string> event_ids(const Snapshot& snapshot, const state::v1::LineMonths& months);
std::vector<std::string> event_ids(const Snapshot& snapshot,
                                   const state::v1::VillageMonths& months);

Error line_not_found(const std::string& fund_line_id);
// A sum of lines does not fit into int64.
Error sum_out_of_range();

}  // namespace taizhang::fund_execution
