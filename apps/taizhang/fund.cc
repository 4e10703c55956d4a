// Fund lines on the terminal.
#include "apps/taizhang/session.h"
#include "apps/taizhang/text.h"
#include "apps/taizhang/verbs.h"
#include "taizhang/fund_execution/v1/service.pb.h"

namespace taizhang::cli {
namespace {

namespace fe = fund_execution::v1;

constexpr const char* kYuan = "元; ";

std::vector<std::string> cells_of(const fe::Figures& figures) {
  return {yuan(figures.budgeted_fen()),  yuan(figures.planned_fen()), yuan(figures.arrived_fen()),
          yuan(figures.committed_fen()), yuan(figures.paid_fen()),    yuan(figures.balance_fen())};
}

void append(std::vector<std::string>& row, std::vector<std::string> cells) {
  row.insert(row.end(), std::make_move_iterator(cells.begin()),
             std::make_move_iterator(cells.end()));
}

int list_by_village(Session& session) {
  fe::ByVillageRequest request;
  if (const int code = session.prepare(request)) return code;
  fe::ByVillageResponse answer;
  if (const int code = session.pages("fund_execution.ByVillage", request, answer)) return code;
  if (session.json()) return kExitOk;
  Table table({"village", "owner", "fund line", ">committed", ">paid"});
  for (const auto& row : answer.rows()) {
    table.row({row.village().empty() ? "(none)" : row.village(), row.owner_org_id(),
               row.fund_line_id(), yuan(row.committed_fen()), yuan(row.paid_fen())});
  }
  for (const auto& total : answer.village_totals()) {
    table.row({total.village().empty() ? "(none)" : total.village(), "", "total",
               yuan(total.committed_fen()), yuan(total.paid_fen())});
  }
  if (answer.has_total()) {
    table.row({"all", "", "total", yuan(answer.total().committed_fen()),
               yuan(answer.total().paid_fen())});
  }
  say(table.text());
  say_end(session, answer.freshness(), kYuan);
  return kExitOk;
}

struct FigureName {
  const char* name;
  int64_t (fe::Figures::*of)() const;
};
constexpr FigureName kFigures[] = {
    {"budgeted", &fe::Figures::budgeted_fen},   {"planned", &fe::Figures::planned_fen},
    {"arrived", &fe::Figures::arrived_fen},     {"allocated", &fe::Figures::allocated_fen},
    {"committed", &fe::Figures::committed_fen}, {"paid", &fe::Figures::paid_fen},
    {"balance", &fe::Figures::balance_fen},
};

// Only the versions that changed the figure, with what it was before.
int figure_history(Session& session) {
  const std::string name = session.arguments().get("--figure");
  const FigureName* figure = nullptr;
  std::string known;
  for (const auto& candidate : kFigures) {
    if (name == candidate.name) figure = &candidate;
    known += (known.empty() ? "" : ", ") + std::string(candidate.name);
  }
  if (!figure) return session.usage("--figure: expected one of " + known);
  if (const int code = session.connect()) return code;
  fe::LineHistoryRequest request;
  if (const int code = session.prepare(request)) return code;
  request.set_fund_line_id(session.positional(0));
  fe::LineHistoryResponse history;
  if (const int code = session.pages("fund_execution.LineHistory", request, history)) return code;
  if (session.json()) return kExitOk;
  Table table(
      {">seq", "recorded", "effective", "who", ">before", ">after", "why, from which document"});
  for (int i = 0; i < history.versions_size(); ++i) {
    const auto& version = history.versions(i);
    // Newest first: the one before it stands behind it.
    const bool has_before = i + 1 < history.versions_size();
    if (!has_before && session.more()) break;
    const int64_t before = has_before ? (history.versions(i + 1).figures().*figure->of)() : 0;
    const int64_t after = (version.figures().*figure->of)();
    if (before == after) continue;
    const auto& change = version.change();
    table.row({std::to_string(version.version()), text_of(change.recorded_time()),
               text_of(change.effective_date()), actor_of(change), yuan(before), yuan(after),
               why_of(change) +
                   (version.document_ids_size() ? "; document " + version.document_ids(0) : "")});
  }
  say(table.text());
  return kExitOk;
}

}  // namespace

int run_fund_list(Session& session) {
  if (const int code = session.connect()) return code;
  if (session.arguments().has("--by-village")) return list_by_village(session);
  fe::BySourceRequest request;
  if (const int code = session.prepare(request)) return code;
  int source = 0;
  if (const int code = session.value("--source", *funds::v1::SourceKind_descriptor(), source))
    return code;
  request.set_source_kind(static_cast<funds::v1::SourceKind>(source));
  fe::BySourceResponse answer;
  if (const int code = session.pages("fund_execution.BySource", request, answer)) return code;
  if (session.json()) return kExitOk;
  Table table({"source", "fund line", "name", ">budgeted", ">planned", ">arrived", ">committed",
               ">paid", ">balance"});
  for (const auto& row : answer.rows()) {
    std::vector<std::string> cells = {word(row.source_kind()), row.fund_line_id(),
                                      text_of(row.name())};
    append(cells, cells_of(row.figures()));
    table.row(std::move(cells));
  }
  for (const auto& total : answer.source_totals()) {
    std::vector<std::string> cells = {word(total.source_kind()), "total",
                                      std::to_string(total.lines()) + " lines"};
    append(cells, cells_of(total.figures()));
    table.row(std::move(cells));
  }
  say(table.text());
  say_end(session, answer.freshness(), kYuan);
  return kExitOk;
}

int run_fund_show(Session& session) {
  if (const int code = session.connect()) return code;
  fe::BySourceRequest request;
  if (const int code = session.prepare(request)) return code;
  request.set_fund_line_id(session.positional(0));
  fe::BySourceResponse found;
  if (const int code = session.ask("fund_execution.BySource", request, found)) return code;
  if (found.rows().empty()) {
    return session.fail(kExitNotFound,
                        "not found: no fund line " + session.positional(0) + " at that moment");
  }
  fe::ProgressRequest progress;
  if (const int code = session.prepare(progress)) return code;
  // Both answers are of one moment: what the first one reflects.
  if (!session.arguments().has("--as-of-time"))
    progress.mutable_read()->set_seq(found.freshness().seq());
  progress.add_fund_line_ids(session.positional(0));
  fe::ProgressResponse answer;
  if (const int code = session.ask("fund_execution.Progress", progress, answer)) return code;
  if (session.json()) {
    session.print(found);
    session.print(answer);
    return kExitOk;
  }
  const auto& line = found.rows(0);
  const auto& figures = line.figures();
  std::string purposes;
  for (const auto& purpose : line.purposes()) purposes += (purposes.empty() ? "" : ", ") + purpose;
  say(listing({{"fund line", line.fund_line_id()},
               {"name", text_of(line.name())},
               {"source", word(line.source_kind())},
               {"year", std::to_string(line.year())},
               {"purposes", purposes},
               {"owner", line.owner_org_id()},
               {"region", line.region()},
               {"opened", text_of(line.opened_date())},
               {"version", std::to_string(line.version())}}));
  say("\n");
  Table table({"元", ">budgeted", ">planned", ">arrived", ">committed", ">paid", ">balance"});
  std::vector<std::string> cells = {""};
  append(cells, cells_of(figures));
  table.row(std::move(cells));
  say(table.text());
  if (!answer.rows().empty()) {
    const auto& row = answer.rows(0);
    say("\n" +
        listing({{"progress", word(row.state())},
                 {"plan", row.has_plan_fen() ? yuan(row.plan_fen()) : ""},
                 {"paid of plan", row.paid_percent().empty() ? "" : row.paid_percent() + " %"},
                 {"short", row.has_short_fen() ? yuan(row.short_fen()) : ""}}));
  }
  say("\n" + text_of(found.freshness()) + "\n");
  return kExitOk;
}

int run_fund_history(Session& session) {
  if (session.arguments().has("--figure")) return figure_history(session);
  return list_history<fe::LineHistoryRequest, fe::LineHistoryResponse>(
      session, "fund_execution.LineHistory",
      [](auto& request, const auto& id) { request.set_fund_line_id(id); },
      history_table({">arrived", ">paid", ">balance"}),
      [](const auto& version) {
        const auto& figures = version.figures();
        return history_cells(version, {yuan(figures.arrived_fen()), yuan(figures.paid_fen()),
                                       yuan(figures.balance_fen())});
      },
      kYuan);
}

}  // namespace taizhang::cli
