// Subscribe: catch-up walks over stored events; live waits for the next one that concerns it.
#include "projections/ledger/subscription.h"

#include <algorithm>
#include <atomic>
#include <functional>
#include <limits>
#include <mutex>
#include <optional>
#include <utility>

#include "platform/projection/wire.h"
#include "projections/ledger/event_walker.h"
#include "taizhang/common/v1/enums.pb.h"
#include "taizhang/ledger/state/v1/view.pb.h"
#include "taizhang/ledger/v1/ledger.pb.h"

namespace taizhang::ledger_view {
namespace {

using google::protobuf::Message;
using ledger::state::v1::EncodedBatch;
using ledger::v1::SubscribeRequest;
using ledger::v1::SubscribeResponse;

// Places of the indexes looked at for one message; a checkpoint is told when none of them matched.
constexpr int64_t kLooksMax = 5'000;
// Of a batch beside what the one before took: the event that fills it is seldom larger.
constexpr size_t kBatchRoomBytes = 4'096;
constexpr int32_t kHeartbeatMsDefault = 5'000;
constexpr int32_t kHeartbeatMsMin = 100;
// Of a wait that only ends otherwise; the view reaches it when it stands still.
constexpr int64_t kNeverReached = std::numeric_limits<int64_t>::max() - 1;

static_assert(int{EncodedBatch::kBatchFieldNumber} == int{SubscribeResponse::kBatchFieldNumber});

Answer cancelled() { return failure(kCancelled, "CANCELLED", "the caller ended the stream"); }

class Subscription : public std::enable_shared_from_this<Subscription> {
 public:
  Subscription(const SubscribeLimits& limits, std::shared_ptr<LiveTail> tail,
               std::shared_ptr<ReadAheadTurn> turn, std::shared_ptr<LiveView> view,
               const Call& call, const SubscribeRequest& request)
      : limits_(limits),
        tail_(std::move(tail)),
        read_ahead_turn_(std::move(turn)),
        view_(std::move(view)),
        ledger_(request.ledger()),
        filter_(Filter::of(request.filter())),
        may_see_personal_(call.caller->has_role(common::v1::ROLE_MAKER) ||
                          call.caller->has_role(common::v1::ROLE_CHECKER)),
        position_(request.after_seq()),
        told_(request.after_seq()),
        told_before_(request.after_seq()) {
    const int32_t asked_ms =
        request.heartbeat_ms() == 0 ? kHeartbeatMsDefault : request.heartbeat_ms();
    heartbeat_us_ = int64_t{std::max(asked_ms, kHeartbeatMsMin)} * 1'000;
    heartbeat_due_us_ = view_->boot_us() + heartbeat_us_;
  }
  ~Subscription() {
    if (member_) tail_->leave(*member_);
  }

  void next(Done ready) {
    {
      const std::lock_guard lock(mutex_);
      pending_ = std::move(ready);
      if (reads_ahead_) return;
    }
    go_on();
  }

  void cancel() {
    std::optional<uint64_t> heartbeat;
    {
      const std::lock_guard lock(mutex_);
      is_cancelled_ = true;
      waits_ = false;
      heartbeat = std::exchange(heartbeat_, std::nullopt);
    }
    if (heartbeat) view_->cancel(*heartbeat);
    answer(cancelled());
  }

  std::string position() const { return "seq " + std::to_string(told_before_.load()); }

 private:
  // Answers the pending next(), or waits for more and comes back. One thread at a time: next()
  // calls it, or read_ahead() that was under way, and then only what ends the wait it left behind.
  void go_on() {
    for (;;) {
      if (ended()) return answer(cancelled());
      const auto progress = view_->progress(ledger_);
      if (const auto* error = std::get_if<Error>(&progress)) return answer(*error);
      const auto& now = std::get<0>(progress);
      if (ahead_) return tell(std::move(ahead_), position_ < now.seq);
      while (position_ < now.seq) {
        auto read = read_up_to(now.seq);
        if (auto* error = std::get_if<Error>(&read)) return answer(std::move(*error));
        if (auto& batch = std::get<0>(read)) return tell(std::move(batch), position_ < now.seq);
        if (!caught_up_ && position_ < now.seq) return tell(checkpoint());
      }
      if (auto message = at_end(now)) return tell(std::move(message));
      if (wait(now.seq)) return;
    }
  }

  // What is to be told when everything there is has been told or passed; null: nothing now. A
  // position that nobody has written yet is waited for: of what lies before it nothing was seen.
  std::unique_ptr<SubscribeResponse> at_end(const LiveView::Progress& now) {
    auto message = std::make_unique<SubscribeResponse>();
    if (!caught_up_ && position_ <= now.seq) {
      caught_up_ = true;
      message->mutable_caught_up()->set_seq(position_);
      return message;
    }
    if (view_->boot_us() < heartbeat_due_us_) return nullptr;
    // Passing what did not match moves the position as well; told once per heartbeat, not per
    // event.
    if (position_ > told_) return checkpoint();
    message->mutable_heartbeat()->set_seq(std::min(position_, now.seq));
    message->mutable_heartbeat()->set_lag_ms(now.lag_ms);
    return message;
  }

  std::unique_ptr<SubscribeResponse> checkpoint() const {
    auto message = std::make_unique<SubscribeResponse>();
    message->mutable_checkpoint()->set_seq(position_);
    return message;
  }

  // Moves the position; null: nothing matched.
  std::variant<std::unique_ptr<EncodedBatch>, Error> read_up_to(int64_t seq) {
    auto message = std::make_unique<EncodedBatch>();
    std::string& batch = *message->mutable_batch();
    int events = 0;
    const auto room = [&] {
      return events++ < limits_.batch_events_max && batch.size() < limits_.batch_bytes_max;
    };
    constexpr int kEvents = SubscribeResponse::Batch::kEventsFieldNumber;
    std::optional<int64_t> seen;
    if (member_) {
      seen = tail_->read(position_, filter_, may_see_personal_, [&](std::string_view envelope) {
        if (!room()) return false;
        projection::append_bytes_field(kEvents, envelope, batch);
        return true;
      });
    }
    if (!seen) {
      const auto error = view_->read(ledger_, seq, [&](SnapshotRows& rows) {
        batch.reserve(std::min(batch_bytes_, limits_.batch_bytes_max) + kBatchRoomBytes);
        EventWalker walker(rows, filter_);
        seen =
            walker.walk({position_ + 1, seq}, kLooksMax, [&](CommitEnvelopes& commit, int64_t at) {
              if (!room()) return false;
              commit.append_field(kEvents, at, may_see_personal_, batch);
              return true;
            });
      });
      if (error) return *error;
      batch_bytes_ = batch.size();
    }
    position_ = std::max(position_, *seen);
    if (batch.empty()) message.reset();
    return message;
  }

  // Leaves the pending next() to whoever is first: an event that concerns it, the heartbeat, or a
  // caller who ends it. False: something may be there by now; nobody else will come.
  bool wait(int64_t newest) {
    // Behind the end there is nothing to follow yet. From here on another thread may go on, so
    // nothing of this object is looked at without the lock.
    const int64_t position = position_;
    const bool beyond = position > newest;
    if (!beyond && !member_) member_ = tail_->join(filter_, waker());
    const auto member = member_;
    const int64_t due_us = heartbeat_due_us_;
    uint64_t turn = 0;
    {
      const std::lock_guard lock(mutex_);
      if (is_cancelled_) return false;
      turn = ++turn_;
      waits_ = true;
    }
    const uint64_t heartbeat =
        view_->when_beyond(ledger_, beyond ? position : kNeverReached, due_us, waker());
    bool mine = false;
    {
      const std::lock_guard lock(mutex_);
      mine = waits_ && turn_ == turn;
      if (mine) heartbeat_ = heartbeat;
    }
    if (!mine) {
      view_->cancel(heartbeat);
      return true;
    }
    return beyond || tail_->wait(*member, position) || !end_wait(turn);
  }

  std::function<void()> waker() {
    return [weak = weak_from_this()] {
      const auto self = weak.lock();
      if (self && self->end_wait(std::nullopt)) self->go_on();
    };
  }

  // True: this thread goes on. `turn`: that wait only. One that wakes late finds another wait, or
  // none; it costs that one a look.
  bool end_wait(std::optional<uint64_t> turn) {
    std::optional<uint64_t> heartbeat;
    {
      const std::lock_guard lock(mutex_);
      if (!waits_ || (turn && turn_ != *turn)) return false;
      waits_ = false;
      heartbeat = std::exchange(heartbeat_, std::nullopt);
    }
    if (heartbeat) view_->cancel(*heartbeat);
    return true;
  }

  // `more`: there is more behind it already.
  void tell(std::unique_ptr<Message> message, bool more = false) {
    told_before_ = std::exchange(told_, position_);
    heartbeat_due_us_ = view_->boot_us() + heartbeat_us_;
    Done ready;
    {
      const std::lock_guard lock(mutex_);
      ready = std::exchange(pending_, nullptr);
    }
    if (!ready) return;
    if (more && !caught_up_) start_reading_ahead();
    ready(std::move(message));
  }

  // While one batch is being sent the next is made, on a thread of the engine; by one subscription
  // of the view at a time, so that those threads stay free for others.
  void start_reading_ahead() {
    auto taken = ReadAheadTurn::take(read_ahead_turn_);
    if (!taken) return;
    {
      const std::lock_guard lock(mutex_);
      reads_ahead_ = true;
    }
    view_->when_beyond(ledger_, position_, view_->boot_us(),
                       [weak = weak_from_this(), taken = std::move(taken)]() mutable {
                         if (const auto self = weak.lock()) self->read_ahead(std::move(taken));
                       });
  }

  // What goes wrong here goes wrong again where it is told.
  void read_ahead(std::shared_ptr<void> taken) {
    const auto progress = view_->progress(ledger_);
    const auto* now = std::get_if<LiveView::Progress>(&progress);
    if (now && position_ < now->seq) {
      auto read = read_up_to(now->seq);
      if (read.index() == 0) ahead_ = std::move(std::get<0>(read));
    }
    taken.reset();
    {
      const std::lock_guard lock(mutex_);
      reads_ahead_ = false;
      if (!pending_) return;
    }
    go_on();
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

  const SubscribeLimits limits_;
  const std::shared_ptr<LiveTail> tail_;
  const std::shared_ptr<ReadAheadTurn> read_ahead_turn_;
  const std::shared_ptr<LiveView> view_;
  const std::string ledger_;
  const Filter filter_;
  const bool may_see_personal_;

  // Of the one thread that goes on.
  int64_t heartbeat_us_ = 0;
  int64_t heartbeat_due_us_ = 0;
  int64_t position_;  // the filter has seen everything up to here
  int64_t told_;      // and the caller was told
  bool caught_up_ = false;
  size_t batch_bytes_ = 0;               // of the last one
  std::unique_ptr<EncodedBatch> ahead_;  // what is told next; the position is behind it
  std::optional<uint64_t> member_;
  std::atomic<int64_t> told_before_;  // before the message handed out last

  std::mutex mutex_;
  Done pending_;
  bool reads_ahead_ = false;
  bool waits_ = false;
  uint64_t turn_ = 0;  // of waits
  std::optional<uint64_t> heartbeat_;
  bool is_cancelled_ = false;
};

class SubscriptionStream : public ServerStream {
 public:
  explicit SubscriptionStream(std::shared_ptr<Subscription> subscription)
      : subscription_(std::move(subscription)) {}
  ~SubscriptionStream() override { subscription_->cancel(); }
  void next(Done ready) override { subscription_->next(std::move(ready)); }
  void cancel() override { subscription_->cancel(); }
  std::string position() const override { return subscription_->position(); }

 private:
  std::shared_ptr<Subscription> subscription_;
};

}  // namespace

std::variant<std::unique_ptr<ServerStream>, Error> open_subscription(
    const SubscribeLimits& limits, LiveTails& tails, std::shared_ptr<LiveView> view,
    const Call& call, std::shared_ptr<const Message> request) {
  const auto& asked = static_cast<const SubscribeRequest&>(*request);
  const auto progress = view->progress(asked.ledger());
  if (const auto* error = std::get_if<Error>(&progress)) return *error;
  auto tail = tails.of(view, asked.ledger());
  return std::make_unique<SubscriptionStream>(std::make_shared<Subscription>(
      limits, std::move(tail), tails.read_ahead_turn(), std::move(view), call, asked));
}

}  // namespace taizhang::ledger_view
