// Rows of subscriptions, with who, when and why.
#include "projections/subscriptions/subscriptions_view.h"

#include <string>
#include <vector>

#include "domain/subscription.h"
#include "taizhang/common/v1/values.pb.h"
#include "taizhang/subscriptions/state/v1/state.pb.h"
#include "taizhang/subscriptions/v1/events.pb.h"

namespace taizhang {
namespace {

using subscriptions::state::v1::Parked;
using subscriptions::state::v1::Subscription;
using subscriptions::v1::DeliveryStarted;
using subscriptions::v1::EventSkipped;
using subscriptions::v1::ProgressRecorded;
using subscriptions::v1::ReplayStarted;
using subscriptions::v1::SubjectParked;
using subscriptions::v1::SubscriptionCreated;
using subscriptions::v1::SubscriptionDeleted;

Subscription& edit(Ledger& rows, const std::string& subscription) {
  const auto name = subscription_name(subscription);
  return rows.edit<Subscription>(name.ledger, name.name);
}

Parked& edit_parked(Ledger& rows, const std::string& subscription, const std::string& subject) {
  const auto name = subscription_name(subscription);
  return rows.edit<Parked>(name.ledger, name.name, subject);
}

void fold_created(Ledger& rows, const EventMeta& meta, const SubscriptionCreated& event) {
  auto& row = edit(rows, event.subscription());
  apply(event, row);
  row.set_created_seq(meta.seq);
  row.set_created_time_us(meta.recorded_time_us);
  *row.mutable_created_by() = *meta.actor;
}

void fold_deleted(Ledger& rows, const EventMeta&, const SubscriptionDeleted& event) {
  const auto name = subscription_name(event.subscription());
  std::vector<std::string> parked;
  rows.scan<Parked>([&](const Parked& row) { parked.push_back(row.subject()); }, name.ledger,
                    name.name);
  for (const auto& subject : parked) rows.erase<Parked>(name.ledger, name.name, subject);
  rows.erase<Subscription>(name.ledger, name.name);
}

void fold_started(Ledger& rows, const EventMeta&, const DeliveryStarted& event) {
  edit(rows, event.subscription()).set_generation(event.generation());
}

void fold_progress(Ledger& rows, const EventMeta&, const ProgressRecorded& event) {
  auto& row = edit(rows, event.subscription());
  apply(event, row);
  const auto name = subscription_name(event.subscription());
  for (const auto& replay : event.replays()) {
    if (!rows.has<Parked>(name.ledger, name.name, replay.subject())) continue;
    if (!apply(replay, rows.edit<Parked>(name.ledger, name.name, replay.subject()))) continue;
    rows.erase<Parked>(name.ledger, name.name, replay.subject());
    count_unparked(row);
  }
}

void fold_parked(Ledger& rows, const EventMeta& meta, const SubjectParked& event) {
  auto& parked = edit_parked(rows, event.subscription(), event.subject());
  auto& row = edit(rows, event.subscription());
  if (parked.changed_seq() == 0) row.set_parked_subjects(row.parked_subjects() + 1);
  apply(event, meta.seq, parked);
  parked.set_reason(std::string(meta.reason));
  parked.set_parked_time_us(meta.recorded_time_us);
  *parked.mutable_parked_by() = *meta.actor;
}

void fold_replay(Ledger& rows, const EventMeta& meta, const ReplayStarted& event) {
  edit(rows, event.subscription());
  auto& parked = edit_parked(rows, event.subscription(), event.subject());
  parked.set_replaying(true);
  parked.set_changed_seq(meta.seq);
}

void fold_skipped(Ledger& rows, const EventMeta&, const EventSkipped& event) {
  auto& row = edit(rows, event.subscription());
  apply(event, row);
  if (event.subject().empty()) return;
  edit_parked(rows, event.subscription(), event.subject()).set_after_seq(event.seq());
}

}  // namespace

View subscriptions_view() {
  View view("subscriptions", 1);
  view.on<SubscriptionCreated>(fold_created)
      .on<SubscriptionDeleted>(fold_deleted)
      .on<DeliveryStarted>(fold_started)
      .on<ProgressRecorded>(fold_progress)
      .on<SubjectParked>(fold_parked)
      .on<ReplayStarted>(fold_replay)
      .on<EventSkipped>(fold_skipped);
  return view;
}

}  // namespace taizhang
