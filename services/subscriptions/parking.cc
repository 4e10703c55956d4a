// Subjects whose events are kept back, their replay, and single events that are given up.
#include "domain/subscription.h"
#include "services/subscriptions/aggregates.h"
#include "taizhang/subscriptions/v1/commands.pb.h"
#include "taizhang/subscriptions/v1/errors.pb.h"
#include "taizhang/subscriptions/v1/events.pb.h"

namespace taizhang::subscriptions {
namespace {

using state::v1::Parked;
using state::v1::Subscription;
using v1::EventSkipped;
using v1::ParkSubjectRequest;
using v1::ReplayParkedRequest;
using v1::ReplayStarted;
using v1::SkipEventRequest;
using v1::SubjectParked;

Refusal not_reached(const Ledger& ledger) {
  return refuse(v1::SUBSCRIPTIONS_REFUSAL_SEQ_NOT_REACHED, "seq",
                {{"seq", std::to_string(ledger.named_seq())}});
}

Decision decide_park(const Ledger& ledger, const ParkSubjectRequest& command) {
  const auto* row = find_subscription(ledger, command);
  if (!row) return refuse(v1::SUBSCRIPTIONS_REFUSAL_SUBSCRIPTION_NOT_FOUND, "name");
  if (command.seq() > ledger.named_seq()) return not_reached(ledger);
  const auto* parked = ledger.find<Parked>(command.ledger(), command.name(), command.subject());
  if (parked && !parked->replaying())
    return refuse(v1::SUBSCRIPTIONS_REFUSAL_SUBJECT_ALREADY_PARKED, "subject");
  if (parked ? command.seq() <= parked->after_seq() : is_handled(*row, command.seq()))
    return refuse(v1::SUBSCRIPTIONS_REFUSAL_ALREADY_HANDLED, "seq");
  if (!parked && row->parked_subjects() >= kParkedSubjectsMax) {
    return refuse(v1::SUBSCRIPTIONS_REFUSAL_TOO_MANY_PARKED, "name",
                  {{"limit", "parked_subjects_per_subscription_max"},
                   {"max", std::to_string(kParkedSubjectsMax)}});
  }
  auto event = copy_inputs<SubjectParked>(command);
  event.set_subscription(subscription_id(command.ledger(), command.name()));
  return emit(std::move(event));
}

Decision decide_replay(const Ledger& ledger, const ReplayParkedRequest& command) {
  if (!find_subscription(ledger, command))
    return refuse(v1::SUBSCRIPTIONS_REFUSAL_SUBSCRIPTION_NOT_FOUND, "name");
  const auto* parked = ledger.find<Parked>(command.ledger(), command.name(), command.subject());
  if (!parked) return refuse(v1::SUBSCRIPTIONS_REFUSAL_SUBJECT_NOT_PARKED, "subject");
  if (parked->replaying()) return refuse(v1::SUBSCRIPTIONS_REFUSAL_REPLAY_RUNNING, "subject");
  auto event = copy_inputs<ReplayStarted>(command);
  event.set_subscription(subscription_id(command.ledger(), command.name()));
  return emit(std::move(event));
}

Decision decide_skip(const Ledger& ledger, const SkipEventRequest& command) {
  const auto* row = find_subscription(ledger, command);
  if (!row) return refuse(v1::SUBSCRIPTIONS_REFUSAL_SUBSCRIPTION_NOT_FOUND, "name");
  if (command.seq() > ledger.named_seq()) return not_reached(ledger);
  EventSkipped event;
  event.set_subscription(subscription_id(command.ledger(), command.name()));
  event.set_seq(command.seq());
  ledger.scan<Parked>(
      [&](const Parked& parked) {
        const bool waits_there = parked.seq() == command.seq() && parked.after_seq() < parked.seq();
        if (waits_there) event.set_subject(parked.subject());
        return !waits_there;
      },
      command.ledger(), command.name());
  // The position may have passed what is kept back.
  if (event.subject().empty() && is_handled(*row, command.seq()))
    return refuse(v1::SUBSCRIPTIONS_REFUSAL_ALREADY_HANDLED, "seq");
  Subscription after = *row;
  apply(event, after);
  if (after.done_size() > kDoneRangesMax) {
    return refuse(
        v1::SUBSCRIPTIONS_REFUSAL_TOO_MANY_RANGES, "seq",
        {{"limit", "done_ranges_per_subscription_max"}, {"max", std::to_string(kDoneRangesMax)}});
  }
  if (after.skipped_size() > kSkippedMax) {
    return refuse(
        v1::SUBSCRIPTIONS_REFUSAL_TOO_MANY_RANGES, "seq",
        {{"limit", "skipped_events_per_subscription_max"}, {"max", std::to_string(kSkippedMax)}});
  }
  return emit(std::move(event));
}

void evolve_parked(Ledger& ledger, const SubjectParked& event) {
  const auto name = subscription_name(event.subscription());
  auto& parked = ledger.edit<Parked>(name.ledger, name.name, event.subject());
  auto& row = ledger.edit<Subscription>(name.ledger, name.name);
  if (parked.changed_seq() == 0) row.set_parked_subjects(row.parked_subjects() + 1);
  apply(event, ledger.seq(), parked);
}

void evolve_replay(Ledger& ledger, const ReplayStarted& event) {
  const auto name = subscription_name(event.subscription());
  ledger.edit<Subscription>(name.ledger, name.name);
  auto& parked = ledger.edit<Parked>(name.ledger, name.name, event.subject());
  parked.set_replaying(true);
  parked.set_changed_seq(ledger.seq());
}

void evolve_skipped(Ledger& ledger, const EventSkipped& event) {
  const auto name = subscription_name(event.subscription());
  auto& row = ledger.edit<Subscription>(name.ledger, name.name);
  apply(event, row);
  if (event.subject().empty()) return;
  ledger.edit<Parked>(name.ledger, name.name, event.subject()).set_after_seq(event.seq());
}

}  // namespace

void register_parking(Registry& registry) {
  registry.command<ParkSubjectRequest>(decide_park)
      .command<ReplayParkedRequest>(decide_replay)
      .command<SkipEventRequest>(decide_skip)
      .event<SubjectParked>(evolve_parked)
      .event<ReplayStarted>(evolve_replay)
      .event<EventSkipped>(evolve_skipped);
}

}  // namespace taizhang::subscriptions
