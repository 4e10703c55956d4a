// Delivers the events of named subscriptions: Receive, Acknowledge, Retry, and what is told of
// subscriptions (proto/taizhang/subscriptions/v1/service.proto).
//
// What must not be lost stands in events on the system ledger of the partition and comes here
// through a view; whose turn it is, is in memory (window.h) and begins anew with every process that
// delivers. Only the process that decides the ledger's commands delivers: it begins with a command
// (RecordProgress, generation 0), whose commit also tells up to where the view has to be read.
//
// One thread does everything. Other threads, and the streams it answers, reach it by its inbox.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "platform/base/clock.h"
#include "platform/command/dispatcher.h"
#include "platform/delivery/inbox.h"
#include "platform/delivery/reading.h"
#include "platform/projection/snapshot.h"
#include "platform/projection/view.h"

namespace taizhang {

namespace ledger::v1 {
class EventFilter;
}
namespace subscriptions::state::v1 {
class Subscription;
}
namespace subscriptions::v1 {
class GetSubscriptionRequest;
class ListSubscriptionsRequest;
class SubscriptionState;
}  // namespace subscriptions::v1

namespace delivery {

class Group;

// What deliveries need of the process around them.
struct Parts {
  using Visit = std::function<bool(const EventMeta&)>;
  // The view that keeps the events, and the one that keeps the rows of subscriptions. Asked for
  // each time: another version of it may answer by now.
  std::function<std::shared_ptr<LiveView>()> events;
  std::function<std::shared_ptr<LiveView>()> rows;
  // Visits the filtered events from `low` to `high`, parsed, in order, until it answers false or
  // `looks_max` were looked at. Returns the seq up to which everything was seen.
  std::function<int64_t(SnapshotRows&, const ledger::v1::EventFilter&, int64_t low, int64_t high,
                        int64_t looks_max, const Visit&)>
      walk;
  // Why this process cannot deliver now; it names the one that can. Nothing: it can.
  std::function<std::optional<Error>()> not_leading;
  // Takes the commands by which progress is written down.
  const Dispatcher& dispatcher;
  Clock& clock;
  Random& random;
  uint32_t partitions = 1;
  bool readings = true;  // somebody asks for readings()
};

class Delivery {
 public:
  // What the parts refer to must outlive it.
  explicit Delivery(Parts parts);
  ~Delivery();  // stop()

  // Adds its handlers; before serving.
  void serve(Dispatcher& dispatcher);
  void start();
  // Ends every stream and answers every call.
  void stop();

  // Subscriptions of all ledgers by name, kReadingsMax at most, as of a few seconds ago; whether or
  // not anybody receives. Empty where another process delivers, or none are made. Thread-safe.
  std::vector<Reading> readings() const;
  static constexpr size_t kReadingsMax = 200;

 private:
  friend class Group;
  // Events that change what groups deliver, of one system ledger.
  struct Control {
    int64_t position = 0;
    std::shared_ptr<LiveView> view;
    std::optional<uint64_t> waiting;
    uint64_t beginning = 0;  // of that wait: an earlier one may still tell of its end
  };
  std::variant<std::unique_ptr<ServerStream>, Error> open(
      const Call& call, std::shared_ptr<const google::protobuf::Message> request);
  template <class Request>
  void handle(Dispatcher& dispatcher, const char* rpc,
              void (Group::*take)(const Request& request, Done done));
  template <class Request>
  void handle_question(Dispatcher& dispatcher, const char* rpc,
                       Answer (Delivery::*answer)(const Request& request));

  // --- On the delivering thread
  void run();
  void turn();
  void turn_control(const std::string& system, Control& control);
  void fail_all(const Error& error);
  Group& group(const std::string& ledger, const std::string& name);
  // Does nothing when there is no such group any more; else it gets its turn afterwards.
  void with_present(const std::string& id, const std::function<void(Group&)>& task);
  uint64_t new_beginning() { return next_beginning_++; }
  // The seq up to which control events of the system ledger were told to its groups; 0: it has
  // none.
  int64_t told_control(const std::string& system) const;
  // It has one now, whose rows are as of that seq.
  void tell_control_from(const std::string& system, int64_t seq);
  // Runs a command of this service as the process itself, its context but for the reason filled in;
  // `done` on the delivering thread.
  void decide(const char* rpc, std::shared_ptr<google::protobuf::Message> request, Done done);

  // --- Questions (answers.cc)
  void ask(const Call& call, const std::string& at_least_event, std::function<Answer()> answer,
           Done done);
  Answer get(const subscriptions::v1::GetSubscriptionRequest& request);
  Answer list(const subscriptions::v1::ListSubscriptionsRequest& request);
  // Makes readings() of now.
  void read_all();
  // Age of the oldest selected event of the ledger up to `end` that is not handled, ms; 0: none.
  // Nothing: the events cannot be read.
  std::optional<int64_t> lag_ms(const subscriptions::state::v1::Subscription& row,
                                int64_t end) const;
  // The rows of a ledger's subscriptions, wherever they stand: calls `read` for each system ledger
  // that this process holds, until it answers true.
  std::optional<Error> read_rows(const std::function<bool(SnapshotRows&)>& read) const;
  void fill_with_lag(const subscriptions::state::v1::Subscription& row, int64_t ledger_seq,
                     subscriptions::v1::SubscriptionState& state) const;
  // All but the lag in time. `ledger_seq`: nothing when it is not known; then neither is the
  // backlog.
  void fill(const subscriptions::state::v1::Subscription& row, std::optional<int64_t> ledger_seq,
            subscriptions::v1::SubscriptionState& state) const;

  const Parts parts_;
  const Caller self_;
  const std::shared_ptr<Inbox> inbox_ = std::make_shared<Inbox>();
  std::atomic<uint64_t> next_consumer_{1};
  // --- Of the delivering thread
  uint64_t next_beginning_ = 1;
  struct Slot {
    std::unique_ptr<Group> group;
    int64_t timer_us = 0;  // its place in timers_
  };
  std::map<std::string, Slot> groups_;  // by "<ledger>/<name>"
  std::set<std::string> awake_;         // they get a turn
  std::set<std::pair<int64_t, std::string>> timers_;
  std::map<std::string, Control> controls_;  // by system ledger
  size_t lags_from_ = 0;                     // of the next readings, the first with a new lag

  mutable std::mutex readings_mutex_;
  std::vector<Reading> readings_;
  std::thread thread_;
};

// Where a process decides and keeps no views: answers Receive, Acknowledge and Retry with how to
// run it instead.
void refuse_delivery(Dispatcher& dispatcher);

}  // namespace delivery
}  // namespace taizhang
