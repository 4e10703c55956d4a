// What events do to a named subscription's rows: the same for the writer, which decides on them,
// and for the view, which delivery starts from.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "taizhang/subscriptions/state/v1/state.pb.h"
#include "taizhang/subscriptions/v1/events.pb.h"

namespace taizhang {

// Of one ledger.
inline constexpr int64_t kSubscriptionsMax = 100;
// Of one subscription.
inline constexpr int64_t kParkedSubjectsMax = 1'000;
inline constexpr int kDoneRangesMax = 2'000;
inline constexpr int kSkippedMax = 1'000;

struct SubscriptionName {
  std::string ledger;
  std::string name;
};
// "<ledger>/<name>", as its events name it, and back.
std::string subscription_id(std::string_view ledger, std::string_view name);
SubscriptionName subscription_name(std::string_view id);

// Zeroes replaced by the defaults that proto/taizhang/subscriptions/v1/values.proto names.
subscriptions::v1::DeliveryRules with_defaults(subscriptions::v1::DeliveryRules rules);

// At or before the position, or in a range behind it.
bool is_handled(const subscriptions::state::v1::Subscription& row, int64_t seq);
// The ranges of the row stay ascending, apart from each other, and behind the position.
void add_handled(subscriptions::state::v1::Subscription& row, int64_t first, int64_t last);
void move_position(subscriptions::state::v1::Subscription& row, int64_t position);

void apply(const subscriptions::v1::SubscriptionCreated& event,
           subscriptions::state::v1::Subscription& row);
// Without the parked subject, whose next event it may have been.
void apply(const subscriptions::v1::EventSkipped& event,
           subscriptions::state::v1::Subscription& row);
// Without the replays.
void apply(const subscriptions::v1::ProgressRecorded& event,
           subscriptions::state::v1::Subscription& row);
// A subject is parked no more.
void count_unparked(subscriptions::state::v1::Subscription& row);
// True: the subject is parked no more.
bool apply(const subscriptions::v1::ReplayProgress& replay, subscriptions::state::v1::Parked& row);
// `seq`: of the event on the system ledger. `row` may be new.
void apply(const subscriptions::v1::SubjectParked& event, int64_t seq,
           subscriptions::state::v1::Parked& row);

}  // namespace taizhang
