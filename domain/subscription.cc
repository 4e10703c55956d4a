// Rows of subscriptions after each event.
#include "domain/subscription.h"

#include <algorithm>

namespace taizhang {

using subscriptions::state::v1::Parked;
using subscriptions::state::v1::Subscription;
using subscriptions::v1::DeliveryRules;
using subscriptions::v1::SeqRange;

namespace {

constexpr int32_t kAttemptsDefault = 5;
constexpr int32_t kAckDeadlineMsDefault = 30'000;
constexpr int32_t kOutstandingDefault = 256;

}  // namespace

std::string subscription_id(std::string_view ledger, std::string_view name) {
  return std::string(ledger) + "/" + std::string(name);
}

SubscriptionName subscription_name(std::string_view id) {
  const size_t slash = id.find('/');
  if (slash == std::string_view::npos) return {std::string(id), ""};
  return {std::string(id.substr(0, slash)), std::string(id.substr(slash + 1))};
}

DeliveryRules with_defaults(DeliveryRules rules) {
  if (rules.attempts_max() == 0) rules.set_attempts_max(kAttemptsDefault);
  if (rules.ack_deadline_ms() == 0) rules.set_ack_deadline_ms(kAckDeadlineMsDefault);
  if (rules.outstanding_max() == 0) rules.set_outstanding_max(kOutstandingDefault);
  return rules;
}

bool is_handled(const Subscription& row, int64_t seq) {
  if (seq <= row.position()) return true;
  const auto next = std::partition_point(row.done().begin(), row.done().end(),
                                         [&](const SeqRange& range) { return range.last() < seq; });
  return next != row.done().end() && next->first() <= seq;
}

void move_position(Subscription& row, int64_t position) {
  auto& done = *row.mutable_done();
  int covered = 0;
  int64_t reached = std::max(row.position(), position);
  for (; covered < done.size() && done[covered].first() <= reached + 1; ++covered)
    reached = std::max(reached, done[covered].last());
  done.DeleteSubrange(0, covered);
  row.set_position(reached);
  if (row.parked_subjects() > 0) return;
  auto& skipped = *row.mutable_skipped();
  skipped.erase(skipped.begin(), std::upper_bound(skipped.begin(), skipped.end(), reached));
}

void add_handled(Subscription& row, int64_t first, int64_t last) {
  if (last < first) return;
  auto& done = *row.mutable_done();
  // Those that overlap or touch the new one become one with it.
  int begin = 0;
  while (begin < done.size() && done[begin].last() + 1 < first) ++begin;
  int end = begin;
  while (end < done.size() && done[end].first() <= last + 1) {
    first = std::min(first, done[end].first());
    last = std::max(last, done[end].last());
    ++end;
  }
  if (begin == end) {
    done.Add();
    std::rotate(done.pointer_begin() + begin, done.pointer_end() - 1, done.pointer_end());
  } else {
    done.DeleteSubrange(begin + 1, end - begin - 1);
  }
  done[begin].set_first(first);
  done[begin].set_last(last);
  move_position(row, row.position());
}

void apply(const subscriptions::v1::SubscriptionCreated& event, Subscription& row) {
  *row.mutable_selection() = event.selection();
  *row.mutable_rules() = event.rules();
  row.set_created_after_seq(event.after_seq());
  row.set_position(event.after_seq());
}

void apply(const subscriptions::v1::EventSkipped& event, Subscription& row) {
  auto& skipped = *row.mutable_skipped();
  const auto place = std::lower_bound(skipped.begin(), skipped.end(), event.seq());
  // Two parked subjects may wait at one event: it is given up for each.
  if (place == skipped.end() || *place != event.seq()) {
    const auto at = place - skipped.begin();
    skipped.Add(event.seq());
    std::rotate(skipped.begin() + at, skipped.end() - 1, skipped.end());
  }
  add_handled(row, event.seq(), event.seq());
}

void count_unparked(Subscription& row) {
  row.set_parked_subjects(row.parked_subjects() - 1);
  move_position(row, row.position());
}

void apply(const subscriptions::v1::ProgressRecorded& event, Subscription& row) {
  move_position(row, event.position());
  for (const auto& range : event.done()) add_handled(row, range.first(), range.last());
  *row.mutable_failed() = event.failed();
}

bool apply(const subscriptions::v1::ReplayProgress& replay, Parked& row) {
  // Handled is handled, whatever happened to the subject meanwhile.
  row.set_after_seq(std::max(row.after_seq(), replay.after_seq()));
  return replay.finished() && replay.parked_version() == row.changed_seq();
}

void apply(const subscriptions::v1::SubjectParked& event, int64_t seq, Parked& row) {
  if (row.changed_seq() == 0) row.set_after_seq(event.seq() - 1);
  row.set_changed_seq(seq);
  row.set_seq(event.seq());
  row.set_attempts(event.attempts());
  row.set_replaying(false);
}

}  // namespace taizhang
