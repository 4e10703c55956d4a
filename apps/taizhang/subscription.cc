// Named subscriptions on the terminal.
#include <charconv>
#include <cstdio>

#include "apps/taizhang/event_text.h"
#include "apps/taizhang/session.h"
#include "apps/taizhang/text.h"
#include "apps/taizhang/verbs.h"
#include "taizhang/subscriptions/v1/commands.pb.h"
#include "taizhang/subscriptions/v1/queries.pb.h"

namespace taizhang::cli {
namespace {

namespace sv1 = subscriptions::v1;

constexpr int64_t kReceiveDeadlineMs = 24 * 3'600'000;

// Ledger and name of a request.
template <class Request>
int name_it(Session& session, Request& request, const std::string& usual = "") {
  if (const int code = session.connect(usual)) return code;
  if (session.ledger().empty())
    return session.usage("--ledger is missing, and the settings name none");
  request.set_ledger(session.ledger());
  if constexpr (requires { request.set_name(""); }) request.set_name(session.positional(0));
  return kExitOk;
}

// Runs a command and says what came of it.
template <class Response, class Request>
int decide(Session& session, const std::string& method, Request& request, const std::string& done) {
  auto& context = *request.mutable_context();
  fill_operators(session, context);
  context.set_reason(session.arguments().get("--reason"));
  Response response;
  if (const int code = session.ask("subscriptions." + method, request, response)) return code;
  if (session.json()) {
    session.print(response);
  } else {
    const auto& receipt = response.receipt();
    say("subscription " + request.name() + ": " +
        (receipt.duplicate() || receipt.unchanged() ? "nothing changed" : done) + " (" +
        receipt.event_ids(0) + ")\n");
  }
  return kExitOk;
}

// "17,19" into a list; false: not such a list.
template <class Seqs>
bool read_seqs(const std::string& text, Seqs& out) {
  const char* const end = text.data() + text.size();
  for (const char* at = text.data();; ++at) {
    int64_t seq = 0;
    const auto [next, failed] = std::from_chars(at, end, seq);
    if (failed != std::errc() || seq < 1) return false;
    out.Add(seq);
    if (next == end) return true;
    if (*next != ',') return false;
    at = next;
  }
}

int positional_seq(Session& session, size_t place, int64_t& out) {
  const std::string text = session.positional(place);
  const auto [next, failed] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (failed == std::errc() && next == text.data() + text.size() && out > 0) return kExitOk;
  return session.usage("SEQ: expected a number above 0");
}

std::string selection_of(const sv1::Selection& selection) {
  std::string text;
  const auto add = [&](const std::string& one) { text += (text.empty() ? "" : ", ") + one; };
  for (const auto& type : selection.types()) add(short_type(type));
  for (const auto& context : selection.contexts()) add("context " + context);
  for (const auto& subject : selection.subjects()) add(text_of(subject));
  return text.empty() ? "every event" : text;
}

int fill_selection(const Session& session, sv1::Selection& selection) {
  const auto& arguments = session.arguments();
  const std::string type = arguments.get("--type");
  if (!type.empty()) selection.add_types(type.starts_with("taizhang.") ? type : "taizhang." + type);
  if (arguments.has("--context")) selection.add_contexts(arguments.get("--context"));
  const std::string subject = arguments.get("--subject");
  if (subject.empty()) return kExitOk;
  const size_t slash = subject.find('/');
  common::v1::SubjectKind kind = common::v1::SUBJECT_KIND_UNSPECIFIED;
  if (slash == std::string::npos ||
      !common::v1::SubjectKind_Parse("SUBJECT_KIND_" + subject.substr(0, slash), &kind)) {
    return session.usage("--subject: expected KIND/ID, for example HOUSEHOLD/6a13651f-…");
  }
  selection.add_subjects()->set_kind(kind);
  selection.mutable_subjects(0)->set_id(subject.substr(slash + 1));
  return kExitOk;
}

std::string lag_of(const sv1::SubscriptionState& one) {
  return one.has_lag_ms() ? std::to_string(one.lag_ms()) : "not known";
}

}  // namespace

int run_subscription_create(Session& session) {
  sv1::CreateSubscriptionRequest request;
  if (const int code = name_it(session, request, "operator")) return code;
  if (const int code = fill_selection(session, *request.mutable_selection())) return code;
  int64_t after = 0;
  int32_t attempts = 0;
  int32_t deadline_ms = 0;
  int32_t outstanding = 0;
  if (const int code = session.number("--after", after)) return code;
  if (const int code = session.number("--attempts", attempts)) return code;
  if (const int code = session.number("--ack-deadline", deadline_ms)) return code;
  if (const int code = session.number("--outstanding", outstanding)) return code;
  if (session.arguments().has("--from-now")) {
    if (session.arguments().has("--after"))
      return session.usage("only one of --after and --from-now");
    request.set_from_now(true);
  } else {
    request.set_after_seq(after);
  }
  auto& rules = *request.mutable_rules();
  rules.set_attempts_max(attempts);
  rules.set_ack_deadline_ms(deadline_ms);
  rules.set_outstanding_max(outstanding);
  return decide<sv1::CreateSubscriptionResponse>(session, "CreateSubscription", request, "created");
}

int run_subscription_list(Session& session) {
  sv1::ListSubscriptionsRequest request;
  if (const int code = name_it(session, request)) return code;
  request.set_at_least_event(session.arguments().get("--at-least-event"));
  sv1::ListSubscriptionsResponse response;
  if (const int code = session.ask("subscriptions.ListSubscriptions", request, response))
    return code;
  if (session.json()) {
    session.print(response);
    return kExitOk;
  }
  Table table(
      {"name", ">position", ">backlog", ">lag ms", ">parked", ">consumers", "events"});
  for (const auto& one : response.subscriptions()) {
    table.row({one.name(), std::to_string(one.position()), std::to_string(one.backlog()),
               lag_of(one), std::to_string(one.parked_subjects()),
               std::to_string(one.delivery().consumers()), selection_of(one.selection())});
  }
  say(table.text());
  return kExitOk;
}

int run_subscription_show(Session& session) {
  sv1::GetSubscriptionRequest request;
  if (const int code = name_it(session, request)) return code;
  request.set_at_least_event(session.arguments().get("--at-least-event"));
  sv1::GetSubscriptionResponse response;
  if (const int code = session.ask("subscriptions.GetSubscription", request, response)) return code;
  if (session.json()) {
    session.print(response);
    return kExitOk;
  }
  const auto& one = response.subscription();
  const auto& delivery = one.delivery();
  say(listing(
      {{"subscription", one.name()},
       {"events", selection_of(one.selection())},
       {"created", text_of(one.created_time()) + " by " + one.created_by().subject()},
       {"position", std::to_string(one.position()) + ", begun after " +
                        std::to_string(one.created_after_seq())},
       {"handled behind it", std::to_string(one.handled_behind())},
       {"backlog", std::to_string(one.backlog()) + " events of the ledger"},
       {"lag ms", lag_of(one)},
       {"rules", std::to_string(one.rules().attempts_max()) + " attempts, " +
                     std::to_string(one.rules().ack_deadline_ms()) + " ms to acknowledge, " +
                     std::to_string(one.rules().outstanding_max()) + " outstanding"},
       {"delivery", one.has_delivery()
                        ? std::to_string(delivery.consumers()) + " consumers, " +
                              std::to_string(delivery.outstanding()) + " under way, " +
                              std::to_string(delivery.waiting()) + " not handled"
                        : "not by this process now"}}));
  if (response.parked().empty()) return kExitOk;
  say("\nParked\n");
  Table table({"subject", ">at seq", ">attempts", "since", "by", "state", "reason"});
  for (const auto& parked : response.parked()) {
    table.row({parked.subject(), std::to_string(parked.seq()), std::to_string(parked.attempts()),
               text_of(parked.parked_time()), parked.parked_by().subject(),
               parked.replaying() ? "being replayed" : "waits", parked.reason()});
  }
  say(table.text());
  return kExitOk;
}

int run_subscription_receive(Session& session) {
  sv1::ReceiveRequest request;
  if (const int code = name_it(session, request)) return code;
  const auto& arguments = session.arguments();
  int64_t count = 0;
  if (const int code = session.number("--count", count)) return code;
  // What is taken and not shown would have to wait for its deadline.
  request.set_batch_events_max(static_cast<int32_t>(count > 0 && count < 64 ? count : 64));
  std::string token;
  if (const int code = session.token("", token)) return code;
  const int64_t deadline_ms =
      arguments.has("--timeout") ? session.deadline_ms() : kReceiveDeadlineMs;
  int64_t shown = 0;
  int failed = kExitOk;
  const auto error = session.server().stream(
      *client::find_method("subscriptions.Receive"), request, token, deadline_ms,
      [&](const google::protobuf::Message& message) {
        const auto& said = static_cast<const sv1::ReceiveResponse&>(message);
        if (said.has_caught_up() && arguments.has("--until-caught-up")) return false;
        sv1::AcknowledgeRequest handled;
        for (const auto& delivery : said.batch().deliveries()) {
          const auto& event = delivery.event();
          if (session.json()) {
            say(json_of(event) + "\n");
          } else {
            say(std::to_string(event.seq()) + "  " + text_of(event.time()) + "  " +
                short_type(event.type()) + "  " + event.subject() +
                (delivery.attempt() > 1 ? "  attempt " + std::to_string(delivery.attempt()) : "") +
                (delivery.replayed() ? "  replayed" : "") +
                (arguments.has("--payload") ? "\n  " + payload_of(event) : "") + "\n");
          }
          handled.add_seqs(event.seq());
          if (++shown == count) break;
        }
        fflush(stdout);
        if (arguments.has("--ack") && handled.seqs_size() > 0) {
          handled.set_ledger(request.ledger());
          handled.set_name(request.name());
          sv1::AcknowledgeResponse response;
          failed = session.ask("subscriptions.Acknowledge", handled, response);
        }
        return failed == kExitOk && (count == 0 || shown < count);
      });
  if (failed != kExitOk) return failed;
  return error.ok() ? kExitOk : session.fail(error);
}

int run_subscription_ack(Session& session) {
  sv1::AcknowledgeRequest request;
  if (const int code = name_it(session, request)) return code;
  int64_t up_to = 0;
  if (const int code = session.number("--up-to", up_to)) return code;
  request.set_up_to_seq(up_to);
  const bool has_seqs = session.arguments().positionals().size() > 1;
  if (has_seqs && !read_seqs(session.positional(1), *request.mutable_seqs()))
    return session.usage("SEQS: expected numbers with commas between them");
  if (!has_seqs && up_to == 0) return session.usage("SEQS or --up-to is missing");
  sv1::AcknowledgeResponse response;
  if (const int code = session.ask("subscriptions.Acknowledge", request, response)) return code;
  if (session.json()) {
    session.print(response);
  } else {
    say("subscription " + request.name() + ": position " + std::to_string(response.position()) +
        "\n");
  }
  return kExitOk;
}

int run_subscription_retry(Session& session) {
  sv1::RetryRequest request;
  if (const int code = name_it(session, request)) return code;
  if (!read_seqs(session.positional(1), *request.mutable_seqs()))
    return session.usage("SEQS: expected numbers with commas between them");
  int32_t delay_ms = 0;
  if (const int code = session.number("--delay", delay_ms)) return code;
  request.set_delay_ms(delay_ms);
  sv1::RetryResponse response;
  if (const int code = session.ask("subscriptions.Retry", request, response)) return code;
  if (session.json()) {
    session.print(response);
  } else {
    say("subscription " + request.name() + ": " + std::to_string(response.retried()) +
        " will be delivered again\n");
  }
  return kExitOk;
}

int run_subscription_park(Session& session) {
  sv1::ParkSubjectRequest request;
  if (const int code = name_it(session, request)) return code;
  request.set_subject(session.positional(1));
  int64_t seq = 0;
  if (const int code = positional_seq(session, 2, seq)) return code;
  request.set_seq(seq);
  return decide<sv1::ParkSubjectResponse>(session, "ParkSubject", request,
                                          request.subject() + " is parked");
}

int run_subscription_replay(Session& session) {
  sv1::ReplayParkedRequest request;
  if (const int code = name_it(session, request)) return code;
  request.set_subject(session.positional(1));
  return decide<sv1::ReplayParkedResponse>(session, "ReplayParked", request,
                                           request.subject() + " is replayed");
}

int run_subscription_skip(Session& session) {
  sv1::SkipEventRequest request;
  if (const int code = name_it(session, request, "operator")) return code;
  int64_t seq = 0;
  if (const int code = positional_seq(session, 1, seq)) return code;
  request.set_seq(seq);
  return decide<sv1::SkipEventResponse>(session, "SkipEvent", request, "skipped");
}

int run_subscription_delete(Session& session) {
  sv1::DeleteSubscriptionRequest request;
  if (const int code = name_it(session, request, "operator")) return code;
  return decide<sv1::DeleteSubscriptionResponse>(session, "DeleteSubscription", request, "deleted");
}

}  // namespace taizhang::cli
