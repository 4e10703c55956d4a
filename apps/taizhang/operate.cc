// What operators do: ledgers and views.
#include <unistd.h>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <thread>

#include "apps/taizhang/session.h"
#include "apps/taizhang/text.h"
#include "platform/base/clock.h"
#include "platform/base/days.h"
#include "taizhang/admin/v1/commands.pb.h"
#include "taizhang/admin/v1/queries.pb.h"
#include "taizhang/ledger/v1/events.pb.h"
#include "taizhang/ledger/v1/ledger.pb.h"

namespace taizhang::cli {
namespace {

constexpr const char* kDirectory = "000000";
constexpr int64_t kVerifyDeadlineMs = 24 * 3'600'000;
constexpr auto kPollEvery = std::chrono::milliseconds(200);

common::v1::Date today() {
  const int32_t day = shanghai_day(system_clock().wall_us());
  common::v1::Date date;
  date.set_year(day / 10'000);
  date.set_month(day / 100 % 100);
  date.set_day(day % 100);
  return date;
}

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

std::string state_of(const admin::v1::ViewStatus& view) {
  if (!view.stopped_why().empty()) return "STOPPED: " + view.stopped_why();
  if (!view.stopped_ledgers().empty()) {
    const auto& first = view.stopped_ledgers(0);
    return "STOPPED at " + first.ledger() + "/" + std::to_string(first.seq()) + ": " + first.why();
  }
  if (!view.building()) return "serving";
  if (!view.has_build_seconds_left()) return "building";
  return "building, " + std::to_string(std::llround(view.build_seconds_left())) + " s left";
}

bool is_good(const admin::v1::ViewStatus& view) {
  return view.stopped_why().empty() && view.stopped_ledgers().empty();
}

const admin::v1::ViewStatus* find(const admin::v1::GetStatusResponse& status,
                                  const std::string& view) {
  for (const auto& candidate : status.views()) {
    if (candidate.name() == view) return &candidate;
  }
  return nullptr;
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
  context.set_request_id(arguments.has("--request-id") ? arguments.get("--request-id")
                                                       : new_uuid());
  *context.mutable_effective_date() = today();
  if (const int code = session.date("--on", context.mutable_effective_date())) return code;
  context.mutable_source()->set_kind(common::v1::Source::KIND_SYSTEM);
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

int run_view_status(Session& session) {
  if (const int code = session.connect("operator")) return code;
  admin::v1::GetStatusResponse status;
  if (const int code = session.ask("admin.GetStatus", admin::v1::GetStatusRequest(), status))
    return code;
  int worst = kExitOk;
  Table table(
      {"view", ">version", ">position", ">of", ">events/s", ">lag events", ">lag ms", "state"});
  for (const auto& view : status.views()) {
    table.row({view.name(), std::to_string(view.version()), std::to_string(view.position()),
               std::to_string(view.journal_end()),
               std::to_string(std::llround(view.events_per_second())),
               std::to_string(view.lag_events()), std::to_string(view.lag_ms()), state_of(view)});
    if (!is_good(view)) worst = kExitDamaged;
  }
  if (session.json()) {
    session.print(status);
    return worst;
  }
  say(table.text());
  const auto& partitions = status.journal().partitions();
  if (partitions.size() > 1) {
    Table places({">partition", ">position", ">of", ">void", ">foreign", ">epoch", "owner"});
    for (const auto& partition : partitions) {
      places.row({std::to_string(partition.partition()), std::to_string(partition.position()),
                  std::to_string(partition.records()), std::to_string(partition.void_records()),
                  std::to_string(partition.foreign_records()), std::to_string(partition.epoch()),
                  partition.owner_address()});
    }
    say("\n" + places.text());
  }
  return worst;
}

int run_view_digest(Session& session) {
  if (const int code = session.connect("operator")) return code;
  admin::v1::GetViewDigestRequest request;
  request.set_view(session.positional(0));
  // Not the settings' ledger: without the option it is all of them.
  request.set_ledger(session.arguments().get("--ledger"));
  int64_t seq = 0;
  if (const int code = session.number("--seq", seq)) return code;
  request.set_seq(seq);
  admin::v1::GetViewDigestResponse response;
  if (const int code = session.ask("admin.GetViewDigest", request, response)) return code;
  if (session.json()) {
    session.print(response);
    return kExitOk;
  }
  Table table({"ledger", ">seq", ">row versions", "digest"});
  for (const auto& ledger : response.ledgers()) {
    table.row({ledger.ledger(), std::to_string(ledger.seq()), std::to_string(ledger.versions()),
               ledger.digest()});
  }
  say(table.text());
  return kExitOk;
}

int run_view_rebuild(Session& session) {
  if (const int code = session.connect("operator")) return code;
  const std::string name = session.positional(0);
  admin::v1::RebuildViewRequest request;
  request.set_view(name);
  admin::v1::RebuildViewResponse response;
  if (const int code = session.ask("admin.RebuildView", request, response)) return code;
  const bool terminal = isatty(STDERR_FILENO) != 0;
  for (;;) {
    admin::v1::GetStatusResponse status;
    if (const int code = session.ask("admin.GetStatus", admin::v1::GetStatusRequest(), status))
      return code;
    const auto* view = find(status, name);
    if (!view) return session.fail(kExitNotFound, "not found: no view " + name);
    if (terminal) {
      fprintf(stderr, "\r\033[K%s: %lld of %lld, %s", name.c_str(),
              static_cast<long long>(view->position()), static_cast<long long>(view->journal_end()),
              state_of(*view).c_str());
    }
    if (!is_good(*view) || !view->building()) {
      if (terminal) fputs("\r\033[K", stderr);
      if (!is_good(*view)) return session.fail(kExitDamaged, name + ": " + state_of(*view));
      if (session.json()) {
        session.print(*view);
      } else {
        say(name + ": rebuilt, " + std::to_string(view->events_folded()) + " events folded\n");
      }
      return kExitOk;
    }
    std::this_thread::sleep_for(kPollEvery);
  }
}

int run_view_verify(Session& session) {
  if (const int code = session.connect("operator")) return code;
  admin::v1::VerifyViewRequest request;
  request.set_view(session.positional(0));
  std::string token;
  if (const int code = session.token("", token)) return code;
  admin::v1::VerifyViewResponse report;
  const int64_t deadline_ms =
      session.arguments().has("--timeout") ? session.deadline_ms() : kVerifyDeadlineMs;
  if (isatty(STDERR_FILENO) && !session.json())
    fprintf(stderr, "folding the whole journal again …\n");
  const auto error =
      session.server().stream(*client::find_method("admin.VerifyView"), request, token, deadline_ms,
                              [&](const google::protobuf::Message& said) {
                                report.CopyFrom(said);
                                return true;
                              });
  if (!error.ok()) return session.fail(error);
  if (session.json()) {
    session.print(report);
  } else {
    say(listing({{"view", request.view()},
                 {"compared", std::to_string(report.versions()) + " row versions of " +
                                  std::to_string(report.ledgers()) + " ledgers, from " +
                                  std::to_string(report.events()) + " events"},
                 {"digest", report.digest()},
                 {"result", report.equal() ? "equal" : "DIFFERENT: " + report.difference()}}));
  }
  return report.equal() ? kExitOk : kExitDamaged;
}

}  // namespace taizhang::cli
