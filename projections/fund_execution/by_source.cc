// Fund lines by source and sector, with totals.
#include "projections/fund_execution/lines.h"
#include "projections/fund_execution/parts.h"

namespace taizhang::fund_execution {
namespace {

using state::v1::Line;
using state::v1::LineBySource;
using state::v1::LineMonths;
using state::v1::Sums;

bool is_asked(const Snapshot& snapshot, const v1::BySourceRequest& request,
              const LineBySource& line) {
  return line.from_day() <= snapshot.effective_day() &&
         (request.sector().empty() || line.sector() == request.sector()) &&
         (request.owner_org_id().empty() || line.owner_org_id() == request.owner_org_id()) &&
         (request.fund_line_id().empty() || line.fund_line_id() == request.fund_line_id());
}

// Calls `walk` with the longest prefix of the key that the request fixes.
template <class Walk>
void with_prefix(const v1::BySourceRequest& request, const Walk& walk) {
  if (request.source_kind() == funds::v1::SOURCE_KIND_UNSPECIFIED) return walk();
  if (request.sector().empty()) return walk(request.source_kind());
  walk(request.source_kind(), request.sector());
}

// The totals that follow from lines in the order of the list.
class Totals {
 public:
  // False: over int64.
  bool add_line(const LineBySource& line, const Sums& sums) {
    if (sources_.empty() || sources_.back().source != line.source_kind())
      sources_.push_back({line.source_kind(), {}});
    if (sectors_.empty() || sectors_.back().source != line.source_kind() ||
        sectors_.back().sector != line.sector()) {
      sectors_.push_back({line.source_kind(), line.sector()});
    }
    for (auto* total : {&sources_.back(), &sectors_.back(), &all_}) {
      ++total->lines;
      if (!add(total->sums, sums)) return false;
    }
    return true;
  }

  void fill(v1::BySourceResponse& response) const {
    for (const auto& total : sources_) fill_total(total, *response.add_source_totals());
    for (const auto& total : sectors_) fill_total(total, *response.add_sector_totals());
    fill_total(all_, *response.mutable_total());
  }

 private:
  struct Total {
    funds::v1::SourceKind source = funds::v1::SOURCE_KIND_UNSPECIFIED;
    std::string sector;
    int64_t lines = 0;
    Sums sums;
    Total() = default;
    Total(funds::v1::SourceKind of_source, std::string of_sector)
        : source(of_source), sector(std::move(of_sector)) {}
  };

  static void fill_total(const Total& total, v1::SourceTotal& out) {
    out.set_source_kind(total.source);
    out.set_sector(total.sector);
    out.set_lines(total.lines);
    fill_figures(total.sums, *out.mutable_figures());
  }

  std::vector<Total> sources_;
  std::vector<Total> sectors_;
  Total all_;
};

bool fill_totals(const Snapshot& snapshot, const v1::BySourceRequest& request,
                 v1::BySourceResponse& response) {
  Totals totals;
  bool fits = true;
  const auto visit = [&](const LineBySource& line) {
    if (!is_asked(snapshot, request, line)) return true;
    const auto sums = line_sums(snapshot, snapshot.get<LineMonths>(line.fund_line_id()));
    fits = sums && totals.add_line(line, *sums);
    return fits;
  };
  with_prefix(request,
              [&](const auto&... prefix) { snapshot.scan<LineBySource>(visit, prefix...); });
  totals.fill(response);
  return fits;
}

}  // namespace

Result<v1::BySourceResponse> by_source(const Snapshot& snapshot,
                                       const v1::BySourceRequest& request) {
  if (!request.fund_line_id().empty() && !snapshot.has<Line>(request.fund_line_id())) {
    return line_not_found(request.fund_line_id());
  }
  v1::BySourceResponse response;
  const bool first_page = snapshot.page().after().empty();
  if (first_page && !fill_totals(snapshot, request, response)) return sum_out_of_range();
  bool fits = true;
  const auto visit = [&](const LineBySource& line) {
    if (!is_asked(snapshot, request, line)) return false;
    const auto& months = snapshot.get<LineMonths>(line.fund_line_id());
    const auto sums = line_sums(snapshot, months);
    fits = fits && sums;
    if (!sums) return false;
    auto& row = *response.add_rows();
    fill_line(snapshot, snapshot.get<Line>(line.fund_line_id()), months, row);
    fill_figures(*sums, *row.mutable_figures());
    return true;
  };
  with_prefix(request,
              [&](const auto&... prefix) { snapshot.page_scan<LineBySource>(visit, prefix...); });
  if (!fits) return sum_out_of_range();
  return response;
}

}  // namespace taizhang::fund_execution
