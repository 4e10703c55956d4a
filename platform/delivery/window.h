// What a delivery knows of one subscription: the selected events that were looked at and are not
// handled, whose turn it is, and what is kept back.
//
// Pure: time comes in, nothing goes out but what is returned. One thread. Everything up to
// looked_at() that is not open here is handled: acknowledged, skipped, not selected, or kept back
// behind a parked subject. So what has to be written down is as small as what is open.
//
// An event itself is held until it is handed out, where there is room for it; else, and when it
// comes again, whoever hands it out reads it again. So nobody waits for room, however little there
// is.
//
// Order: of a subject only the first open event can be taken. A parked subject's events are not
// open; while it is replayed they are loaded again, and taken one after the other.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace taizhang::delivery {

struct HeldEvent;
struct Room;

struct Rules {
  int attempts_max = 5;
  int64_t ack_deadline_us = 30'000'000;
  // Open events, and about as many of replays beside them: see replays_full().
  size_t outstanding_max = 256;
  // Bytes of the events that are held, replays among them.
  size_t held_bytes_max = size_t{16} << 20;
};

// Both included.
struct SeqSpan {
  int64_t first = 0;
  int64_t last = 0;
  bool operator==(const SeqSpan&) const = default;
};

struct ParkedState {
  int64_t version = 0;    // seq of the event that parked it, or replays it
  int64_t after_seq = 0;  // its events up to here are handled
  bool replaying = false;
};

// What was written down when a delivery begins.
struct Recorded {
  int64_t position = 0;
  std::vector<SeqSpan> done;  // ascending, behind the position
  std::map<std::string, ParkedState> parked;
  std::set<int64_t> skipped;
  // Deliveries that failed, by seq.
  std::map<int64_t, int> failed;
};

class Window {
 public:
  // `room` must outlive it. Null: only its own rules bound it.
  Window(Rules rules, Recorded recorded, Room* room = nullptr);
  Window(const Window&) = delete;
  Window& operator=(const Window&) = delete;
  ~Window() { let_go_events(); }

  // --- Looking at events, in the order of their seqs.
  int64_t looked_at() const { return looked_at_; }
  bool is_full() const { return open_.size() >= rules_.outstanding_max; }
  void add(int64_t seq, const std::string& subject, std::shared_ptr<HeldEvent> event,
           size_t bytes = 0);
  // Everything up to `seq` was looked at.
  void look_to(int64_t seq);

  // --- Replays: a subject whose next kept back events are wanted.
  struct Load {
    std::string subject;
    int64_t after_seq = 0;
    int64_t until_seq = 0;
  };
  // As many are open as ordinary ones may be: of each subject only the next is to be loaded, so
  // that one that waits long holds no other back.
  bool replays_full() const { return replayed_.size() >= rules_.outstanding_max; }
  std::vector<Load> wanted_loads() const;
  void add_replayed(const std::string& subject, int64_t seq, std::shared_ptr<HeldEvent> event,
                    size_t bytes = 0);
  // Everything of the subject up to `seq` was added.
  void loaded(const std::string& subject, int64_t seq);

  // --- Delivering
  struct Taken {
    int64_t seq = 0;
    int attempt = 0;
    bool replayed = false;
    std::shared_ptr<HeldEvent> event;  // null: it is not held
  };
  // At most `count` events whose turn it is, in the order of their seqs, now under way to
  // `consumer`; none after `bytes_max` is reached.
  std::vector<Taken> take(int64_t now_us, size_t count, uint64_t consumer,
                          size_t bytes_max = SIZE_MAX);
  // False: not open.
  bool acknowledge(int64_t seq);
  // Everything that is under way up to there. Not what failed since, or was delivered by an earlier
  // process: whoever had it may have handled nothing.
  void acknowledge_up_to(int64_t seq);
  // False: not under way.
  bool retry(int64_t seq, int64_t due_us);
  // Holds no event any more; whose turn it is stays.
  void let_go_events();
  // The consumer is gone: what is under way to it is to be taken by another.
  void release(uint64_t consumer);
  // Ends what was under way for too long. Returns what was delivered attempts_max times: it cannot
  // be taken any more, until it is parked or unparkable() says that it could not be.
  struct Failed {
    int64_t seq = 0;
    std::string subject;
    int attempts = 0;
  };
  std::vector<Failed> expire(int64_t now_us);
  void unparkable(int64_t seq, int64_t due_us);
  // When expire() or take() would find something they did not find before; INT64_MAX: never.
  int64_t next_due_us() const;

  // --- What was decided
  void park(const std::string& subject, int64_t seq, int64_t version);
  void replay(const std::string& subject, int64_t version);
  // `subject` empty: of one that is not parked.
  void skip(int64_t seq, const std::string& subject);

  // --- What is to be written down
  int64_t position() const;
  std::vector<SeqSpan> done() const;
  struct ReplayDone {
    std::string subject;
    int64_t version = 0;
    int64_t after_seq = 0;
    bool finished = false;
  };
  bool replays_moved() const { return !moved_replays_.empty(); }
  // Replays that moved since they were taken last.
  std::vector<ReplayDone> take_replays();

  struct FailedCount {
    int64_t seq = 0;
    int count = 0;
    bool operator==(const FailedCount&) const = default;
  };
  // Deliveries failed since they were taken last, replays not counted.
  bool failures_moved() const { return failures_moved_; }
  // Of every open event of which deliveries failed, replays not counted: at most outstanding_max.
  std::vector<FailedCount> take_failures();

  size_t open() const { return open_.size() + replayed_.size(); }
  size_t under_way() const;
  // Nothing open waits for its turn now: everything was delivered, or comes later.
  bool all_delivered() const;

 private:
  enum class State { kWaiting, kUnderWay, kFailed };
  struct Entry {
    std::string subject;
    State state = State::kWaiting;
    int attempts = 0;       // those of earlier processes too
    bool is_taken = false;  // by a consumer of this one
    // Under way: until then. Waiting: not before.
    int64_t due_us = 0;
    uint64_t consumer = 0;
    std::shared_ptr<HeldEvent> event;
    size_t bytes = 0;
  };
  using Entries = std::map<int64_t, Entry>;
  struct Replay {
    std::deque<int64_t> seqs;  // loaded and not handled, ascending
    int64_t loaded_until = 0;
  };
  void hold(Entries& entries, int64_t seq, const std::string& subject,
            std::shared_ptr<HeldEvent> event, size_t bytes);
  void let_go(Entries& entries, Entries::iterator entry);
  // The event of an entry, which holds it no more.
  std::shared_ptr<HeldEvent> take_event(Entry& entry);
  // What was under way is to be taken again, not before `due_us`.
  void fail_delivery(Entry& entry, int64_t due_us);
  Entry* find(int64_t seq);
  void finish_replayed(int64_t seq);
  void drop_replay(const std::string& subject);
  template <class Visit>
  void each_in_turn(const Visit& visit);

  const Rules rules_;
  Room* const room_;
  int64_t looked_at_;
  Entries open_;
  Entries replayed_;
  size_t held_bytes_ = 0;
  std::map<std::string, ParkedState> parked_;
  std::map<std::string, Replay> replays_;  // of parked_ that are replaying
  std::map<std::string, ReplayDone> moved_replays_;
  // Handled before they were looked at.
  std::deque<SeqSpan> done_ahead_;
  std::set<int64_t> skipped_;             // given up
  std::map<int64_t, int> failed_before_;  // of events that were not looked at yet
  bool failures_moved_ = false;
};

}  // namespace taizhang::delivery
