// The newest events of one ledger, read once for all subscriptions that have caught up: an event
// wakes those that it concerns, and no others.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "platform/projection/view.h"
#include "projections/ledger/filter.h"

namespace taizhang::ledger_view {

// Thread-safe. Lives as long as somebody follows it.
class LiveTail : public std::enable_shared_from_this<LiveTail> {
 public:
  LiveTail(std::shared_ptr<LiveView> view, std::string ledger, size_t events_max, size_t bytes_max);
  ~LiveTail();

  // Follows the ledger for one subscription until leave(). `wake` is called on any thread, once for
  // each wait() that answered true. `filter` must live until leave().
  uint64_t join(const Filter& filter, std::function<void()> wake);
  void leave(uint64_t member);
  // Waits for an event behind `position` that the filter lets pass. False: one may be there
  // already; look. A call to `wake` may also mean that the view stands still, or that too much came
  // at once to say what: look then, too.
  bool wait(uint64_t member, int64_t position);

  // Gives `take` the serialised EventEnvelope of each event behind `position` that the filter lets
  // pass, until it answers false. Returns the position up to which, inclusive, everything was taken
  // or did not pass; nothing: the tail does not reach back to `position`.
  using Take = std::function<bool(std::string_view envelope)>;
  std::optional<int64_t> read(int64_t position, const Filter& filter, bool may_see_personal,
                              const Take& take) const;

 private:
  struct Event {
    int64_t seq = 0;
    std::string type;
    std::vector<Subject> subjects;
    std::string envelope;
    std::optional<std::string> withheld;  // where personal data stands in it
    size_t bytes() const { return envelope.size() + (withheld ? withheld->size() : 0); }
  };
  struct Member {
    const Filter* filter = nullptr;
    std::function<void()> wake;
    bool waiting = false;
  };

  // Asks the view to call when it holds more; `following_` is true.
  void follow();
  // Takes what the view holds by now.
  void advance();
  // Nothing: the view stands still.
  std::optional<std::vector<Event>> read_events(int64_t low, int64_t high) const;

  // These need the lock.
  using Wakes = std::vector<std::function<void()>>;
  void keep(std::vector<Event> events);
  void forget(int64_t newest);
  // Those that wait and that one of the events concerns; they wait no longer.
  void wake_concerned(const std::vector<Event>& events, Wakes& wakes);
  void wake_all(Wakes& wakes);
  // Puts a member under each key of its filter, of the most telling kind only, or takes it away.
  void change_keys(uint64_t id, const Filter& filter, bool add);

  const std::shared_ptr<LiveView> view_;
  const std::string ledger_;
  const size_t events_max_;
  const size_t bytes_max_;

  mutable std::mutex mutex_;
  std::unordered_map<uint64_t, Member> members_;
  uint64_t next_member_ = 1;
  std::set<uint64_t> open_;  // filters that let everything pass
  std::unordered_map<std::string, std::set<uint64_t>> by_type_;
  std::unordered_map<std::string, std::set<uint64_t>> by_context_;
  std::map<Subject, std::set<uint64_t>> by_subject_;

  std::deque<Event> events_;  // without gaps, up to newest_
  size_t bytes_ = 0;
  int64_t newest_ = 0;
  bool following_ = false;  // advance() will be called, or runs
  uint64_t follows_ = 0;
  std::optional<uint64_t> waiting_;  // of the view
};

// Whose turn it is to read ahead. Thread-safe.
class ReadAheadTurn {
 public:
  // Held as long as what it returns; null: somebody else has it.
  static std::shared_ptr<void> take(const std::shared_ptr<ReadAheadTurn>& turn) {
    if (turn->taken_.exchange(true)) return nullptr;
    return {turn.get(), [turn](void*) { turn->taken_ = false; }};
  }

 private:
  std::atomic<bool> taken_{false};
};

// The tails of all ledgers of a view that somebody follows. Thread-safe.
class LiveTails {
 public:
  // Of each tail.
  LiveTails(size_t events_max, size_t bytes_max) : events_max_(events_max), bytes_max_(bytes_max) {}

  std::shared_ptr<LiveTail> of(const std::shared_ptr<LiveView>& view, const std::string& ledger);
  // Of all subscriptions of the view.
  const std::shared_ptr<ReadAheadTurn>& read_ahead_turn() const { return read_ahead_turn_; }

 private:
  const std::shared_ptr<ReadAheadTurn> read_ahead_turn_ = std::make_shared<ReadAheadTurn>();
  const size_t events_max_;
  const size_t bytes_max_;
  std::mutex mutex_;
  std::map<std::pair<const LiveView*, std::string>, std::weak_ptr<LiveTail>> tails_;
};

}  // namespace taizhang::ledger_view
