// Every version of a fund line.
#include "projections/common/documents.h"
#include "projections/common/row_change.h"
#include "projections/fund_execution/lines.h"
#include "projections/fund_execution/parts.h"
#include "taizhang/common/v1/change.pb.h"

namespace taizhang::fund_execution {

Result<v1::LineHistoryResponse> line_history(const Snapshot& snapshot,
                                             const v1::LineHistoryRequest& request) {
  using state::v1::LineMonths;
  if (!snapshot.has<LineMonths>(request.fund_line_id()))
    return line_not_found(request.fund_line_id());
  constexpr int32_t kEveryMonth = 999'999;
  v1::LineHistoryResponse response;
  bool fits = true;
  snapshot.page_history<LineMonths>(
      [&](const RowVersion& version, const LineMonths& row) {
        auto& out = *response.add_versions();
        out.set_version(version.seq);
        *out.mutable_change() = change_of(snapshot, version.seq);
        for (auto& id : documents_of(snapshot, version.seq)) out.add_document_ids(std::move(id));
        state::v1::Sums sums;
        fits = add_until(sums, row.months(), kEveryMonth) && fits;
        fill_figures(sums, *out.mutable_figures());
      },
      request.fund_line_id());
  if (!fits) return sum_out_of_range();
  return response;
}

}  // namespace taizhang::fund_execution
