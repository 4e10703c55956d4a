// What operators do with views: their state, digests, comparisons, versions, events passed over.
#include <unistd.h>

#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <optional>
#include <string>
#include <thread>

#include "apps/taizhang/session.h"
#include "apps/taizhang/text.h"
#include "apps/taizhang/verbs.h"
#include "taizhang/admin/v1/commands.pb.h"
#include "taizhang/admin/v1/queries.pb.h"

namespace taizhang::cli {
namespace {

constexpr const char* kDirectory = "000000";
constexpr int64_t kComparisonDeadlineMs = 24 * 3'600'000;
constexpr auto kPollEvery = std::chrono::milliseconds(200);

std::string state_of(const admin::v1::ViewStatus& view) {
  if (view.dropped()) return "dropped";
  if (!view.stopped_why().empty()) return "STOPPED: " + view.stopped_why();
  if (!view.stopped_ledgers().empty()) {
    const auto& first = view.stopped_ledgers(0);
    return "STOPPED at " + first.ledger() + "/" + std::to_string(first.seq()) + ": " + first.why();
  }
  std::string state = view.live() ? "serving" : "ready";
  if (view.building()) {
    state = "building";
    if (view.has_build_seconds_left())
      state += ", " + std::to_string(std::llround(view.build_seconds_left())) + " s left";
  }
  if (view.disk_full()) state += ", waits: DISK FULL";
  if (!view.rebuilt_why().empty()) state += ", was BUILT ANEW: " + view.rebuilt_why();
  if (view.skipped_events_total() != 0)
    state += ", " + std::to_string(view.skipped_events_total()) + " events passed over";
  return state;
}

std::string most_behind(const admin::v1::ViewStatus& view) {
  if (view.lagging_ledgers().empty()) return "";
  const auto& most = view.lagging_ledgers(0);
  return most.ledger() + ": " + std::to_string(most.lag_events()) + " events, " +
         std::to_string(most.lag_ms()) + " ms";
}

bool is_good(const admin::v1::ViewStatus& view) {
  return view.stopped_why().empty() && view.stopped_ledgers().empty();
}

// `version` 0: the one that answers. Null: there is none.
const admin::v1::ViewStatus* find(const admin::v1::GetStatusResponse& status,
                                  const std::string& view, int64_t version) {
  for (const auto& candidate : status.views()) {
    if (candidate.name() == view &&
        (version == 0 ? candidate.live() : candidate.version() == version))
      return &candidate;
  }
  return nullptr;
}

int ask_status(Session& session, admin::v1::GetStatusResponse& status) {
  return session.ask("admin.GetStatus", admin::v1::GetStatusRequest(), status);
}

// An option that is a version; 0 when it was not given.
int version_option(Session& session, const char* option, int32_t& version) {
  if (const int code = session.number(option, version)) return code;
  return version >= 0
             ? kExitOk
             : session.usage(std::string(option) + ": expected a version, 1 or more");
}

int needed_version(Session& session, const char* option, int32_t& version) {
  if (!session.arguments().has(option)) return session.usage(std::string(option) + " is missing");
  return version_option(session, option, version);
}

// Not the settings' ledger: without the option it is all of them.
template <class Request>
int fill_scope(Session& session, Request& request) {
  request.set_ledger(session.arguments().get("--ledger"));
  int64_t seq = 0;
  if (const int code = session.number("--at", seq)) return code;
  request.set_seq(seq);
  return kExitOk;
}

// A comparison that may take as long as folding everything.
template <class Response>
int ask_long(Session& session, const char* method, const google::protobuf::Message& request,
             const char* doing, Response& response) {
  std::string token;
  if (const int code = session.token("", token)) return code;
  const int64_t deadline_ms =
      session.arguments().has("--timeout") ? session.deadline_ms() : kComparisonDeadlineMs;
  if (isatty(STDERR_FILENO) && !session.json()) fprintf(stderr, "%s …\n", doing);
  const auto error = session.server().stream(*client::find_method(method), request, token,
                                             deadline_ms, [&](const auto& said) {
                                               response.CopyFrom(said);
                                               return true;
                                             });
  return error.ok() ? kExitOk : session.fail(error);
}

// Waits until `ended` has an exit code for the state of a view, or the view stands still.
int wait_for(Session& session, const std::string& name, int32_t version,
             const std::function<std::optional<int>(const admin::v1::ViewStatus&)>& ended) {
  const bool terminal = isatty(STDERR_FILENO) != 0;
  for (;;) {
    admin::v1::GetStatusResponse status;
    if (const int code = ask_status(session, status)) return code;
    const auto* view = find(status, name, version);
    if (!view) return session.fail(kExitNotFound, "not found: no view " + name);
    if (terminal) {
      fprintf(stderr, "\r\033[K%s: %lld of %lld, %s", name.c_str(),
              static_cast<long long>(view->position()), static_cast<long long>(view->journal_end()),
              state_of(*view).c_str());
    }
    const auto code = view->stopped_why().empty() ? ended(*view) : kExitDamaged;
    if (!code) {
      std::this_thread::sleep_for(kPollEvery);
      continue;
    }
    if (terminal) fputs("\r\033[K", stderr);
    if (*code != kExitOk) return session.fail(*code, name + ": " + state_of(*view));
    if (session.json()) session.print(*view);
    return kExitOk;
  }
}

std::string rows_of(const admin::v1::TableFigures& figures) {
  return std::to_string(figures.rows()) + " / " + std::to_string(figures.versions());
}

}  // namespace

int run_view_status(Session& session) {
  if (const int code = session.connect("operator")) return code;
  admin::v1::GetStatusResponse status;
  if (const int code = ask_status(session, status)) return code;
  int worst = kExitOk;
  Table table({"view", ">version", "live", ">position", ">of", ">events/s", ">lag events",
               ">lag ms", "most behind", "state"});
  for (const auto& view : status.views()) {
    table.row({view.name(), std::to_string(view.version()), view.live() ? "yes" : "",
               std::to_string(view.position()), std::to_string(view.journal_end()),
               std::to_string(std::llround(view.events_per_second())),
               std::to_string(view.lag_events()), std::to_string(view.lag_ms()),
               most_behind(view),
               state_of(view)});
    if (!is_good(view)) worst = kExitDamaged;
  }
  if (session.json()) {
    session.print(status);
    return worst;
  }
  say(table.text());
  Table skipped({"view passes over", ">version", "event", "decided by", "reason"});
  for (const auto& view : status.views()) {
    for (const auto& event : view.skipped_events()) {
      skipped.row({view.name(), std::to_string(view.version()),
                   event.ledger() + "/" + std::to_string(event.seq()), event.decided_by(),
                   event.reason()});
    }
  }
  if (!skipped.empty()) say("\n" + skipped.text());
  if (!status.unknown_views().empty()) {
    say("\nfiles of versions that this program does not have; `view drop` deletes them:\n");
    for (const auto& unknown : status.unknown_views())
      say("  " + unknown.name() + " version " + std::to_string(unknown.version()) + "\n");
  }
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
  int32_t version = 0;
  if (const int code = version_option(session, "--version", version)) return code;
  request.set_version(version);
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
  int32_t version = 0;
  if (const int code = version_option(session, "--version", version)) return code;
  admin::v1::RebuildViewRequest request;
  request.set_view(name);
  request.set_version(version);
  admin::v1::RebuildViewResponse response;
  if (const int code = session.ask("admin.RebuildView", request, response)) return code;
  int64_t folded = 0;
  const int code = wait_for(session, name, version,
                            [&](const admin::v1::ViewStatus& view) -> std::optional<int> {
                              if (!is_good(view)) return kExitDamaged;
                              if (view.building()) return std::nullopt;
                              folded = view.events_folded();
                              return kExitOk;
                            });
  if (code == kExitOk && !session.json())
    say(name + ": rebuilt, " + std::to_string(folded) + " events folded\n");
  return code;
}

int run_view_verify(Session& session) {
  if (const int code = session.connect("operator")) return code;
  admin::v1::VerifyViewRequest request;
  request.set_view(session.positional(0));
  int32_t version = 0;
  if (const int code = version_option(session, "--version", version)) return code;
  request.set_version(version);
  if (const int code = fill_scope(session, request)) return code;
  admin::v1::VerifyViewResponse report;
  if (const int code =
          ask_long(session, "admin.VerifyView", request, "folding the journal again", report))
    return code;
  if (session.json()) {
    session.print(report);
  } else {
    say(listing(
        {{"view", request.view()},
         {"compared", std::to_string(report.versions()) + " row versions of " +
                          std::to_string(report.ledgers()) + " ledgers, from " +
                          std::to_string(report.events()) + " events"},
         {"passed over", report.skipped_events() == 0
                             ? ""
                             : std::to_string(report.skipped_events()) + " events, as decided"},
         {"digest", report.digest()},
         {"result", report.equal() ? "equal" : "DIFFERENT: " + report.difference()},
         {"in all", report.differing_versions() == 0
                        ? ""
                        : std::to_string(report.differing_versions()) + " row versions differ"}}));
  }
  return report.equal() ? kExitOk : kExitDamaged;
}

int run_view_compare(Session& session) {
  if (const int code = session.connect("operator")) return code;
  admin::v1::CompareViewsRequest request;
  request.set_view(session.positional(0));
  int32_t version = 0;
  if (const int code = needed_version(session, "--version", version)) return code;
  request.set_version(version);
  if (const int code = needed_version(session, "--with", version)) return code;
  request.set_other_version(version);
  if (const int code = fill_scope(session, request)) return code;
  admin::v1::CompareViewsResponse found;
  if (const int code =
          ask_long(session, "admin.CompareViews", request, "reading both versions", found))
    return code;
  if (session.json()) {
    session.print(found);
    return found.equal() ? kExitOk : kExitDamaged;
  }
  Table table({"table", ">rows / versions", ">of the other", ">rows that differ", "the first"});
  for (const auto& one : found.tables()) {
    table.row({one.table(), rows_of(one.figures()), rows_of(one.other_figures()),
               std::to_string(one.differing_rows()), one.difference()});
  }
  say(table.text());
  say(std::to_string(found.ledgers()) +
      " ledgers: " + (found.equal() ? "the same rows\n" : "DIFFERENT\n"));
  return found.equal() ? kExitOk : kExitDamaged;
}

int run_view_switch(Session& session) {
  if (const int code = session.connect("operator")) return code;
  const std::string name = session.positional(0);
  int32_t version = 0;
  if (const int code = needed_version(session, "--to", version)) return code;
  if (!session.arguments().has("--reason")) return session.usage("--reason is missing");
  // The decision is one for every process; a wrong one is seen here before it is made.
  admin::v1::GetStatusResponse status;
  if (const int code = ask_status(session, status)) return code;
  const auto* view = find(status, name, version);
  if (!view) {
    return session.fail(kExitNotFound, "not found: no version " + std::to_string(version) +
                                           " of view " + name + " in this server");
  }
  if (view->building() || view->dropped() || !view->stopped_why().empty())
    return session.fail(kExitRefused, name + " cannot answer: " + state_of(*view));
  admin::v1::SwitchViewRequest request;
  fill_operators(session, *request.mutable_context());
  request.mutable_context()->set_reason(session.arguments().get("--reason"));
  request.set_ledger(kDirectory);
  request.set_view(name);
  request.set_view_version(version);
  admin::v1::SwitchViewResponse response;
  if (const int code = session.ask("admin.SwitchView", request, response)) return code;
  const int code = wait_for(session, name, version, [](const auto& now) {
    return now.live() ? std::optional<int>(kExitOk) : std::nullopt;
  });
  if (code == kExitOk && !session.json())
    say(name + ": version " + std::to_string(version) + " answers\n");
  return code;
}

int run_view_skip(Session& session) {
  if (const int code = session.connect("operator")) return code;
  const std::string name = session.positional(0);
  if (!session.arguments().has("--ledger")) return session.usage("--ledger is missing");
  const std::string ledger = session.arguments().get("--ledger");
  int64_t seq = 0;
  if (!session.arguments().has("--seq")) return session.usage("--seq is missing");
  if (const int code = session.number("--seq", seq)) return code;
  if (!session.arguments().has("--reason")) return session.usage("--reason is missing");
  int32_t version = 0;
  if (const int code = version_option(session, "--version", version)) return code;
  admin::v1::GetStatusResponse status;
  if (const int code = ask_status(session, status)) return code;
  const auto* view = find(status, name, version);
  if (!view) return session.fail(kExitNotFound, "not found: no view " + name);
  bool stands_there = false;
  for (const auto& stopped : view->stopped_ledgers())
    stands_there |= stopped.ledger() == ledger && stopped.seq() == seq;
  if (!stands_there && !session.arguments().has("--folded")) {
    return session.fail(kExitRefused, name + " does not stand still at " + ledger + "/" +
                                          std::to_string(seq) + ": " + state_of(*view));
  }
  admin::v1::SkipViewEventRequest request;
  fill_operators(session, *request.mutable_context());
  request.mutable_context()->set_reason(session.arguments().get("--reason"));
  request.set_ledger(ledger);
  request.set_seq(seq);
  request.set_view(name);
  request.set_view_version(version);
  admin::v1::SkipViewEventResponse response;
  if (const int code = session.ask("admin.SkipViewEvent", request, response)) return code;
  if (session.json()) {
    session.print(response);
  } else {
    say(name + " passes over " + ledger + "/" + std::to_string(seq) + " for ever\n");
  }
  return kExitOk;
}

int run_view_drop(Session& session) {
  if (const int code = session.connect("operator")) return code;
  admin::v1::DropViewRequest request;
  request.set_view(session.positional(0));
  int32_t version = 0;
  if (const int code = needed_version(session, "--version", version)) return code;
  request.set_version(version);
  admin::v1::DropViewResponse response;
  if (const int code = session.ask("admin.DropView", request, response)) return code;
  if (session.json()) {
    session.print(response);
  } else {
    say(request.view() + ": version " + std::to_string(version) + " is dropped\n");
  }
  return kExitOk;
}

}  // namespace taizhang::cli
