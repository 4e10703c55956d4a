// The thread of all deliveries, and the way to it.
#include "platform/delivery/delivery.h"

#include <google/protobuf/descriptor.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "platform/base/days.h"
#include "platform/command/commit.h"
#include "platform/delivery/group.h"
#include "taizhang/common/v1/enums.pb.h"
#include "taizhang/common/v1/request.pb.h"
#include "taizhang/ledger/v1/ledger.pb.h"
#include "taizhang/subscriptions/v1/events.pb.h"

namespace taizhang::delivery {

using google::protobuf::DescriptorPool;
using google::protobuf::Message;
namespace sv1 = subscriptions::v1;

namespace {

constexpr int32_t kBatchEventsDefault = 64;
constexpr int32_t kHeartbeatMsDefault = 5'000;
constexpr int32_t kHeartbeatMsMin = 100;
// Of the commands by which progress is written down.
constexpr int64_t kDecideUsMax = 10'000'000;
// Whether this process still leads is looked at as often.
constexpr int64_t kLookUs = 100'000;
constexpr int64_t kControlLooksMax = 5'000;
// What operators see is made as often.
constexpr int64_t kReadingsUs = 2'000'000;
// A wait for news is looked after at least this often.
constexpr int64_t kControlWaitUs = 5'000'000;

Error stopping() {
  return failure(kUnavailable, "SERVER_STOPPING", "the server is stopping", {{"outcome", "none"}},
                 1'000);
}

Caller process_itself() {
  Caller caller;
  caller.profile = caller.subject = "taizhang";
  caller.roles = {common::v1::ROLE_OPERATOR};
  caller.regions = {""};
  return caller;
}

// The stream of one consumer. What it asks goes through the inbox; the group answers.
class ReceiveStream : public ServerStream {
 public:
  // Runs a task on the delivering thread with the group, or null when there is none any more.
  using WithGroup = std::function<void(const std::function<void(Group*)>&)>;
  ReceiveStream(std::shared_ptr<Inbox> inbox, uint64_t consumer,
                std::shared_ptr<std::optional<Error>> ended, WithGroup with_group)
      : inbox_(std::move(inbox)),
        consumer_(consumer),
        ended_(std::move(ended)),
        with_group_(std::move(with_group)) {}
  ~ReceiveStream() override { cancel(); }

  void next(Done ready) override {
    const bool posted =
        inbox_->post([with_group = with_group_, consumer = consumer_, ended = ended_, ready] {
          with_group([&](Group* group) {
            if (*ended) return ready(**ended);
            group ? group->ask(consumer, ready) : ready(stopping());
          });
        });
    if (!posted) ready(stopping());
  }
  void cancel() override {
    inbox_->post([with_group = with_group_, consumer = consumer_] {
      with_group([&](Group* group) {
        if (group) group->leave(consumer);
      });
    });
  }

 private:
  const std::shared_ptr<Inbox> inbox_;
  const uint64_t consumer_;
  const std::shared_ptr<std::optional<Error>> ended_;
  const WithGroup with_group_;
};

}  // namespace

Delivery::Delivery(Parts parts)
    : shared_parts_(std::make_shared<const Parts>(std::move(parts))),
      self_(process_itself()),
      room_{parts_.held_bytes_max} {}

Delivery::~Delivery() { stop(); }

void Delivery::start() {
  thread_ = std::thread([this] { run(); });
}

void Delivery::stop() {
  const auto left = inbox_->close();
  if (!thread_.joinable()) return;
  thread_.join();
  // Each leads to a group, which is then failed with the others.
  for (const auto& task : left) task();
  fail_all(stopping());
  for (auto& [system, control] : controls_) {
    if (control.waiting) control.view->cancel(*control.waiting);
  }
  controls_.clear();
}

// --- Calls

std::variant<std::unique_ptr<ServerStream>, Error> Delivery::open(
    const Call& call, std::shared_ptr<const Message> message) {
  if (auto no = parts_.not_leading()) return *std::move(no);
  const auto& request = static_cast<const sv1::ReceiveRequest&>(*message);
  Consumer consumer;
  consumer.may_see_personal = call.caller->has_role(common::v1::ROLE_MAKER) ||
                              call.caller->has_role(common::v1::ROLE_CHECKER);
  consumer.batch_events_max = static_cast<size_t>(
      request.batch_events_max() == 0 ? kBatchEventsDefault : request.batch_events_max());
  const int32_t heartbeat_ms =
      request.heartbeat_ms() == 0 ? kHeartbeatMsDefault : request.heartbeat_ms();
  consumer.heartbeat_us = int64_t{std::max(heartbeat_ms, kHeartbeatMsMin)} * 1'000;
  consumer.heartbeat_due_us = parts_.clock.boot_us() + consumer.heartbeat_us;
  consumer.ended = std::make_shared<std::optional<Error>>();
  const uint64_t number = next_consumer_++;
  const std::string ledger = request.ledger();
  const std::string name = request.name();
  const bool posted = inbox_->post(
      [this, ledger, name, number, consumer] { group(ledger, name).join(number, consumer); });
  if (!posted) return stopping();
  return std::make_unique<ReceiveStream>(
      inbox_, number, consumer.ended,
      [this, id = ledger + "/" + name](const std::function<void(Group*)>& task) {
        const auto found = groups_.find(id);
        task(found == groups_.end() ? nullptr : found->second.group.get());
        awake_.insert(id);
      });
}

template <class Request>
void Delivery::handle(Dispatcher& dispatcher, const char* rpc,
                      void (Group::*take)(const Request& request, Done done)) {
  dispatcher.handle(std::string(kService) + rpc,
                    [this, take](const Call&, std::shared_ptr<const Message> message, Done done) {
                      if (auto no = parts_.not_leading()) return done(*std::move(no));
                      const bool posted = inbox_->post([this, take, message, done] {
                        const auto& request = static_cast<const Request&>(*message);
                        (group(request.ledger(), request.name()).*take)(request, done);
                      });
                      if (!posted) done(stopping());
                    });
}

void Delivery::serve(Dispatcher& dispatcher) {
  dispatcher.handle_stream(std::string(kService) + "Receive",
                           [this](const Call& call, std::shared_ptr<const Message> request) {
                             return open(call, std::move(request));
                           });
  handle<sv1::AcknowledgeRequest>(dispatcher, "Acknowledge", &Group::acknowledge);
  handle<sv1::RetryRequest>(dispatcher, "Retry", &Group::retry);
  serve_questions(dispatcher);
}

void Delivery::decide(const char* rpc, std::shared_ptr<Message> request, Done done) {
  const auto& descriptor = *request->GetDescriptor();
  auto& context = static_cast<common::v1::RequestContext&>(
      *request->GetReflection()->MutableMessage(request.get(), descriptor.FindFieldByNumber(1)));
  context.set_request_id(uuid_text(parts_.random.bytes(16)));
  context.mutable_source()->set_kind(common::v1::Source::KIND_SYSTEM);
  const int32_t today = shanghai_day(parts_.clock.wall_us());
  context.mutable_effective_date()->set_year(today / 10'000);
  context.mutable_effective_date()->set_month(today / 100 % 100);
  context.mutable_effective_date()->set_day(today % 100);
  Call call;
  call.caller = &self_;
  call.deadline_boot_us = parts_.clock.boot_us() + kDecideUsMax;
  const auto* method =
      DescriptorPool::generated_pool()->FindMethodByName(std::string(kService) + rpc);
  parts_.dispatcher.unary(*method, call, std::move(request),
                          [inbox = inbox_, done = std::move(done)](Answer answer) {
                            auto kept = std::make_shared<Answer>(std::move(answer));
                            inbox->post([kept, done] { done(std::move(*kept)); });
                          });
}

// --- The thread

Group& Delivery::group(const std::string& ledger, const std::string& name) {
  const std::string id = ledger + "/" + name;
  auto& slot = groups_[id];
  if (!slot.group || slot.group->is_gone())
    slot.group = std::make_unique<Group>(*this, ledger, name);
  awake_.insert(id);
  return *slot.group;
}

void Delivery::with_present(const std::string& id, const std::function<void(Group&)>& task) {
  const auto found = groups_.find(id);
  if (found == groups_.end()) return;
  task(*found->second.group);
  awake_.insert(id);
}

void Delivery::run() {
  int64_t look_us = 0;
  int64_t readings_us = parts_.readings ? 0 : std::numeric_limits<int64_t>::max();
  for (;;) {
    const int64_t next_us = timers_.empty() ? look_us : std::min(look_us, timers_.begin()->first);
    const auto tasks = inbox_->take(parts_.clock, awake_.empty() ? next_us : 0);
    if (!tasks) return;
    for (const auto& task : *tasks) task();
    const int64_t now_us = parts_.clock.boot_us();
    if (now_us >= look_us) {
      look_us = now_us + kLookUs;
      const auto no = groups_.empty() ? std::nullopt : parts_.not_leading();
      if (no) fail_all(*no);
    }
    if (now_us >= readings_us) {
      readings_us = now_us + kReadingsUs;
      read_all();
    }
    for (auto& [system, control] : controls_) turn_control(system, control);
    while (!timers_.empty() && timers_.begin()->first <= now_us) {
      awake_.insert(timers_.begin()->second);
      timers_.erase(timers_.begin());
    }
    turn();
  }
}

void Delivery::turn() {
  for (const auto& id : std::exchange(awake_, {})) {
    const auto found = groups_.find(id);
    if (found == groups_.end()) continue;
    Slot& slot = found->second;
    slot.group->turn();
    timers_.erase({slot.timer_us, id});
    if (slot.group->is_gone()) {
      groups_.erase(found);
      continue;
    }
    slot.timer_us = slot.group->wake_us();
    timers_.insert({slot.timer_us, id});
  }
}

void Delivery::fail_all(const Error& error) {
  for (auto& [id, slot] : groups_) slot.group->fail(error);
  groups_.clear();
  timers_.clear();
  for (auto& [system, control] : controls_) {
    if (control.waiting) control.view->cancel(*control.waiting);
  }
  controls_.clear();
}

// --- What was decided, for all groups of a system ledger

int64_t Delivery::told_control(const std::string& system) const {
  const auto found = controls_.find(system);
  return found == controls_.end() ? 0 : found->second.position;
}

void Delivery::tell_control_from(const std::string& system, int64_t seq) {
  controls_.try_emplace(system, Control{seq, nullptr, std::nullopt, 0});
}

void Delivery::turn_control(const std::string& system, Control& control) {
  // What the view holds is heard before anything is handed out, although who waits for it may be
  // told a moment later: who has seen a subject parked is not given it again.
  if (control.waiting) {
    const auto progress = control.view->progress(system);
    const auto* now = std::get_if<LiveView::Progress>(&progress);
    // Another version may answer by now, and this one hold nothing any more.
    const bool answers = control.view == parts_.events();
    if (answers && (!now || now->seq <= control.position)) return;
    control.view->cancel(*std::exchange(control.waiting, std::nullopt));
  }
  static const ledger::v1::EventFilter* const kinds = [] {
    auto* made = new ledger::v1::EventFilter;
    for (const auto* type :
         {sv1::SubjectParked::descriptor(), sv1::ReplayStarted::descriptor(),
          sv1::EventSkipped::descriptor(), sv1::SubscriptionDeleted::descriptor()})
      made->add_types(type->full_name());
    return made;
  }();
  control.view = parts_.events();
  const auto fail_its = [&](const Error& error) {
    for (auto& [id, slot] : groups_) {
      if (slot.group->system() != system) continue;
      slot.group->fail(error);
      awake_.insert(id);
    }
  };
  const auto progress = control.view->progress(system);
  const auto* unread = std::get_if<Error>(&progress);
  // Not found: the view has not read so far.
  if (unread && unread->code != kNotFound) return fail_its(*unread);
  const int64_t end = unread ? 0 : std::get<LiveView::Progress>(progress).seq;
  while (control.position < end) {
    const auto error = control.view->read(system, end, [&](SnapshotRows& rows) {
      control.position = parts_.walk(
          rows, *kinds, control.position + 1, end, kControlLooksMax, [&](const EventMeta& event) {
            const auto& fields = *event.event->GetReflection();
            with_present(fields.GetString(*event.event, event.descriptor->field(0)),
                         [&](Group& group) { group.control(event); });
            return true;
          });
    });
    if (error) return fail_its(*error);
  }
  control.beginning = new_beginning();
  control.waiting = control.view->when_beyond(
      system, control.position, parts_.clock.boot_us() + kControlWaitUs,
      [this, inbox = inbox_, system, beginning = control.beginning] {
        inbox->post([this, system, beginning] {
          const auto found = controls_.find(system);
          if (found != controls_.end() && found->second.beginning == beginning)
            found->second.waiting.reset();
        });
      });
}

void refuse_delivery(Dispatcher& dispatcher) {
  const auto why = [] {
    return failure(kFailedPrecondition, "NO_VIEWS",
                   "this process decides and keeps no views: subscriptions are delivered by one of "
                   "role `all`",
                   {{"outcome", "none"}});
  };
  dispatcher.handle_stream(
      std::string(Delivery::kService) + "Receive",
      [why](const Call&, auto) -> std::variant<std::unique_ptr<ServerStream>, Error> {
        return why();
      });
  for (const char* rpc : {"Acknowledge", "Retry"}) {
    dispatcher.handle(std::string(Delivery::kService) + rpc,
                      [why](const Call&, auto, Done done) { done(why()); });
  }
}

}  // namespace taizhang::delivery
