// A named subscription, from being made to being deleted.
#include "domain/subscription.h"

#include <google/protobuf/util/message_differencer.h>

#include "services/subscriptions/aggregates.h"
#include "taizhang/common/v1/errors.pb.h"
#include "taizhang/subscriptions/v1/commands.pb.h"
#include "taizhang/subscriptions/v1/errors.pb.h"
#include "taizhang/subscriptions/v1/events.pb.h"

namespace taizhang::subscriptions {
namespace {

using google::protobuf::util::MessageDifferencer;
using state::v1::Parked;
using state::v1::Subscription;
using v1::CreateSubscriptionRequest;
using v1::DeleteSubscriptionRequest;
using v1::SubscriptionCreated;
using v1::SubscriptionDeleted;

constexpr int32_t kAckDeadlineMsMin = 100;

void check_rules(const CreateSubscriptionRequest& command, Violations& found) {
  const int32_t deadline_ms = command.rules().ack_deadline_ms();
  if (deadline_ms != 0 && deadline_ms < kAckDeadlineMsMin) {
    found.add(common::v1::COMMON_REFUSAL_FIELD_INVALID, "rules.ack_deadline_ms",
              "must be 0 or from 100 to 3600000");
  }
}

bool is_equal(const Subscription& row, const CreateSubscriptionRequest& command) {
  return MessageDifferencer::Equals(row.selection(), command.selection()) &&
         MessageDifferencer::Equals(row.rules(), with_defaults(command.rules())) &&
         (command.from_now() || row.created_after_seq() == command.after_seq());
}

Decision decide_create(const Ledger& ledger, const CreateSubscriptionRequest& command) {
  if (const auto* there = find_subscription(ledger, command)) {
    if (is_equal(*there, command))
      return Unchanged{there->created_seq(), there->created_seq(), there->created_time_us()};
    return refuse(v1::SUBSCRIPTIONS_REFUSAL_SUBSCRIPTION_EXISTS, "name");
  }
  int64_t count = 0;
  ledger.scan<Subscription>([&](const Subscription&) { ++count; }, command.ledger());
  if (count >= kSubscriptionsMax) {
    return refuse(
        v1::SUBSCRIPTIONS_REFUSAL_TOO_MANY_SUBSCRIPTIONS, "ledger",
        {{"limit", "subscriptions_per_ledger_max"}, {"max", std::to_string(kSubscriptionsMax)}});
  }
  if (command.after_seq() > ledger.named_seq()) {
    return refuse(v1::SUBSCRIPTIONS_REFUSAL_SEQ_NOT_REACHED, "after_seq",
                  {{"seq", std::to_string(ledger.named_seq())}});
  }
  SubscriptionCreated created;
  created.set_subscription(subscription_id(command.ledger(), command.name()));
  *created.mutable_selection() = command.selection();
  *created.mutable_rules() = with_defaults(command.rules());
  created.set_after_seq(command.from_now() ? ledger.named_seq() : command.after_seq());
  return emit(std::move(created));
}

Decision decide_delete(const Ledger& ledger, const DeleteSubscriptionRequest& command) {
  const auto* row = find_subscription(ledger, command);
  if (!row) return refuse(v1::SUBSCRIPTIONS_REFUSAL_SUBSCRIPTION_NOT_FOUND, "name");
  if (auto no = version_mismatch(ledger, row->version())) return *no;
  SubscriptionDeleted deleted;
  deleted.set_subscription(subscription_id(command.ledger(), command.name()));
  return emit(std::move(deleted));
}

void evolve_created(Ledger& ledger, const SubscriptionCreated& event) {
  const auto name = subscription_name(event.subscription());
  auto& row = ledger.edit<Subscription>(name.ledger, name.name);
  apply(event, row);
  row.set_created_seq(ledger.seq());
  row.set_created_time_us(ledger.recorded_time_us());
}

void evolve_deleted(Ledger& ledger, const SubscriptionDeleted& event) {
  const auto name = subscription_name(event.subscription());
  std::vector<std::string> parked;
  ledger.scan<Parked>([&](const Parked& row) { parked.push_back(row.subject()); }, name.ledger,
                      name.name);
  for (const auto& subject : parked) ledger.erase<Parked>(name.ledger, name.name, subject);
  ledger.erase<Subscription>(name.ledger, name.name);
}

}  // namespace

void register_subscription(Registry& registry) {
  registry.command<CreateSubscriptionRequest>(decide_create)
      .validate<CreateSubscriptionRequest>(check_rules)
      .command<DeleteSubscriptionRequest>(decide_delete)
      .event<SubscriptionCreated>(evolve_created)
      .event<SubscriptionDeleted>(evolve_deleted);
}

}  // namespace taizhang::subscriptions
