// What the verbs show, list and history do alike for households, visits, fund lines and assets.
#pragma once

#include <initializer_list>
#include <string>
#include <vector>

#include "apps/taizhang/session.h"
#include "apps/taizhang/text.h"

namespace taizhang::cli {

// The context of an operator's command: --request-id or a new one, today, from a system.
void fill_operators(const Session& session, common::v1::RequestContext& context);

// The end of a list: whether rows were left out, what the figures are in, of which moment it is.
// `unit`: "元; ", or empty.
void say_end(const Session& session, const common::v1::Freshness& freshness,
             const std::string& unit = "");

// A history: one row per version, `cells` between what every version says.
Table history_table(std::initializer_list<std::string> headings);
template <class Row>
std::vector<std::string> history_cells(const Row& row, std::initializer_list<std::string> cells) {
  const auto& change = row.change();
  std::vector<std::string> all = {std::to_string(change.seq()), text_of(change.recorded_time()),
                                  text_of(change.effective_date()), actor_of(change),
                                  change.event_type()};
  all.insert(all.end(), cells);
  std::string why = why_of(change);
  if constexpr (requires { row.document_ids(0); }) {
    if (row.document_ids_size()) why += "; document " + row.document_ids(0);
  }
  all.push_back(std::move(why));
  return all;
}

// show: one thing, named by the first positional. `fill(request, id)`; `tell(response)` prints it.
template <class Request, class Response>
int show_one(Session& session, const std::string& method, auto fill, auto tell) {
  if (const int code = session.connect()) return code;
  Request request;
  if (const int code = session.prepare(request)) return code;
  fill(request, session.positional(0));
  Response response;
  if (const int code = session.ask(method, request, response)) return code;
  if (session.json()) {
    session.print(response);
  } else {
    tell(response);
  }
  return kExitOk;
}

// list: every row of a prepared request as a row of `table`. `cells(row)` gives its cells.
template <class Response>
int list_rows(Session& session, const std::string& method, auto& request, Table table, auto cells,
              const std::string& unit = "") {
  Response all;
  if (const int code = session.pages(method, request, all)) return code;
  if (session.json()) return kExitOk;
  for (const auto& row : rows_of(all)) table.row(cells(row));
  say(table.text());
  say_end(session, all.freshness(), unit);
  return kExitOk;
}

// history: the versions of one thing, named by the first positional.
template <class Request, class Response>
int list_history(Session& session, const std::string& method, auto fill, Table table, auto cells,
                 const std::string& unit = "") {
  if (const int code = session.connect()) return code;
  Request request;
  if (const int code = session.prepare(request)) return code;
  fill(request, session.positional(0));
  return list_rows<Response>(session, method, request, std::move(table), cells, unit);
}

}  // namespace taizhang::cli
