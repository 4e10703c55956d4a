// Delivers the events of named subscriptions: Receive, Acknowledge, Retry, and what is told of
// subscriptions (proto/taizhang/subscriptions/v1/service.proto).
//
// What must not be lost stands in events on the system ledger of the partition and comes here
// through a view; whose turn it is, is in memory (window.h) and begins anew with every process that
// delivers. Only the process that decides the ledger's commands delivers: it begins with a command
// (RecordProgress, generation 0), whose commit also tells up to where the view has to be read.
//
// One thread delivers. Other threads, and the streams it answers, reach it by its inbox. What a
// question takes from views is read on the thread that asks, however long that takes; where it
// waits for an event first, on the views' threads for late queries.
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
#include "platform/delivery/room.h"
#include "platform/projection/snapshot.h"
#include "platform/projection/view.h"

namespace taizhang {

namespace ledger::v1 {
class EventFilter;
}
namespace subscriptions::v1 {
class SubscriptionState;
}

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
  // Visits the events of these ascending seqs, parsed, but for those that the rows do not have.
  std::function<void(SnapshotRows&, const std::vector<int64_t>& seqs,
                     const std::function<void(const EventMeta&)>&)>
      read;
  // Why this process cannot deliver now; it names the one that can. Nothing: it can.
  std::function<std::optional<Error>()> not_leading;
  // Takes the commands by which progress is written down.
  const Dispatcher& dispatcher;
  Clock& clock;
  Random& random;
  uint32_t partitions = 1;
  bool readings = true;  // somebody asks for readings()
  // Bytes of the events that all subscriptions together hold until they are handed out.
  size_t held_bytes_max = size_t{256} << 20;
};

class Delivery {
 public:
  static constexpr char kService[] = "taizhang.subscriptions.v1.SubscriptionService.";

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
  const Room& room() const { return room_; }

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
  // Answers from views, on any thread, perhaps when this is gone; puts the states that stand in the
  // answer into `states`.
  using Read = std::function<Answer(std::vector<subscriptions::v1::SubscriptionState*>& states)>;
  void serve_questions(Dispatcher& dispatcher);
  template <class Request>
  void handle_question(Dispatcher& dispatcher, const char* rpc,
                       Answer (*read)(const Parts& parts, const Request& request,
                                      std::vector<subscriptions::v1::SubscriptionState*>& states));
  // `read` once the event asked for is held, then adds what only the delivering thread knows.
  void ask(const Call& call, const std::string& ledger, const std::string& at_least_event,
           Read read, Done done);
  void tell_delivery(const std::string& ledger, subscriptions::v1::SubscriptionState& state) const;
  // Makes readings() of now.
  void read_all();

  const std::shared_ptr<const Parts> shared_parts_;
  const Parts& parts_ = *shared_parts_;
  const Caller self_;
  const std::shared_ptr<Inbox> inbox_ = std::make_shared<Inbox>();
  std::atomic<uint64_t> next_consumer_{1};
  // --- Of the delivering thread
  Room room_;
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
