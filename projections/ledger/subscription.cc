// Subscribe: catch-up and live are the same walk over stored events; live waits for the next one.
#include "projections/ledger/subscription.h"

#include <algorithm>
#include <mutex>
#include <optional>
#include <utility>

#include "platform/projection/envelope.h"
#include "projections/ledger/event_walker.h"
#include "taizhang/common/v1/enums.pb.h"
#include "taizhang/ledger/v1/ledger.pb.h"

namespace taizhang::ledger_view {
namespace {

using google::protobuf::Message;
using ledger::v1::SubscribeRequest;
using ledger::v1::SubscribeResponse;

constexpr int kBatchEventsMax = 256;
constexpr size_t kBatchBytesMax = 1'000'000;
// Events looked at for one message; a checkpoint is told when none of them matched.
constexpr int64_t kLookMax = 5'000;
constexpr int32_t kHeartbeatMsDefault = 5'000;
constexpr int32_t kHeartbeatMsMin = 100;

Answer cancelled() { return failure(kCancelled, "CANCELLED", "the caller ended the stream"); }

class Subscription : public std::enable_shared_from_this<Subscription> {
 public:
  Subscription(std::shared_ptr<LiveView> view, const Call& call, const SubscribeRequest& request)
      : view_(std::move(view)),
        ledger_(request.ledger()),
        filter_(Filter::of(request.filter())),
        may_see_personal_(call.caller->has_role(common::v1::ROLE_MAKER) ||
                          call.caller->has_role(common::v1::ROLE_CHECKER)),
        position_(request.after_seq()),
        told_(request.after_seq()) {
    const int32_t asked_ms =
        request.heartbeat_ms() == 0 ? kHeartbeatMsDefault : request.heartbeat_ms();
    heartbeat_us_ = int64_t{std::max(asked_ms, kHeartbeatMsMin)} * 1'000;
    heartbeat_due_us_ = view_->boot_us() + heartbeat_us_;
  }

  void next(Done ready) {
    {
      const std::lock_guard lock(mutex_);
      pending_ = std::move(ready);
      ++turn_;
    }
    go_on();
  }

  void cancel() {
    std::optional<uint64_t> waiting;
    {
      const std::lock_guard lock(mutex_);
      is_cancelled_ = true;
      waiting = std::exchange(waiting_, std::nullopt);
    }
    if (waiting) view_->cancel(*waiting);
    answer(cancelled());
  }

 private:
  // Answers the pending next(), or waits for more and comes back. One thread at a time: next()
  // calls it, and then only the one waiter it left behind.
  void go_on() {
    for (;;) {
      if (ended()) return answer(cancelled());
      const auto progress = view_->progress(ledger_);
      if (const auto* error = std::get_if<Error>(&progress)) return answer(*error);
      const auto& now = std::get<0>(progress);
      if (position_ >= now.seq) return stand_at_end(now);
      auto read = read_up_to(now.seq);
      if (auto* error = std::get_if<Error>(&read)) return answer(std::move(*error));
      auto message = std::move(std::get<0>(read));
      if (message->has_batch()) return tell(std::move(message));
      if (!caught_up_ && position_ < now.seq) {
        message->mutable_checkpoint()->set_seq(position_);
        return tell(std::move(message));
      }
    }
  }

  // Everything there is has been told or passed. A position that nobody has written yet is waited
  // for: of what lies before it nothing was seen.
  void stand_at_end(const LiveView::Progress& now) {
    auto message = std::make_unique<SubscribeResponse>();
    if (!caught_up_ && position_ <= now.seq) {
      caught_up_ = true;
      message->mutable_caught_up()->set_seq(position_);
      return tell(std::move(message));
    }
    if (view_->boot_us() < heartbeat_due_us_) return wait();
    // Passing what did not match moves the position as well; told once per heartbeat, not per
    // event.
    if (position_ > told_) {
      message->mutable_checkpoint()->set_seq(position_);
    } else {
      message->mutable_heartbeat()->set_seq(std::min(position_, now.seq));
      message->mutable_heartbeat()->set_lag_ms(now.lag_ms);
    }
    tell(std::move(message));
  }

  std::variant<std::unique_ptr<SubscribeResponse>, Error> read_up_to(int64_t seq) {
    auto message = std::make_unique<SubscribeResponse>();
    size_t bytes = 0;
    int64_t seen = position_;
    const auto error = view_->read(ledger_, seq, [&](SnapshotRows& rows) {
      EventWalker walker(rows, filter_);
      seen = walker.walk({position_ + 1, seq, false}, kLookMax, [&](const EventMeta& event) {
        auto& batch = *message->mutable_batch();
        if (batch.events_size() == kBatchEventsMax || bytes > kBatchBytesMax) return false;
        auto& envelope = *batch.add_events();
        fill_envelope(event, envelope);
        fill_payload(event, may_see_personal_, envelope);
        bytes += envelope.ByteSizeLong();
        return true;
      });
    });
    if (error) return *error;
    position_ = std::max(position_, seen);
    return message;
  }

  void wait() {
    uint64_t turn = 0;
    {
      const std::lock_guard lock(mutex_);
      turn = turn_;
    }
    const auto self = shared_from_this();
    const uint64_t waiting =
        view_->when_beyond(ledger_, position_, heartbeat_due_us_, [self] { self->go_on(); });
    // Meanwhile it may have been answered, asked again and left another waiter: that one is not to
    // be forgotten.
    const std::lock_guard lock(mutex_);
    if (turn_ != turn) return;
    waiting_ = waiting;
    if (is_cancelled_) view_->cancel(waiting);
  }

  void tell(std::unique_ptr<SubscribeResponse> message) {
    told_ = position_;
    heartbeat_due_us_ = view_->boot_us() + heartbeat_us_;
    answer(std::move(message));
  }

  bool ended() {
    const std::lock_guard lock(mutex_);
    return is_cancelled_;
  }

  void answer(Answer answer) {
    Done ready;
    {
      const std::lock_guard lock(mutex_);
      ready = std::exchange(pending_, nullptr);
    }
    if (ready) ready(std::move(answer));
  }

  const std::shared_ptr<LiveView> view_;
  const std::string ledger_;
  const Filter filter_;
  const bool may_see_personal_;
  int64_t heartbeat_us_ = 0;
  int64_t heartbeat_due_us_ = 0;
  int64_t position_;  // the filter has seen everything up to here
  int64_t told_;      // and the caller knows
  bool caught_up_ = false;

  std::mutex mutex_;
  Done pending_;
  std::optional<uint64_t> waiting_;
  uint64_t turn_ = 0;  // calls of next()
  bool is_cancelled_ = false;
};

class SubscriptionStream : public ServerStream {
 public:
  explicit SubscriptionStream(std::shared_ptr<Subscription> subscription)
      : subscription_(std::move(subscription)) {}
  ~SubscriptionStream() override { subscription_->cancel(); }
  void next(Done ready) override { subscription_->next(std::move(ready)); }
  void cancel() override { subscription_->cancel(); }

 private:
  std::shared_ptr<Subscription> subscription_;
};

}  // namespace

std::variant<std::unique_ptr<ServerStream>, Error> open_subscription(
    std::shared_ptr<LiveView> view, const Call& call, std::shared_ptr<const Message> request) {
  const auto progress = view->progress(static_cast<const SubscribeRequest&>(*request).ledger());
  if (const auto* error = std::get_if<Error>(&progress)) return *error;
  return std::make_unique<SubscriptionStream>(std::make_shared<Subscription>(
      std::move(view), call, static_cast<const SubscribeRequest&>(*request)));
}

}  // namespace taizhang::ledger_view
