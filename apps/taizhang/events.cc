// The events of a ledger on the terminal: read by position, or followed live.
#include <unistd.h>

#include <cstdio>

#include "apps/taizhang/event_text.h"
#include "apps/taizhang/session.h"
#include "apps/taizhang/text.h"
#include "taizhang/ledger/v1/ledger.pb.h"

namespace taizhang::cli {
namespace {

namespace lv = ledger::v1;

constexpr int64_t kFollowDeadlineMs = 24 * 3'600'000;
constexpr int64_t kBackwardFrom = 0;
constexpr unsigned kReconnectSeconds = 1;

int fill_filter(const Session& session, lv::EventFilter& filter) {
  const std::string type = session.arguments().get("--type");
  if (!type.empty()) filter.add_types(type.starts_with("taizhang.") ? type : "taizhang." + type);
  const std::string subject = session.arguments().get("--subject");
  if (subject.empty()) return kExitOk;
  const size_t slash = subject.find('/');
  common::v1::SubjectKind kind = common::v1::SUBJECT_KIND_UNSPECIFIED;
  if (slash == std::string::npos || slash + 1 == subject.size() ||
      !common::v1::SubjectKind_Parse("SUBJECT_KIND_" + subject.substr(0, slash), &kind)) {
    return session.usage("--subject: expected KIND/ID, for example HOUSEHOLD/6a13651f-…");
  }
  auto& wanted = *filter.add_subjects();
  wanted.set_kind(kind);
  wanted.set_id(subject.substr(slash + 1));
  return kExitOk;
}

}  // namespace

int run_events_read(Session& session) {
  if (const int code = session.connect()) return code;
  lv::ReadEventsRequest request;
  if (const int code = session.prepare(request)) return code;
  int64_t from = kBackwardFrom;
  int64_t to = 0;
  if (const int code = session.number("--from", from)) return code;
  if (const int code = session.number("--to", to)) return code;
  const bool backward = session.arguments().has("--backward");
  // Backward the server reads down from `from_seq`; here the smaller number is always --from.
  request.set_from_seq(backward ? to : from);
  request.set_to_seq(backward ? from : to);
  request.set_backward(backward);
  if (const int code = fill_filter(session, *request.mutable_filter())) return code;
  int64_t limit = 100;
  if (const int code = session.number("--limit", limit)) return code;
  if (limit < 0) return session.usage("--limit: expected 0 or more");
  constexpr int64_t kPage = 1000;
  int64_t shown = 0;
  Table table({">seq", "recorded", "effective", "type", "subject", "who", "reason"});
  lv::ReadEventsResponse page;
  do {
    const int64_t missing = limit == 0 ? kPage : limit - shown;
    request.mutable_page()->set_page_size(static_cast<int32_t>(missing < kPage ? missing : kPage));
    page.Clear();
    if (const int code = session.ask("ledger.ReadEvents", request, page)) return code;
    for (const auto& event : page.events()) {
      ++shown;
      if (session.json()) {
        say(json_of(event) + "\n");
      } else if (session.arguments().has("--payload")) {
        const std::string content = payload_of(event);
        say(std::to_string(event.seq()) + " " + text_of(event.time()) + " " +
            short_type(event.type()) + "\n  " +
            (content.empty() ? "(not shown to this caller)" : content) + "\n");
      } else {
        table.row({std::to_string(event.seq()), text_of(event.time()),
                   text_of(event.effective_date()), short_type(event.type()), event.subject(),
                   event.actor().subject(), event.reason()});
      }
    }
    request.mutable_page()->set_page_token(page.next_page_token());
  } while (!page.next_page_token().empty() && (limit == 0 || shown < limit));
  if (session.json() || session.arguments().has("--payload")) return kExitOk;
  say(table.text());
  if (!page.next_page_token().empty()) say("… there is more: --limit 0 shows all\n");
  say("\n" + text_of(page.freshness()) + "\n");
  return kExitOk;
}

int run_events_follow(Session& session) {
  if (const int code = session.connect()) return code;
  if (session.ledger().empty())
    return session.usage("--ledger is missing, and the settings name none");
  lv::SubscribeRequest request;
  request.set_ledger(session.ledger());
  int64_t after = 0;
  int64_t count = 0;
  if (const int code = session.number("--after", after)) return code;
  if (const int code = session.number("--count", count)) return code;
  if (const int code = fill_filter(session, *request.mutable_filter())) return code;
  std::string token;
  if (const int code = session.token("", token)) return code;
  const int64_t deadline_ms =
      session.arguments().has("--timeout") ? session.deadline_ms() : kFollowDeadlineMs;
  const auto* method = client::find_method("ledger.Subscribe");
  int64_t shown = 0;
  for (;;) {
    request.set_after_seq(after);
    bool heard = false;
    const auto error = session.server().stream(
        *method, request, token, deadline_ms, [&](const google::protobuf::Message& message) {
          heard = true;
          const auto& said = static_cast<const lv::SubscribeResponse&>(message);
          if (said.has_checkpoint()) after = said.checkpoint().seq();
          for (const auto& event : said.batch().events()) {
            after = event.seq();
            if (session.json()) {
              say(json_of(event) + "\n");
            } else {
              const std::string content =
                  session.arguments().has("--payload") ? "\n  " + payload_of(event) : "";
              say(std::to_string(event.seq()) + "  " + text_of(event.time()) + "  " +
                  short_type(event.type()) + "  " + event.subject() + "  " +
                  event.actor().subject() + content + "\n");
            }
            if (++shown == count) return false;
          }
          fflush(stdout);
          return true;
        });
    if (error.ok()) return kExitOk;
    // A stream that was good before goes on where it stood; one that never was is an error.
    if (exit_code_of(error.code) != kExitUnavailable || !heard ||
        session.arguments().has("--timeout")) {
      return session.fail(error);
    }
    fprintf(stderr, "taizhang: the stream broke (%s); going on after seq %lld\n",
            error.code_name.c_str(), static_cast<long long>(after));
    sleep(kReconnectSeconds);
  }
}

}  // namespace taizhang::cli
