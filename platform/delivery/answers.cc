// What is told of subscriptions: rows of the view, and what the delivering thread knows.
#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "platform/command/ledgers.h"
#include "platform/delivery/delivery.h"
#include "platform/delivery/group.h"
#include "platform/state/key.h"
#include "taizhang/ledger/v1/ledger.pb.h"
#include "taizhang/subscriptions/state/v1/state.pb.h"
#include "taizhang/subscriptions/v1/errors.pb.h"
#include "taizhang/subscriptions/v1/queries.pb.h"

namespace taizhang::delivery {

using google::protobuf::Message;
using google::protobuf::util::TimeUtil;
using subscriptions::state::v1::Parked;
using subscriptions::state::v1::Subscription;
namespace sv1 = subscriptions::v1;

namespace {

// A call that waits is answered this long before its deadline, so that the answer still arrives.
constexpr int64_t kAnswerBeforeDeadlineUs = 20'000;
// Of the search for the oldest event that is not handled.
constexpr int64_t kLagLooksMax = 500;
// And of all of them for one set of readings: nothing is delivered meanwhile.
constexpr int64_t kLagsUsMax = 20'000;

// Nothing: the view stands still or is being built, so it cannot be told.
std::optional<int64_t> seq_of(const LiveView& view, const std::string& ledger) {
  const auto progress = view.progress(ledger);
  if (const auto* now = std::get_if<LiveView::Progress>(&progress)) return now->seq;
  // Of a ledger that this process has not read yet it holds nothing.
  if (std::get<Error>(progress).code == kNotFound) return 0;
  return std::nullopt;
}

void fill(const Parked& row, sv1::ParkedSubject& out) {
  out.set_subject(row.subject());
  out.set_version(row.changed_seq());
  out.set_seq(row.seq());
  out.set_after_seq(row.after_seq());
  out.set_attempts(row.attempts());
  out.set_reason(row.reason());
  *out.mutable_parked_time() = TimeUtil::MicrosecondsToTimestamp(row.parked_time_us());
  *out.mutable_parked_by() = row.parked_by();
  out.set_replaying(row.replaying());
}

// The rows of a ledger's subscriptions, wherever they stand: calls `read` for each system ledger
// that this process holds, until it answers true.
std::optional<Error> read_rows(const Parts& parts, const std::function<bool(SnapshotRows&)>& read) {
  const auto view = parts.rows();
  for (uint32_t partition = 0; partition < parts.partitions; ++partition) {
    const std::string system = system_ledger(partition);
    const auto progress = view->progress(system);
    if (const auto* error = std::get_if<Error>(&progress)) {
      if (error->code == kNotFound) continue;  // that partition has none
      return *error;
    }
    bool found = false;
    if (const auto error = view->read(system, std::get<LiveView::Progress>(progress).seq,
                                      [&](SnapshotRows& rows) { found = read(rows); })) {
      return error;
    }
    if (found) break;
  }
  return std::nullopt;
}

// The same of one ledger; its newest seq as the view of events holds it now goes to `read`.
std::optional<Error> read_rows_of(
    const Parts& parts, const std::string& ledger,
    const std::function<bool(SnapshotRows&, int64_t ledger_seq)>& read) {
  const auto progress = parts.events()->progress(ledger);
  if (const auto* error = std::get_if<Error>(&progress)) return *error;
  const int64_t seq = std::get<LiveView::Progress>(progress).seq;
  return read_rows(parts, [&](SnapshotRows& rows) { return read(rows, seq); });
}

// Age of the oldest selected event of the ledger up to `end` that is not handled, ms; 0: none.
// Nothing: the events cannot be read.
std::optional<int64_t> lag_ms(const Parts& parts, const Subscription& row, int64_t end) {
  if (row.position() >= end) return 0;
  ledger::v1::EventFilter selected;
  *selected.mutable_types() = row.selection().types();
  *selected.mutable_subjects() = row.selection().subjects();
  *selected.mutable_contexts() = row.selection().contexts();
  std::optional<int64_t> oldest_us;
  const auto take = [&](const EventMeta& event) {
    const auto next =
        std::partition_point(row.done().begin(), row.done().end(),
                             [&](const auto& range) { return range.last() < event.seq; });
    if (next != row.done().end() && next->first() <= event.seq) return true;
    oldest_us = event.recorded_time_us;
    return false;
  };
  int64_t seen = end;
  const auto error = parts.events()->read(row.ledger(), end, [&](SnapshotRows& rows) {
    seen = parts.walk(rows, selected, row.position() + 1, end, kLagLooksMax, take);
    if (!oldest_us && seen < end) parts.walk(rows, {}, seen + 1, seen + 1, 1, take);
  });
  if (error) return std::nullopt;
  if (!oldest_us) return 0;
  return std::max<int64_t>(0, parts.clock.wall_us() - *oldest_us) / 1'000;
}

// `ledger_seq`: nothing when it is not known; then neither is the backlog.
void fill(const Subscription& row, std::optional<int64_t> ledger_seq,
          sv1::SubscriptionState& state) {
  state.set_name(row.name());
  state.set_version(row.version());
  *state.mutable_selection() = row.selection();
  *state.mutable_rules() = row.rules();
  state.set_created_after_seq(row.created_after_seq());
  *state.mutable_created_time() = TimeUtil::MicrosecondsToTimestamp(row.created_time_us());
  *state.mutable_created_by() = row.created_by();
  state.set_position(row.position());
  int64_t handled = 0;
  for (const auto& range : row.done()) handled += range.last() - range.first() + 1;
  state.set_handled_behind(handled);
  if (ledger_seq) state.set_backlog(std::max<int64_t>(0, *ledger_seq - row.position()));
  state.set_parked_subjects(row.parked_subjects());
  state.set_generation(row.generation());
}

void fill_with_lag(const Parts& parts, const Subscription& row, int64_t ledger_seq,
                   sv1::SubscriptionState& state) {
  fill(row, ledger_seq, state);
  if (const auto lag = lag_ms(parts, row, ledger_seq)) state.set_lag_ms(*lag);
}

Answer get(const Parts& parts, const sv1::GetSubscriptionRequest& request,
           std::vector<sv1::SubscriptionState*>& states) {
  auto response = std::make_unique<sv1::GetSubscriptionResponse>();
  const auto error = read_rows_of(parts, request.ledger(), [&](SnapshotRows& rows, int64_t seq) {
    Subscription row;
    if (!rows.read(row_type<Subscription>(), make_key(request.ledger(), request.name()), row))
      return false;
    fill_with_lag(parts, row, seq, *response->mutable_subscription());
    rows.scan(row_type<Parked>(), make_key(request.ledger(), request.name()), {},
              [&](std::string_view, const Message& parked) {
                fill(static_cast<const Parked&>(parked), *response->add_parked());
                return true;
              });
    return true;
  });
  if (error) return *error;
  if (!response->has_subscription())
    return error_of(refuse(sv1::SUBSCRIPTIONS_REFUSAL_SUBSCRIPTION_NOT_FOUND, "name"));
  states = {response->mutable_subscription()};
  std::sort(response->mutable_parked()->pointer_begin(), response->mutable_parked()->pointer_end(),
            [](const auto* a, const auto* b) { return a->seq() < b->seq(); });
  return response;
}

Answer list(const Parts& parts, const sv1::ListSubscriptionsRequest& request,
            std::vector<sv1::SubscriptionState*>& states) {
  auto response = std::make_unique<sv1::ListSubscriptionsResponse>();
  const auto error = read_rows_of(parts, request.ledger(), [&](SnapshotRows& rows, int64_t seq) {
    rows.scan(row_type<Subscription>(), make_key(request.ledger()), {},
              [&](std::string_view, const Message& row) {
                fill_with_lag(parts, static_cast<const Subscription&>(row), seq,
                              *response->add_subscriptions());
                return true;
              });
    return !response->subscriptions().empty();
  });
  if (error) return *error;
  states = {response->mutable_subscriptions()->pointer_begin(),
            response->mutable_subscriptions()->pointer_end()};
  return response;
}

}  // namespace

void Delivery::ask(const Call& call, const std::string& ledger, const std::string& at_least_event,
                   Read read, Done done) {
  const auto tell = [this, inbox = inbox_, ledger, read = std::move(read), done] {
    auto states = std::make_shared<std::vector<sv1::SubscriptionState*>>();
    auto answer = std::make_shared<Answer>(read(*states));
    const bool posted = inbox->post([this, ledger, states, answer, done] {
      for (auto* state : *states) tell_delivery(ledger, *state);
      done(std::move(*answer));
    });
    if (!posted) {
      done(failure(kUnavailable, "SERVER_STOPPING", "the server is stopping", {{"outcome", "none"}},
                   1'000));
    }
  };
  if (at_least_event.empty()) return tell();
  const size_t slash = at_least_event.find('/');
  int64_t seq = 0;
  const char* end = at_least_event.data() + at_least_event.size();
  if (slash == std::string::npos ||
      std::from_chars(at_least_event.data() + slash + 1, end, seq).ptr != end || seq < 1) {
    return done(invalid_field("at_least_event", "must be an event id of a receipt"));
  }
  const std::string system = at_least_event.substr(0, slash);
  const auto view = parts_.rows();
  // A view that is being built, or stands still, says so; one that has not read so far is waited
  // for.
  const auto cannot = [view, system]() -> std::optional<Error> {
    const auto progress = view->progress(system);
    const auto* error = std::get_if<Error>(&progress);
    return error && error->code != kNotFound ? std::optional<Error>(*error) : std::nullopt;
  };
  if (auto error = cannot()) return done(*std::move(error));
  if (seq_of(*view, system).value_or(0) >= seq) return tell();
  view->when_beyond(
      system, seq - 1, call.deadline_boot_us - kAnswerBeforeDeadlineUs,
      [view, system, seq, cannot, tell, done] {
        if (auto error = cannot()) return done(*std::move(error));
        const int64_t reached = seq_of(*view, system).value_or(0);
        if (reached >= seq) return tell();
        done(failure(kDeadlineExceeded, "SEQ_NOT_REACHED", "the event asked for is not held yet",
                     {{"ledger", system}, {"seq", std::to_string(reached)}}));
      });
}

void Delivery::tell_delivery(const std::string& ledger, sv1::SubscriptionState& state) const {
  const auto group = groups_.find(ledger + "/" + state.name());
  if (group != groups_.end()) group->second.group->tell(*state.mutable_delivery());
}

template <class Request>
void Delivery::handle_question(Dispatcher& dispatcher, const char* rpc,
                               Answer (*read)(const Parts& parts, const Request& request,
                                              std::vector<sv1::SubscriptionState*>& states)) {
  dispatcher.handle(
      std::string(kService) + rpc,
      [this, read](const Call& call, std::shared_ptr<const Message> message, Done done) {
        const auto& request = static_cast<const Request&>(*message);
        ask(
            call, request.ledger(), request.at_least_event(),
            [parts = shared_parts_, read, message](auto& states) {
              return read(*parts, static_cast<const Request&>(*message), states);
            },
            std::move(done));
      });
}

void Delivery::serve_questions(Dispatcher& dispatcher) {
  handle_question<sv1::GetSubscriptionRequest>(dispatcher, "GetSubscription", get);
  handle_question<sv1::ListSubscriptionsRequest>(dispatcher, "ListSubscriptions", list);
}

void Delivery::read_all() {
  std::vector<Reading> readings;
  // The search costs as much as there is to pass over. Who finds no time left keeps what was found
  // before, and comes first next time.
  const size_t first_place = std::exchange(lags_from_, 0);
  const int64_t until_us = parts_.clock.boot_us() + kLagsUsMax;
  const auto lag_of = [&](const Subscription& row, const std::string& id, int64_t end) {
    const size_t place = readings.size();
    if (row.position() >= end) return lag_ms(parts_, row, end);
    if (place > first_place && lags_from_ == 0 && parts_.clock.boot_us() >= until_us)
      lags_from_ = place;
    if (place >= first_place && lags_from_ == 0) return lag_ms(parts_, row, end);
    const auto before = std::find_if(readings_.begin(), readings_.end(),
                                     [&](const Reading& one) { return one.subscription == id; });
    return before == readings_.end() ? std::nullopt : before->lag_ms;
  };
  const auto take = [&](const Subscription& row) {
    const auto end = seq_of(*parts_.events(), row.ledger());
    sv1::SubscriptionState state;
    fill(row, end, state);
    tell_delivery(row.ledger(), state);
    const std::string id = row.ledger() + "/" + row.name();
    readings.push_back({.subscription = id,
                        .position = state.position(),
                        .lag_events = end ? std::optional(state.backlog()) : std::nullopt,
                        .lag_ms = end ? lag_of(row, id, *end) : std::nullopt,
                        .in_flight = state.delivery().outstanding(),
                        .parked_subjects = state.parked_subjects(),
                        .redeliveries = state.delivery().redeliveries(),
                        .consumers = state.delivery().consumers()});
    return readings.size() < kReadingsMax;
  };
  std::optional<Error> error = parts_.not_leading();
  if (!error) {
    error = read_rows(parts_, [&](SnapshotRows& rows) {
      rows.scan(row_type<Subscription>(), {}, {}, [&](std::string_view, const Message& row) {
        return take(static_cast<const Subscription&>(row));
      });
      return readings.size() == kReadingsMax;
    });
  }
  if (error) readings.clear();
  const std::lock_guard lock(readings_mutex_);
  readings_ = std::move(readings);
}

std::vector<Reading> Delivery::readings() const {
  const std::lock_guard lock(readings_mutex_);
  return readings_;
}

}  // namespace taizhang::delivery
