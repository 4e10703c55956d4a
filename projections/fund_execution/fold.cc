// Money facts into the sums of their line, village and day.
//
// The effective day of an event is the day of its fact: the date of an arrival, the paid date of a
// payment.
#include "domain/parameter.h"
#include "projections/fund_execution/parts.h"
#include "projections/fund_execution/sums.h"
#include "taizhang/funds/v1/events.pb.h"
#include "taizhang/rules/v1/events.pb.h"

namespace taizhang::fund_execution {
namespace {

using rules::state::v1::Parameter;
using state::v1::Line;
using state::v1::LineBySource;
using state::v1::LineDays;
using state::v1::LineMonths;
using state::v1::Sums;
using state::v1::VillageDays;
using state::v1::VillageMonths;

// The write side keeps every counter of a line inside int64, and no part of one is larger: add()
// cannot fail here.
void record(Ledger& rows, const EventMeta& meta, const std::string& line, const Sums& fact) {
  auto& months = rows.edit<LineMonths>(line);
  months.set_event_day(meta.effective_day);
  add(sums_at(*months.mutable_months(), month_of(meta.effective_day)), fact);
  auto& days = rows.edit<LineDays>(line, month_of(meta.effective_day));
  add(sums_at(*days.mutable_days(), meta.effective_day), fact);
}

void record_for_village(Ledger& rows, const EventMeta& meta, const std::string& line,
                        const std::string& village, const Sums& fact) {
  const std::string owner = rows.get<Line>(line).owner_org_id();
  auto& months = rows.edit<VillageMonths>(village, owner, line);
  months.set_event_day(meta.effective_day);
  add(sums_at(*months.mutable_months(), month_of(meta.effective_day)), fact);
  auto& days = rows.edit<VillageDays>(village, owner, line, month_of(meta.effective_day));
  add(sums_at(*days.mutable_days(), meta.effective_day), fact);
}

void on_opened(Ledger& rows, const EventMeta& meta, const funds::v1::FundLineOpened& event) {
  auto& line = rows.edit<Line>(event.fund_line_id());
  line.set_from_day(meta.effective_day);
  *line.mutable_name() = event.name();
  line.set_source_kind(event.source_kind());
  line.set_level(event.level());
  line.set_year(event.year());
  *line.mutable_purposes() = event.purposes();
  line.set_owner_org_id(event.owner_org_id());
  line.set_raised_by_org_id(event.raised_by_org_id());
  line.set_sector(event.sector());
  line.set_origin_line(event.origin_line());
  line.set_pooled(event.pooled());
  line.set_region(event.region());
  auto& by_source =
      rows.edit<LineBySource>(event.source_kind(), event.sector(), event.fund_line_id());
  by_source.set_owner_org_id(event.owner_org_id());
  by_source.set_from_day(meta.effective_day);
  rows.edit<LineMonths>(event.fund_line_id()).set_event_day(meta.effective_day);
}

void on_budget(Ledger& rows, const EventMeta& meta, const funds::v1::BudgetRecorded& event) {
  Sums fact;
  if (event.nature() == funds::v1::BUDGET_NATURE_PLAN) {
    fact.set_planned_fen(event.amount_fen());
  } else {
    fact.set_budgeted_fen(event.amount_fen());
  }
  record(rows, meta, event.fund_line_id(), fact);
}

void on_arrived(Ledger& rows, const EventMeta& meta, const funds::v1::FundsArrived& event) {
  Sums fact;
  fact.set_arrived_fen(event.amount_fen());
  record(rows, meta, event.fund_line_id(), fact);
}

void on_allocated(Ledger& rows, const EventMeta& meta, const funds::v1::FundsAllocated& event) {
  Sums fact;
  fact.set_allocated_fen(event.amount_fen());
  record(rows, meta, event.fund_line_id(), fact);
}

void on_committed(Ledger& rows, const EventMeta& meta, const funds::v1::FundsCommitted& event) {
  Sums fact;
  fact.set_committed_fen(event.amount_fen());
  record(rows, meta, event.fund_line_id(), fact);
  record_for_village(rows, meta, event.fund_line_id(), event.village(), fact);
}

void on_disbursed(Ledger& rows, const EventMeta& meta, const funds::v1::FundsDisbursed& event) {
  Sums fact;
  fact.set_paid_fen(event.amount_fen());
  record(rows, meta, event.fund_line_id(), fact);
  record_for_village(rows, meta, event.fund_line_id(), event.village(), fact);
}

void on_parameter_defined(Ledger& rows, const EventMeta&,
                          const rules::v1::ParameterDefined& event) {
  if (event.key() == kThresholdKey)
    apply_parameter_defined(rows.edit<Parameter>(event.key()), event);
}

void on_parameter_set(Ledger& rows, const EventMeta& meta, const rules::v1::ParameterSet& event) {
  if (event.key() != kThresholdKey) return;
  apply_parameter_set(rows.edit<Parameter>(event.key()), event, meta.seq, meta.recorded_time_us);
}

}  // namespace

void add_folds(View& view) {
  view.on(on_opened)
      .on(on_budget)
      .on(on_arrived)
      .on(on_allocated)
      .on(on_committed)
      .on(on_disbursed)
      .on(on_parameter_defined)
      .on(on_parameter_set);
}

}  // namespace taizhang::fund_execution
