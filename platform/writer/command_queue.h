// Commands and questions between the threads that take calls and the one that decides.
//
// Fair: ledgers take turns, so that one county's flood or import does not hold up another's
// command; a ledger's own commands keep their order. Thread-safe.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"
#include "platform/writer/submission.h"

namespace taizhang {

class CommandQueue {
 public:
  // Commands that wait, of all ledgers and of one; questions have the first bound of their own.
  CommandQueue(size_t commands_max, size_t commands_per_ledger_max)
      : commands_max_(commands_max), commands_per_ledger_max_(commands_per_ledger_max) {}

  enum class Put { kTaken, kFull, kLedgerFull, kClosed };
  // Moved from only when taken.
  Put put(Submission& submission);
  Put put(OutcomeQuestion& question);

  struct Turn {
    std::deque<Submission> commands;  // interactive ones first
    std::deque<OutcomeQuestion> questions;
    bool empty() const { return commands.empty() && questions.empty(); }
  };
  // What is to be done next: at most so many commands of each lane.
  Turn take(size_t interactive_max, size_t bulk_max);
  // What of a turn could not be done goes back before everything else of its ledger.
  void put_back(Turn turn);
  // Everything whose deadline is before `boot_us`; INT64_MAX: everything.
  Turn take_late(int64_t boot_us);

  // Any put() is answered kClosed from now on.
  void close();
  size_t commands() const;
  // No command waits.
  bool idle() const { return commands() == 0; }
  bool empty() const;

  // The deciding loop's sleep: ends at once when something was put, or woken, since the last
  // take().
  void wait(absl::Duration timeout);
  void wake();
  bool woken() const;

 private:
  // One lane's waiting commands by ledger. Every ledger with commands stands in `turns` once.
  struct Lane {
    absl::flat_hash_map<std::string, std::deque<Submission>> ledgers;
    std::deque<std::string> turns;

    void push(Submission submission);
    void push_front(Submission submission);
    void take(size_t max, std::deque<Submission>& out);
    void take_late(int64_t boot_us, std::deque<Submission>& out);
  };
  void count(const std::deque<Submission>& taken);

  const size_t commands_max_;
  const size_t commands_per_ledger_max_;
  mutable std::mutex mutex_;
  std::condition_variable work_;
  Lane interactive_;
  Lane bulk_;
  absl::flat_hash_map<std::string, size_t> per_ledger_;
  size_t commands_ = 0;
  std::deque<OutcomeQuestion> questions_;
  bool woken_ = false;
  bool closed_ = false;
};

}  // namespace taizhang
