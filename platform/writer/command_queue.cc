// Lanes of commands, in which ledgers take turns.
#include "platform/writer/command_queue.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace taizhang {
namespace {

// Commands of one ledger before the next has its turn: neighbours share rows in the caches.
constexpr size_t kTurnCommands = 16;

}  // namespace

void CommandQueue::Lane::push(Submission submission) {
  auto& waiting = ledgers[submission.ledger];
  if (waiting.empty()) turns.push_back(submission.ledger);
  waiting.push_back(std::move(submission));
}

void CommandQueue::Lane::push_front(Submission submission) {
  auto& waiting = ledgers[submission.ledger];
  if (waiting.empty()) turns.push_front(submission.ledger);
  waiting.push_front(std::move(submission));
}

void CommandQueue::Lane::take(size_t max, std::deque<Submission>& out) {
  while (max > 0 && !turns.empty()) {
    const auto found = ledgers.find(turns.front());
    auto& waiting = found->second;
    const size_t count = std::min({max, kTurnCommands, waiting.size()});
    std::move(waiting.begin(), waiting.begin() + static_cast<ptrdiff_t>(count),
              std::back_inserter(out));
    waiting.erase(waiting.begin(), waiting.begin() + static_cast<ptrdiff_t>(count));
    max -= count;
    if (waiting.empty()) {
      ledgers.erase(found);
    } else {
      turns.push_back(std::move(turns.front()));
    }
    turns.pop_front();
  }
}

void CommandQueue::Lane::take_late(int64_t boot_us, std::deque<Submission>& out) {
  std::erase_if(turns, [&](const std::string& ledger) {
    const auto found = ledgers.find(ledger);
    auto& waiting = found->second;
    const auto late = std::stable_partition(
        waiting.begin(), waiting.end(),
        [&](const Submission& one) { return one.deadline_boot_us >= boot_us; });
    std::move(late, waiting.end(), std::back_inserter(out));
    waiting.erase(late, waiting.end());
    if (!waiting.empty()) return false;
    ledgers.erase(found);
    return true;
  });
}

CommandQueue::Put CommandQueue::put(Submission& submission) {
  {
    const std::lock_guard lock(mutex_);
    if (closed_) return Put::kClosed;
    if (commands_ >= commands_max_) return Put::kFull;
    size_t& of_ledger = per_ledger_[submission.ledger];
    if (of_ledger >= commands_per_ledger_max_) return Put::kLedgerFull;
    ++of_ledger;
    ++commands_;
    (submission.bulk ? bulk_ : interactive_).push(std::move(submission));
    if (woken_) return Put::kTaken;
    woken_ = true;
  }
  work_.notify_one();
  return Put::kTaken;
}

CommandQueue::Put CommandQueue::put(OutcomeQuestion& question) {
  {
    const std::lock_guard lock(mutex_);
    if (closed_) return Put::kClosed;
    if (questions_.size() >= commands_max_) return Put::kFull;
    questions_.push_back(std::move(question));
    if (woken_) return Put::kTaken;
    woken_ = true;
  }
  work_.notify_one();
  return Put::kTaken;
}

void CommandQueue::count(const std::deque<Submission>& taken) {
  for (const auto& submission : taken) {
    const auto found = per_ledger_.find(submission.ledger);
    if (--found->second == 0) per_ledger_.erase(found);
  }
  commands_ -= taken.size();
}

CommandQueue::Turn CommandQueue::take(size_t interactive_max, size_t bulk_max) {
  Turn turn;
  const std::lock_guard lock(mutex_);
  woken_ = false;
  interactive_.take(interactive_max, turn.commands);
  bulk_.take(bulk_max, turn.commands);
  count(turn.commands);
  turn.questions.swap(questions_);
  return turn;
}

void CommandQueue::put_back(Turn turn) {
  const std::lock_guard lock(mutex_);
  for (auto one = turn.commands.rbegin(); one != turn.commands.rend(); ++one) {
    ++per_ledger_[one->ledger];
    ++commands_;
    (one->bulk ? bulk_ : interactive_).push_front(std::move(*one));
  }
  questions_.insert(questions_.begin(), std::make_move_iterator(turn.questions.begin()),
                    std::make_move_iterator(turn.questions.end()));
}

CommandQueue::Turn CommandQueue::take_late(int64_t boot_us) {
  Turn turn;
  const std::lock_guard lock(mutex_);
  woken_ = false;
  interactive_.take_late(boot_us, turn.commands);
  bulk_.take_late(boot_us, turn.commands);
  count(turn.commands);
  const auto late = std::stable_partition(
      questions_.begin(), questions_.end(),
      [&](const OutcomeQuestion& one) { return one.deadline_boot_us >= boot_us; });
  std::move(late, questions_.end(), std::back_inserter(turn.questions));
  questions_.erase(late, questions_.end());
  return turn;
}

void CommandQueue::close() {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    woken_ = true;
  }
  work_.notify_all();
}

size_t CommandQueue::commands() const {
  const std::lock_guard lock(mutex_);
  return commands_;
}

bool CommandQueue::empty() const {
  const std::lock_guard lock(mutex_);
  return commands_ == 0 && questions_.empty();
}

void CommandQueue::wait(absl::Duration timeout) {
  std::unique_lock lock(mutex_);
  if (!woken_) work_.wait_for(lock, absl::ToChronoMicroseconds(timeout), [this] { return woken_; });
  woken_ = false;
}

void CommandQueue::wake() {
  {
    const std::lock_guard lock(mutex_);
    if (woken_) return;
    woken_ = true;
  }
  work_.notify_one();
}

bool CommandQueue::woken() const {
  const std::lock_guard lock(mutex_);
  return woken_;
}

}  // namespace taizhang
