// Lines against their plans.
#include <optional>

#include "domain/ratio.h"
#include "projections/common/names.h"
#include "projections/common/rule.h"
#include "projections/fund_execution/lines.h"
#include "projections/fund_execution/parts.h"

namespace taizhang::fund_execution {
namespace {

using rules::state::v1::Parameter;
using state::v1::Line;
using state::v1::LineMonths;
using state::v1::Sums;

// What progress.basically_complete_bp speaks of here.
constexpr char kIndicator[] = "PAID_OF_PLAN";

ScopeFacts facts_of(const Line& line) {
  return {{"indicator", kIndicator},
          {"source_kind", code_of(line.source_kind())},
          {"level", code_of(line.level())},
          {"year", std::to_string(line.year())},
          {"region", line.region()}};
}

v1::ProgressState state_of(const Sums& sums, const Rule& threshold) {
  if (!threshold.value) return v1::PROGRESS_STATE_NO_THRESHOLD;
  return reaches_bp(sums.paid_fen(), sums.planned_fen(), threshold.value->bp())
             ? v1::PROGRESS_STATE_BASICALLY_COMPLETE
             : v1::PROGRESS_STATE_UNDER_WAY;
}

// Read once, when the first line needs it: most have no plan to be held against.
class Threshold {
 public:
  explicit Threshold(const Snapshot& snapshot) : snapshot_(snapshot) {}
  const Parameter& parameter() {
    if (!parameter_) parameter_ = snapshot_.get<Parameter>(kThresholdKey);
    return *parameter_;
  }

 private:
  const Snapshot& snapshot_;
  std::optional<Parameter> parameter_;
};

void judge(const Snapshot& snapshot, const Line& line, const Sums& sums, Threshold& threshold,
           v1::ProgressRow& row) {
  if (sums.planned_fen() == 0) {
    row.set_state(v1::PROGRESS_STATE_NO_PLAN);
    return;
  }
  row.set_plan_fen(sums.planned_fen());
  row.set_short_fen(sums.planned_fen() - sums.paid_fen());
  const auto percent = percent_hundredths(sums.paid_fen(), sums.planned_fen());
  if (percent) row.set_paid_percent(percent_text(*percent));
  if (sums.paid_fen() >= sums.planned_fen()) {
    row.set_state(v1::PROGRESS_STATE_COMPLETE);
    return;
  }
  auto rule = rule_for(threshold.parameter(), facts_of(line), snapshot.effective_day());
  row.set_state(state_of(sums, rule));
  row.mutable_thresholds()->Swap(&rule.uses);
}

// False: over int64.
bool fill_row(const Snapshot& snapshot, const Line& line, Threshold& threshold,
              v1::ProgressRow& row) {
  const auto& months = snapshot.get<LineMonths>(line.fund_line_id());
  // Before any other row is read: its versions are not sought again.
  for (auto& id : event_ids(snapshot, months)) row.add_event_ids(std::move(id));
  const auto sums = line_sums(snapshot, months);
  if (!sums) return false;
  row.set_version(months.version());
  row.set_fund_line_id(line.fund_line_id());
  *row.mutable_name() = line.name();
  row.set_arrived_fen(sums->arrived_fen());
  row.set_committed_fen(sums->committed_fen());
  // Nothing is paid in advance before projects have contracts: every payment here is for work done.
  row.set_prepaid_fen(0);
  row.set_paid_fen(sums->paid_fen());
  row.set_balance_fen(sums->arrived_fen() - sums->paid_fen());
  judge(snapshot, line, *sums, threshold, row);
  return true;
}

}  // namespace

Result<v1::ProgressResponse> progress(const Snapshot& snapshot,
                                      const v1::ProgressRequest& request) {
  v1::ProgressResponse response;
  Threshold threshold(snapshot);
  bool fits = true;
  const auto visit = [&](const Line& line) {
    if (line.from_day() > snapshot.effective_day()) return false;
    fits = fill_row(snapshot, line, threshold, *response.add_rows()) && fits;
    return true;
  };
  if (request.fund_line_ids().empty()) {
    snapshot.page_scan<Line>(visit);
    if (!fits) return sum_out_of_range();
    return response;
  }
  // Lines in the order asked: the page goes on behind a place in that list.
  int64_t place = 0;
  std::string_view after = snapshot.page().after();
  if (!after.empty()) take_key_number(after, place);
  for (; place < request.fund_line_ids_size(); ++place) {
    if (response.rows_size() == snapshot.page().size()) {
      snapshot.page().next_after(make_key(place));
      break;
    }
    const auto& id = request.fund_line_ids(static_cast<int>(place));
    const auto* line = snapshot.find<Line>(id);
    if (!line || !visit(*line)) return line_not_found(id);
    snapshot.page().place(nullptr, make_key(place));
  }
  if (!fits) return sum_out_of_range();
  return response;
}

}  // namespace taizhang::fund_execution
