// Figures of lines.
#include "projections/fund_execution/lines.h"

#include "domain/dates.h"

namespace taizhang::fund_execution {
namespace {

using state::v1::LineDays;
using state::v1::LineMonths;
using state::v1::Sums;
using state::v1::VillageDays;
using state::v1::VillageMonths;

constexpr int kEventIdsMax = 20;
// Back-dated questions skip the versions of later days; what lies deeper is left to the line's
// history.
constexpr int kVersionsReadMax = 200;

template <class Row, class... Key>
std::vector<std::string> ids_of(const Snapshot& snapshot, const Key&... key) {
  std::vector<std::string> ids;
  int read = 0;
  snapshot.number_history<Row>(
      Row::kEventDayFieldNumber,
      [&](int64_t seq, int64_t event_day) {
        if (event_day <= snapshot.effective_day()) ids.push_back(event_id(snapshot.ledger(), seq));
        return ids.size() < kEventIdsMax && ++read < kVersionsReadMax;
      },
      key...);
  return ids;
}

// Whole months before the day's own, then its days; `days` reads the latter.
template <class Days>
std::optional<Sums> sums_on(int32_t day, const Stretches& months, const Days& days) {
  Sums sums;
  if (!add_until(sums, months, month_of(day) - 1)) return std::nullopt;
  if (has_stretch(months, month_of(day)) && !add_until(sums, days(), day)) return std::nullopt;
  return sums;
}

}  // namespace

std::optional<Sums> line_sums(const Snapshot& snapshot, const LineMonths& months) {
  const int32_t day = snapshot.effective_day();
  return sums_on(day, months.months(), [&]() -> const Stretches& {
    return snapshot.get<LineDays>(months.fund_line_id(), month_of(day)).days();
  });
}

std::optional<Sums> village_sums(const Snapshot& snapshot, const VillageMonths& months) {
  const int32_t day = snapshot.effective_day();
  return sums_on(day, months.months(), [&]() -> const Stretches& {
    return snapshot
        .get<VillageDays>(months.village(), months.owner_org_id(), months.fund_line_id(),
                          month_of(day))
        .days();
  });
}

void fill_figures(const Sums& sums, v1::Figures& figures) {
  figures.set_budgeted_fen(sums.budgeted_fen());
  figures.set_planned_fen(sums.planned_fen());
  figures.set_arrived_fen(sums.arrived_fen());
  figures.set_allocated_fen(sums.allocated_fen());
  figures.set_committed_fen(sums.committed_fen());
  figures.set_paid_fen(sums.paid_fen());
  figures.set_balance_fen(sums.arrived_fen() - sums.paid_fen());
}

void fill_line(const Snapshot& snapshot, const state::v1::Line& line, const LineMonths& months,
               v1::LineRow& row) {
  row.set_version(months.version());
  for (auto& id : event_ids(snapshot, months)) row.add_event_ids(std::move(id));
  row.set_fund_line_id(line.fund_line_id());
  *row.mutable_name() = line.name();
  row.set_source_kind(line.source_kind());
  row.set_level(line.level());
  row.set_year(line.year());
  *row.mutable_purposes() = line.purposes();
  row.set_owner_org_id(line.owner_org_id());
  row.set_raised_by_org_id(line.raised_by_org_id());
  row.set_sector(line.sector());
  row.set_origin_line(line.origin_line());
  row.set_pooled(line.pooled());
  row.set_region(line.region());
  *row.mutable_opened_date() = date_of(line.from_day());
}

std::vector<std::string> event_ids(const Snapshot& snapshot, const LineMonths& months) {
  return ids_of<LineMonths>(snapshot, months.fund_line_id());
}

std::vector<std::string> event_ids(const Snapshot& snapshot, const VillageMonths& months) {
  return ids_of<VillageMonths>(snapshot, months.village(), months.owner_org_id(),
                               months.fund_line_id());
}

Error line_not_found(const std::string& fund_line_id) {
  return not_found("FUND_LINE_NOT_FOUND", "当时没有这个资金项目", "FUND_LINE", fund_line_id);
}

Error sum_out_of_range() {
  Error error = failure(kOutOfRange, "SUM_OUT_OF_RANGE",
                        "a sum is larger than 9,223,372,036,854,775,807 fen");
  error.zh = "合计金额超出可表示的范围，请缩小查询范围";
  return error;
}

}  // namespace taizhang::fund_execution
