// What operators do with ledgers, and what they see of journal and writer.
#include <string>

#include "apps/taizhang/session.h"
#include "apps/taizhang/text.h"
#include "apps/taizhang/verbs.h"
#include "taizhang/admin/v1/commands.pb.h"
#include "taizhang/admin/v1/queries.pb.h"
#include "taizhang/ledger/v1/events.pb.h"
#include "taizhang/ledger/v1/ledger.pb.h"

namespace taizhang::cli {
namespace {

constexpr const char* kDirectory = "000000";

// Last seq of a ledger, and when it was recorded.
int last_of(Session& session, const std::string& ledger, common::v1::Freshness& out) {
  ledger::v1::ReadEventsRequest request;
  request.set_ledger(ledger);
  request.set_backward(true);
  request.mutable_page()->set_page_size(1);
  ledger::v1::ReadEventsResponse response;
  if (const int code = session.ask("ledger.ReadEvents", request, response)) return code;
  out = response.freshness();
  return kExitOk;
}

}  // namespace

int run_ledger_open(Session& session) {
  if (const int code = session.connect("operator")) return code;
  const auto& arguments = session.arguments();
  admin::v1::OpenLedgerRequest request;
  int kind = common::v1::LEDGER_KIND_COUNTY;
  if (const int code = session.value("--kind", *common::v1::LedgerKind_descriptor(), kind))
    return code;
  if (!arguments.has("--name")) return session.usage("--name is missing");
  request.set_ledger(session.positional(0));
  request.set_kind(static_cast<common::v1::LedgerKind>(kind));
  request.set_name(arguments.get("--name"));
  auto& context = *request.mutable_context();
  fill_operators(session, context);
  if (const int code = session.date("--on", context.mutable_effective_date())) return code;
  admin::v1::OpenLedgerResponse response;
  if (const int code = session.ask("admin.OpenLedger", request, response)) return code;
  if (session.json()) {
    session.print(response);
    return kExitOk;
  }
  const auto& receipt = response.receipt();
  say("ledger " + request.ledger() +
      (receipt.duplicate() || receipt.unchanged() ? ": was open already\n" : ": opened\n"));
  return kExitOk;
}

int run_ledger_status(Session& session) {
  if (const int code = session.connect("operator")) return code;
  admin::v1::GetStatusResponse status;
  if (const int code = session.ask("admin.GetStatus", admin::v1::GetStatusRequest(), status))
    return code;
  ledger::v1::ReadEventsRequest request;
  request.set_ledger(kDirectory);
  request.mutable_filter()->add_types("taizhang.ledger.v1.LedgerPlaced");
  request.mutable_page()->set_page_size(1000);
  Table table({"ledger", "name", "kind", ">last seq", "recorded", ">partition"});
  do {
    ledger::v1::ReadEventsResponse page;
    if (const int code = session.ask("ledger.ReadEvents", request, page)) return code;
    if (session.json()) session.print(page);
    for (const auto& event : page.events()) {
      ledger::v1::LedgerPlaced placed;
      if (session.json() || !placed.ParseFromString(event.payload())) continue;
      common::v1::Freshness last;
      if (const int code = last_of(session, placed.ledger(), last)) return code;
      table.row({placed.ledger(), placed.name(), word(placed.kind()),
                 std::to_string(last.journal_seq()), text_of(last.recorded_time()),
                 std::to_string(placed.partition())});
    }
    request.mutable_page()->set_page_token(page.next_page_token());
  } while (!request.page().page_token().empty());
  if (session.json()) {
    session.print(status);
    return kExitOk;
  }
  say(table.text() + "\n");
  const auto& journal = status.journal();
  const auto& writer = status.writer();
  say(listing(
      {{"journal", journal.uuid()},
       {"records", std::to_string(journal.records()) + " in " + std::to_string(journal.segments()) +
                       " segments"},
       {"disk", status.has_disk_free_bytes()
                    ? std::to_string(status.disk_free_bytes() >> 20) + " MiB free" +
                          (journal.disk_full() ? ", FULL: no next segment" : "")
                    : "unknown"},
       {"writer", status.has_writer() ? (writer.serving() ? "deciding, epoch of this process: "
                                                          : "NOT SERVING, epochs: ") +
                                            std::to_string(writer.epochs())
                                      : "none in this process"},
       {"since its start", std::to_string(writer.commits()) + " commits, " +
                               std::to_string(writer.refusals()) + " refusals, " +
                               std::to_string(writer.duplicates()) + " duplicates"},
       {"waiting", std::to_string(writer.queued()) + " queued, " +
                       std::to_string(writer.in_flight()) + " in flight"},
       {"foreign records",
        writer.foreign_records() ? std::to_string(writer.foreign_records()) : ""}}));
  return kExitOk;
}

}  // namespace taizhang::cli
