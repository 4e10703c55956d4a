// Why a figure stands in a view: the events that made it, each with its contribution.
#include <google/protobuf/util/time_util.h>

#include "apps/taizhang/local_replay.h"
#include "apps/taizhang/text.h"
#include "taizhang/common/v1/change.pb.h"
#include "taizhang/common/v1/enums.pb.h"
#include "taizhang/views/v1/service.pb.h"

namespace taizhang::cli {
namespace {

using google::protobuf::Message;
using views::v1::Contribution;
using views::v1::ExplainRequest;
using views::v1::ExplainResponse;
using views::v1::ListTablesRequest;
using views::v1::ListTablesResponse;

// Answers of a server, or of a view folded here from a file.
class Answers {
 public:
  explicit Answers(Session& session) : session_(session) {}

  int begin(const std::string& view) {
    if (!session_.arguments().has("--from")) return session_.connect();
    // Whoever holds the file holds what is in it.
    caller_.roles = {common::v1::ROLE_MAKER, common::v1::ROLE_CHECKER};
    caller_.regions = {""};
    return local_.run(session_, view, true, false);
  }

  template <class Request>
  int prepare(Request& request) {
    request.set_view(session_.positional(0));
    if (!session_.arguments().has("--from")) return session_.prepare(request);
    request.set_ledger(local_.source().ledger);
    return session_.fill_moment(*request.mutable_read());
  }

  template <class Response>
  int ask(const std::string& method, const Message& request, Response& response) {
    if (!session_.arguments().has("--from")) return session_.ask(method, request, response);
    auto answer = local_.view().ask(request, caller_, local_.events());
    if (const auto* error = std::get_if<Error>(&answer))
      return session_.fail(exit_code_of(error->code), error->message);
    response = std::move(static_cast<Response&>(*std::get<0>(answer)));
    return kExitOk;
  }

 private:
  Session& session_;
  LocalReplay local_;
  Caller caller_;
};

std::string joined(const google::protobuf::RepeatedPtrField<std::string>& parts) {
  std::string text;
  for (const auto& part : parts) text += (text.empty() ? "" : "/") + part;
  return text;
}

int list(Session& session, Answers& answers, const std::string& only) {
  ListTablesRequest request;
  if (const int code = answers.prepare(request)) return code;
  ListTablesResponse response;
  if (const int code = answers.ask("views.ListTables", request, response)) return code;
  if (session.json()) {
    session.print(response);
    return kExitOk;
  }
  bool any = false;
  for (const auto& table : response.tables()) {
    if (!only.empty() && table.name() != only) continue;
    any = true;
    say("table " + table.name() + ", ROW " + table.name() + "/" + joined(table.key_fields()) +
        "\n");
    Table fields({"  FIELD", "", "is"});
    for (const auto& field : table.fields()) {
      fields.row({"  " + field.name(), field.is_number() ? "number" : "", field.formula()});
    }
    say(fields.text());
    for (const auto& row : table.first_rows())
      say("  for example " + table.name() + "/" + joined(row.parts()) + "\n");
    say("\n");
  }
  if (!any) return session.usage("view " + request.view() + " has no table " + only);
  say(text_of(response.freshness()) + "\n");
  return kExitOk;
}

std::string documents_of(const Contribution& one) {
  std::string text;
  for (const auto& id : one.document_ids()) text += (text.empty() ? "document " : ", ") + id;
  const std::string why = why_of(one.change());
  return why + (why.empty() || text.empty() ? "" : "; ") + text;
}

// A number as the unit wants it told.
std::vector<std::string> amount_cells(const ExplainResponse& answer, int64_t amount) {
  if (answer.unit() != "fen") return {std::to_string(amount)};
  return {std::to_string(amount), yuan(amount)};
}

void append(std::vector<std::string>& cells, const std::vector<std::string>& more) {
  cells.insert(cells.end(), more.begin(), more.end());
}

void say_sum(const ExplainResponse& answer, bool several_rows) {
  const bool fen = answer.unit() == "fen";
  std::vector<std::string> headings = {">seq", "recorded", "effective", "who", "event"};
  if (several_rows) headings.push_back("row");
  append(headings, fen ? std::vector<std::string>{">fen", ">元", ">sum 元"}
                       : std::vector<std::string>{">adds", ">sum"});
  headings.push_back("why, from which document");
  Table table(headings);
  int64_t sum = answer.opening();
  const auto sum_cell = [&] { return fen ? yuan(sum) : std::to_string(sum); };
  if (answer.opening() != 0 || answer.truncated()) {
    std::vector<std::string> cells = {"", "", "", "", "all before"};
    if (several_rows) cells.push_back("");
    append(cells, amount_cells(answer, answer.opening()));
    append(cells, {sum_cell(), ""});
    table.row(std::move(cells));
  }
  for (const auto& one : answer.contributions()) {
    const auto& change = one.change();
    sum += one.amount();
    std::vector<std::string> cells = {std::to_string(change.seq()), text_of(change.recorded_time()),
                                      text_of(change.effective_date()), actor_of(change),
                                      change.event_type()};
    if (several_rows) cells.push_back(joined(one.row().parts()));
    append(cells, amount_cells(answer, one.amount()));
    append(cells, {sum_cell(), documents_of(one)});
    table.row(std::move(cells));
  }
  say(table.text());
  say("\ntotal " +
      (fen ? std::to_string(answer.total()) + " fen = " + yuan(answer.total()) + " 元"
           : std::to_string(answer.total())) +
      ": " + std::to_string(answer.contributions_size()) + " contributions add up\n");
}

void say_values(const ExplainResponse& answer) {
  Table table({">seq", "recorded", "effective", "who", "event", "before", "after",
               "why, from which document"});
  for (const auto& one : answer.contributions()) {
    const auto& change = one.change();
    table.row({std::to_string(change.seq()), text_of(change.recorded_time()),
               text_of(change.effective_date()), actor_of(change), change.event_type(),
               one.withheld() ? "(not shown to this caller)" : one.before(),
               one.withheld() ? "(not shown to this caller)" : one.after(), documents_of(one)});
  }
  say(table.text());
  if (!answer.withheld()) say("\nvalue " + answer.text() + "\n");
}

bool adds_up(const ExplainResponse& answer) {
  int64_t sum = answer.opening();
  for (const auto& one : answer.contributions()) sum += one.amount();
  return sum == answer.total();
}

}  // namespace

int run_explain(Session& session) {
  const std::string view = session.positional(0);
  const auto row = row_name(session.positional(1));
  const std::string figure = session.positional(2);
  Answers answers(session);
  if (const int code = answers.begin(view)) return code;
  if (figure.empty()) return list(session, answers, row.table);
  ExplainRequest request;
  if (const int code = answers.prepare(request)) return code;
  request.set_table(row.table);
  for (const auto& part : row.key) request.add_key(part);
  request.set_field(figure);
  int64_t after = 0;
  if (const int code = session.number("--after", after)) return code;
  request.set_after_seq(after);
  int64_t limit = 0;
  if (const int code = session.number("--limit", limit)) return code;
  if (limit < 0 || limit > 2'000) return session.usage("--limit: expected 0 to 2000");
  request.set_contributions_max(static_cast<int32_t>(limit));
  ExplainResponse answer;
  if (const int code = answers.ask("views.Explain", request, answer)) return code;
  // The server has checked it; whoever asks why need not believe it.
  if (answer.is_number() && !adds_up(answer))
    return session.fail(kExitDamaged, "the contributions do not add up to the total");
  if (session.json()) {
    session.print(answer);
    return kExitOk;
  }
  const std::string formula = answer.formula().empty() ? "" : " = " + answer.formula();
  say(view + " " + session.positional(1) + " " + figure + formula + "\n\n");
  if (answer.is_number()) {
    bool several_rows = false;
    for (const auto& one : answer.contributions())
      several_rows = several_rows ||
                     joined(one.row().parts()) != joined(answer.contributions(0).row().parts());
    say_sum(answer, several_rows);
  } else {
    say_values(answer);
  }
  say(text_of(answer.freshness()) + "\n");
  return kExitOk;
}

}  // namespace taizhang::cli
