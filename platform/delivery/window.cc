// Turns, deadlines and attempts of one subscription.
#include "platform/delivery/window.h"

#include <algorithm>
#include <limits>
#include <set>
#include <string_view>
#include <utility>

#include "platform/delivery/room.h"

namespace taizhang::delivery {

Window::Window(Rules rules, Recorded recorded, Room* room)
    : rules_(rules),
      room_(room),
      looked_at_(recorded.position),
      parked_(std::move(recorded.parked)),
      done_ahead_(recorded.done.begin(), recorded.done.end()),
      skipped_(std::move(recorded.skipped)),
      failed_before_(std::move(recorded.failed)) {
  for (const auto& [subject, parked] : parked_) {
    if (parked.replaying) replays_[subject].loaded_until = parked.after_seq;
  }
  look_to(looked_at_);
}

// --- Looking

void Window::hold(Entries& entries, int64_t seq, const std::string& subject,
                  std::shared_ptr<HeldEvent> event, size_t bytes) {
  Entry& entry = entries[seq];
  entry.subject = subject;
  entry.bytes = bytes;
  if (held_bytes_ + bytes > rules_.held_bytes_max ||
      (room_ && room_->bytes + bytes > room_->bytes_max)) {
    if (room_) ++room_->refused;
    return;
  }
  entry.event = std::move(event);
  held_bytes_ += bytes;
  if (room_) room_->bytes += bytes;
}

std::shared_ptr<HeldEvent> Window::take_event(Entry& entry) {
  if (entry.event) {
    held_bytes_ -= entry.bytes;
    if (room_) room_->bytes -= entry.bytes;
  }
  return std::exchange(entry.event, nullptr);
}

void Window::let_go(Entries& entries, Entries::iterator entry) {
  take_event(entry->second);
  entries.erase(entry);
}

void Window::let_go_events() {
  for (auto* entries : {&open_, &replayed_}) {
    for (auto& [seq, entry] : *entries) take_event(entry);
  }
}

void Window::add(int64_t seq, const std::string& subject, std::shared_ptr<HeldEvent> event,
                 size_t bytes) {
  if (seq <= looked_at_) return;
  while (!done_ahead_.empty() && done_ahead_.front().last < seq) done_ahead_.pop_front();
  const bool handled =
      skipped_.contains(seq) || (!done_ahead_.empty() && done_ahead_.front().first <= seq);
  const auto parked = parked_.find(subject);
  const bool kept_back = parked != parked_.end() && seq > parked->second.after_seq;
  if (!handled && !kept_back) {
    hold(open_, seq, subject, std::move(event), bytes);
    if (const auto before = failed_before_.find(seq); before != failed_before_.end()) {
      Entry& entry = open_[seq];
      entry.attempts = before->second;
      // For expire(), at once.
      if (entry.attempts >= rules_.attempts_max) entry.due_us = 1;
    }
  }
  look_to(seq);
}

void Window::look_to(int64_t seq) {
  looked_at_ = std::max(looked_at_, seq);
  while (!done_ahead_.empty() && done_ahead_.front().first <= looked_at_ + 1) {
    looked_at_ = std::max(looked_at_, done_ahead_.front().last);
    done_ahead_.pop_front();
  }
  failed_before_.erase(failed_before_.begin(), failed_before_.upper_bound(looked_at_));
}

// --- Replays

std::vector<Window::Load> Window::wanted_loads() const {
  std::vector<Load> wanted;
  for (const auto& [subject, replay] : replays_) {
    if (!replay.seqs.empty()) continue;
    if (replay.loaded_until < looked_at_ || done_ahead_.empty())
      wanted.push_back({subject, replay.loaded_until, looked_at_});
  }
  return wanted;
}

void Window::add_replayed(const std::string& subject, int64_t seq, std::shared_ptr<HeldEvent> event,
                          size_t bytes) {
  const auto replay = replays_.find(subject);
  const bool known = replay == replays_.end() || seq <= replay->second.loaded_until;
  if (known || open_.contains(seq) || skipped_.contains(seq)) return;
  replay->second.seqs.push_back(seq);
  replay->second.loaded_until = seq;
  hold(replayed_, seq, subject, std::move(event), bytes);
}

void Window::loaded(const std::string& subject, int64_t seq) {
  const auto found = replays_.find(subject);
  if (found == replays_.end()) return;
  Replay& replay = found->second;
  replay.loaded_until = std::max(replay.loaded_until, seq);
  if (!replay.seqs.empty() || replay.loaded_until < looked_at_) return;
  // Among what was written down as handled behind the position may be events of it that were kept
  // back.
  if (!done_ahead_.empty()) return;
  // Nothing of it is kept back any more: what comes next takes its ordinary way.
  moved_replays_[subject] = {subject, parked_[subject].version, replay.loaded_until, true};
  replays_.erase(found);
  parked_.erase(subject);
}

void Window::finish_replayed(int64_t seq) {
  const auto entry = replayed_.find(seq);
  const std::string subject = entry->second.subject;
  let_go(replayed_, entry);
  Replay& replay = replays_[subject];
  ParkedState& parked = parked_[subject];
  while (!replay.seqs.empty() && !replayed_.contains(replay.seqs.front())) {
    parked.after_seq = replay.seqs.front();
    replay.seqs.pop_front();
    moved_replays_[subject] = {subject, parked.version, parked.after_seq, false};
  }
}

void Window::drop_replay(const std::string& subject) {
  const auto found = replays_.find(subject);
  if (found == replays_.end()) return;
  for (const int64_t seq : found->second.seqs) {
    if (const auto entry = replayed_.find(seq); entry != replayed_.end()) let_go(replayed_, entry);
  }
  replays_.erase(found);
}

// --- Delivering

// Visits the first open event of each subject, in the order of their seqs, until false.
template <class Visit>
void Window::each_in_turn(const Visit& visit) {
  std::set<std::string_view> seen;
  auto ordinary = open_.begin();
  auto replayed = replayed_.begin();
  while (ordinary != open_.end() || replayed != replayed_.end()) {
    const bool from_replay = ordinary == open_.end() ||
                             (replayed != replayed_.end() && replayed->first < ordinary->first);
    auto& at = from_replay ? replayed : ordinary;
    if (seen.insert(at->second.subject).second && !visit(at->first, at->second, from_replay))
      return;
    ++at;
  }
}

std::vector<Window::Taken> Window::take(int64_t now_us, size_t count, uint64_t consumer,
                                        size_t bytes_max) {
  std::vector<Taken> taken;
  size_t bytes = 0;
  each_in_turn([&](int64_t seq, Entry& entry, bool is_replayed) {
    if (taken.size() == count || bytes >= bytes_max) return false;
    if (entry.state != State::kWaiting || entry.due_us > now_us) return true;
    if (entry.attempts >= rules_.attempts_max) return true;
    entry.state = State::kUnderWay;
    entry.is_taken = true;
    entry.due_us = now_us + rules_.ack_deadline_us;
    entry.consumer = consumer;
    ++entry.attempts;
    bytes += entry.bytes;
    taken.push_back({seq, entry.attempts, is_replayed, take_event(entry)});
    return true;
  });
  return taken;
}

Window::Entry* Window::find(int64_t seq) {
  if (const auto found = open_.find(seq); found != open_.end()) return &found->second;
  const auto found = replayed_.find(seq);
  return found == replayed_.end() ? nullptr : &found->second;
}

bool Window::acknowledge(int64_t seq) {
  if (const auto entry = open_.find(seq); entry != open_.end()) {
    let_go(open_, entry);
    return true;
  }
  if (!replayed_.contains(seq)) return false;
  finish_replayed(seq);
  return true;
}

void Window::acknowledge_up_to(int64_t seq) {
  std::vector<int64_t> held;
  for (const auto* entries : {&open_, &replayed_}) {
    for (const auto& [at, entry] : *entries) {
      if (at > seq) break;
      if (entry.state == State::kUnderWay) held.push_back(at);
    }
  }
  for (const int64_t at : held) acknowledge(at);
}

void Window::fail_delivery(Entry& entry, int64_t due_us) {
  entry.state = State::kWaiting;
  entry.due_us = due_us;
}

bool Window::retry(int64_t seq, int64_t due_us) {
  Entry* entry = find(seq);
  if (!entry || entry->state != State::kUnderWay) return false;
  fail_delivery(*entry, due_us);
  failures_moved_ |= open_.contains(seq);
  return true;
}

void Window::release(uint64_t consumer) {
  for (auto* entries : {&open_, &replayed_}) {
    for (auto& [seq, entry] : *entries) {
      if (entry.state != State::kUnderWay || entry.consumer != consumer) continue;
      fail_delivery(entry, 0);
      failures_moved_ |= entries == &open_;
    }
  }
}

std::vector<Window::Failed> Window::expire(int64_t now_us) {
  std::vector<Failed> failed;
  for (auto* entries : {&open_, &replayed_}) {
    for (auto& [seq, entry] : *entries) {
      if (entry.state == State::kUnderWay && entry.due_us <= now_us) {
        fail_delivery(entry, 0);
        failures_moved_ |= entries == &open_;
      }
      if (entry.state != State::kWaiting || entry.due_us > now_us) continue;
      entry.due_us = 0;  // no time to wake for any more, even if nobody takes it
      if (entry.attempts >= rules_.attempts_max) {
        entry.state = State::kFailed;
        failed.push_back({seq, entry.subject, entry.attempts});
      }
    }
  }
  return failed;
}

void Window::unparkable(int64_t seq, int64_t due_us) {
  Entry* entry = find(seq);
  if (!entry || entry->state != State::kFailed) return;
  entry->state = State::kWaiting;
  entry->due_us = due_us;
}

int64_t Window::next_due_us() const {
  int64_t next_us = std::numeric_limits<int64_t>::max();
  for (const auto* entries : {&open_, &replayed_}) {
    for (const auto& [seq, entry] : *entries) {
      const bool later =
          entry.state == State::kUnderWay || (entry.state == State::kWaiting && entry.due_us > 0);
      if (later) next_us = std::min(next_us, entry.due_us);
    }
  }
  return next_us;
}

// --- Decided

void Window::park(const std::string& subject, int64_t seq, int64_t version) {
  drop_replay(subject);
  // What was finished before is said by the version it was found on.
  const auto [parked, is_new] = parked_.try_emplace(subject);
  if (is_new) parked->second.after_seq = seq - 1;
  parked->second.version = version;
  parked->second.replaying = false;
  for (auto at = open_.upper_bound(parked->second.after_seq); at != open_.end();) {
    const auto entry = at++;
    if (entry->second.subject == subject) let_go(open_, entry);
  }
}

void Window::replay(const std::string& subject, int64_t version) {
  const auto parked = parked_.find(subject);
  if (parked == parked_.end()) return;
  drop_replay(subject);
  parked->second.version = version;
  parked->second.replaying = true;
  replays_[subject].loaded_until = parked->second.after_seq;
}

void Window::skip(int64_t seq, const std::string& subject) {
  skipped_.insert(seq);
  if (subject.empty()) {
    acknowledge(seq);
    return;
  }
  const auto parked = parked_.find(subject);
  if (parked == parked_.end()) return;
  parked->second.after_seq = std::max(parked->second.after_seq, seq);
  if (replayed_.contains(seq)) {
    finish_replayed(seq);
  } else if (const auto replay = replays_.find(subject); replay != replays_.end()) {
    replay->second.loaded_until = std::max(replay->second.loaded_until, seq);
  }
}

// --- To be written down

int64_t Window::position() const { return open_.empty() ? looked_at_ : open_.begin()->first - 1; }

std::vector<SeqSpan> Window::done() const {
  std::vector<SeqSpan> spans;
  for (auto at = open_.begin(); at != open_.end(); ++at) {
    const auto next = std::next(at);
    const int64_t last = next == open_.end() ? looked_at_ : next->first - 1;
    if (last > at->first) spans.push_back({at->first + 1, last});
  }
  return spans;
}

std::vector<Window::ReplayDone> Window::take_replays() {
  std::vector<ReplayDone> moved;
  for (auto& [subject, replay] : moved_replays_) moved.push_back(std::move(replay));
  moved_replays_.clear();
  return moved;
}

std::vector<Window::FailedCount> Window::take_failures() {
  failures_moved_ = false;
  std::vector<FailedCount> failed;
  const auto add = [&](int64_t seq, int count) {
    if (count > 0 && failed.size() < rules_.outstanding_max) failed.push_back({seq, count});
  };
  for (const auto& [seq, entry] : open_)
    add(seq, entry.attempts - (entry.state == State::kUnderWay ? 1 : 0));
  for (const auto& [seq, count] : failed_before_) add(seq, count);
  return failed;
}

size_t Window::under_way() const {
  size_t count = 0;
  for (const auto* entries : {&open_, &replayed_}) {
    for (const auto& [seq, entry] : *entries) count += entry.state == State::kUnderWay;
  }
  return count;
}

bool Window::all_delivered() const {
  return std::all_of(open_.begin(), open_.end(),
                     [](const auto& open) { return open.second.is_taken; });
}

}  // namespace taizhang::delivery
