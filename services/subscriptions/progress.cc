// How far a subscription was handled, as the process that delivers it reports.
#include "domain/subscription.h"
#include "services/subscriptions/aggregates.h"
#include "taizhang/common/v1/errors.pb.h"
#include "taizhang/subscriptions/v1/commands.pb.h"
#include "taizhang/subscriptions/v1/errors.pb.h"
#include "taizhang/subscriptions/v1/events.pb.h"

namespace taizhang::subscriptions {
namespace {

using state::v1::Parked;
using state::v1::Subscription;
using v1::DeliveryStarted;
using v1::ProgressRecorded;
using v1::RecordProgressRequest;

void check_ranges(const RecordProgressRequest& command, Violations& found) {
  int64_t before = command.position();
  for (int i = 0; i < command.done_size(); ++i) {
    const auto& range = command.done(i);
    if (range.first() <= before + 1 || range.last() < range.first()) {
      found.add(common::v1::COMMON_REFUSAL_FIELD_INVALID, "done[" + std::to_string(i) + "]",
                "must lie behind the position and the ranges before it, not touching them");
      return;
    }
    before = range.last();
  }
  for (int i = 1; i < command.failed_size(); ++i) {
    if (command.failed(i).seq() > command.failed(i - 1).seq()) continue;
    found.add(common::v1::COMMON_REFUSAL_FIELD_INVALID, "failed[" + std::to_string(i) + "].seq",
              "must be above the one before");
    return;
  }
}

// The field that names a seq the followed ledger has not reached; empty: none does.
std::string beyond_end(const RecordProgressRequest& command, int64_t end) {
  const int64_t last =
      command.done().empty() ? command.position() : command.done().rbegin()->last();
  if (last > end) return "position";
  for (int i = 0; i < command.replays_size(); ++i) {
    if (command.replays(i).after_seq() > end) return "replays[" + std::to_string(i) + "].after_seq";
  }
  return "";
}

Decision decide_progress(const Ledger& ledger, const RecordProgressRequest& command) {
  const auto* row = find_subscription(ledger, command);
  if (!row) return refuse(v1::SUBSCRIPTIONS_REFUSAL_SUBSCRIPTION_NOT_FOUND, "name");
  const std::string id = subscription_id(command.ledger(), command.name());
  if (command.generation() == 0) {
    DeliveryStarted started;
    started.set_subscription(id);
    started.set_generation(row->generation() + 1);
    return emit(std::move(started));
  }
  if (command.generation() != row->generation()) {
    return refuse(v1::SUBSCRIPTIONS_REFUSAL_DELIVERY_MOVED, "generation",
                  {{"generation", std::to_string(row->generation())}});
  }
  if (const auto field = beyond_end(command, ledger.named_seq()); !field.empty()) {
    return refuse(v1::SUBSCRIPTIONS_REFUSAL_SEQ_NOT_REACHED, field,
                  {{"seq", std::to_string(ledger.named_seq())}});
  }
  auto event = copy_inputs<ProgressRecorded>(command);
  event.set_subscription(id);
  Subscription after = *row;
  apply(event, after);
  if (after.done_size() > kDoneRangesMax) {
    return refuse(
        v1::SUBSCRIPTIONS_REFUSAL_TOO_MANY_RANGES, "done",
        {{"limit", "done_ranges_per_subscription_max"}, {"max", std::to_string(kDoneRangesMax)}});
  }
  return emit(std::move(event));
}

void evolve_started(Ledger& ledger, const DeliveryStarted& event) {
  const auto name = subscription_name(event.subscription());
  ledger.edit<Subscription>(name.ledger, name.name).set_generation(event.generation());
}

void evolve_progress(Ledger& ledger, const ProgressRecorded& event) {
  const auto name = subscription_name(event.subscription());
  auto& row = ledger.edit<Subscription>(name.ledger, name.name);
  apply(event, row);
  for (const auto& replay : event.replays()) {
    if (!ledger.has<Parked>(name.ledger, name.name, replay.subject())) continue;
    if (!apply(replay, ledger.edit<Parked>(name.ledger, name.name, replay.subject()))) continue;
    ledger.erase<Parked>(name.ledger, name.name, replay.subject());
    count_unparked(row);
  }
}

}  // namespace

void register_progress(Registry& registry) {
  registry.command<RecordProgressRequest>(decide_progress)
      .validate<RecordProgressRequest>(check_ranges)
      .event<DeliveryStarted>(evolve_started)
      .event<ProgressRecorded>(evolve_progress);
}

}  // namespace taizhang::subscriptions
