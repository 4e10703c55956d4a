// One reader of the newest events for many subscriptions.
#include "projections/ledger/live_tail.h"

#include <string_view>
#include <utility>

#include "projections/ledger/event_walker.h"

namespace taizhang::ledger_view {
namespace {

// The view is asked again after so long without an event.
constexpr int64_t kFollowUs = int64_t{3'600} * 1'000'000;

template <class Keys, class Key>
void change(Keys& keys, const Key& key, uint64_t id, bool add) {
  if (add) {
    keys[key].insert(id);
    return;
  }
  const auto found = keys.find(key);
  if (found == keys.end()) return;
  found->second.erase(id);
  if (found->second.empty()) keys.erase(found);
}

}  // namespace

LiveTail::LiveTail(std::shared_ptr<LiveView> view, std::string ledger, size_t events_max,
                   size_t bytes_max)
    : view_(std::move(view)),
      ledger_(std::move(ledger)),
      events_max_(events_max),
      bytes_max_(bytes_max) {}

LiveTail::~LiveTail() {
  if (waiting_) view_->cancel(*waiting_);
}

void LiveTail::change_keys(uint64_t id, const Filter& filter, bool add) {
  if (!filter.subjects.empty()) {
    for (const auto& subject : filter.subjects) change(by_subject_, subject, id, add);
  } else if (!filter.types.empty()) {
    for (const auto& type : filter.types) change(by_type_, type, id, add);
  } else if (!filter.contexts.empty()) {
    for (const auto& context : filter.contexts) change(by_context_, context, id, add);
  } else if (add) {
    open_.insert(id);
  } else {
    open_.erase(id);
  }
}

uint64_t LiveTail::join(const Filter& filter, std::function<void()> wake) {
  const std::lock_guard lock(mutex_);
  const uint64_t id = next_member_++;
  members_[id] = {&filter, std::move(wake), false};
  change_keys(id, filter, true);
  return id;
}

void LiveTail::leave(uint64_t member) {
  const std::lock_guard lock(mutex_);
  const auto found = members_.find(member);
  if (found == members_.end()) return;
  change_keys(member, *found->second.filter, false);
  members_.erase(found);
}

bool LiveTail::wait(uint64_t member, int64_t position) {
  {
    const std::lock_guard lock(mutex_);
    Member& one = members_.at(member);
    if (following_ && newest_ > position) {
      if (events_.empty() || events_.front().seq > position + 1) return false;
      for (const auto& event : events_) {
        if (event.seq > position && one.filter->takes(event.type, event.subjects)) return false;
      }
    }
    one.waiting = true;
    if (following_) return true;
    // Nobody has looked since newest_, so what came meanwhile is not known.
    forget(position);
    following_ = true;
  }
  follow();
  return true;
}

std::optional<int64_t> LiveTail::read(int64_t position, const Filter& filter, bool may_see_personal,
                                      const Take& take) const {
  const std::lock_guard lock(mutex_);
  if (position > newest_ || events_.empty() || events_.front().seq > position + 1)
    return std::nullopt;
  for (auto event = events_.begin() + (position + 1 - events_.front().seq); event != events_.end();
       ++event) {
    if (!filter.takes(event->type, event->subjects)) continue;
    if (!take(event->withheld && !may_see_personal ? *event->withheld : event->envelope))
      return event->seq - 1;
  }
  return newest_;
}

void LiveTail::follow() {
  uint64_t turn = 0;
  int64_t newest = 0;
  {
    const std::lock_guard lock(mutex_);
    turn = ++follows_;
    newest = newest_;
  }
  const uint64_t waiting =
      view_->when_beyond(ledger_, newest, view_->boot_us() + kFollowUs, [weak = weak_from_this()] {
        if (const auto self = weak.lock()) self->advance();
      });
  // It may have been called already, and have asked again.
  const std::lock_guard lock(mutex_);
  if (follows_ == turn) waiting_ = waiting;
}

void LiveTail::advance() {
  int64_t known = 0;
  {
    const std::lock_guard lock(mutex_);
    known = newest_;
  }
  const auto progress = view_->progress(ledger_);
  const auto* now = std::get_if<LiveView::Progress>(&progress);
  std::optional<std::vector<Event>> events;
  // What is more than the tail keeps is for each to read through its own index.
  const bool too_many = now && now->seq - known > static_cast<int64_t>(events_max_);
  if (now) events = too_many ? std::vector<Event>() : read_events(known + 1, now->seq);
  Wakes wakes;
  {
    const std::lock_guard lock(mutex_);
    if (!events) {
      // Each finds out by itself why.
      following_ = false;
      waiting_.reset();
      wake_all(wakes);
    } else if (too_many) {
      forget(now->seq);
      wake_all(wakes);
    } else {
      wake_concerned(*events, wakes);
      keep(std::move(*events));
    }
  }
  if (events) follow();
  for (const auto& wake : wakes) wake();
}

std::optional<std::vector<LiveTail::Event>> LiveTail::read_events(int64_t low, int64_t high) const {
  std::vector<Event> events;
  bool whole = false;
  const auto error = view_->read(ledger_, high, [&](SnapshotRows& rows) {
    const Filter all;
    EventWalker walker(rows, all);
    whole = walker.each(low, high, [&](CommitEnvelopes& commit, const EventMeta& meta) {
      auto& event = events.emplace_back();
      event.seq = meta.seq;
      event.type = meta.type;
      event.subjects = subjects_of(*meta.event);
      commit.append(meta.seq, true, event.envelope);
      if (holds_personal_data(*meta.event))
        commit.append(meta.seq, false, event.withheld.emplace());
    });
  });
  if (error || !whole) return std::nullopt;
  return events;
}

void LiveTail::forget(int64_t newest) {
  events_.clear();
  bytes_ = 0;
  newest_ = newest;
}

void LiveTail::keep(std::vector<Event> events) {
  for (auto& event : events) {
    newest_ = event.seq;
    bytes_ += event.bytes();
    events_.push_back(std::move(event));
  }
  while (events_.size() > events_max_ || bytes_ > bytes_max_) {
    bytes_ -= events_.front().bytes();
    events_.pop_front();
  }
}

void LiveTail::wake_concerned(const std::vector<Event>& events, Wakes& wakes) {
  const auto wake = [&](const std::set<uint64_t>& ids, const Event& event) {
    for (const uint64_t id : ids) {
      Member& member = members_.at(id);
      if (!member.waiting || !member.filter->takes(event.type, event.subjects)) continue;
      member.waiting = false;
      wakes.push_back(member.wake);
    }
  };
  const auto wake_under = [&](const auto& keys, const auto& key, const Event& event) {
    const auto found = keys.find(key);
    if (found != keys.end()) wake(found->second, event);
  };
  for (const auto& event : events) {
    wake(open_, event);
    wake_under(by_type_, event.type, event);
    wake_under(by_context_, std::string(context_of(event.type)), event);
    for (const auto& subject : event.subjects) wake_under(by_subject_, subject, event);
  }
}

void LiveTail::wake_all(Wakes& wakes) {
  for (auto& [id, member] : members_) {
    if (std::exchange(member.waiting, false)) wakes.push_back(member.wake);
  }
}

std::shared_ptr<LiveTail> LiveTails::of(const std::shared_ptr<LiveView>& view,
                                        const std::string& ledger) {
  const std::lock_guard lock(mutex_);
  auto& known = tails_[{view.get(), ledger}];
  auto tail = known.lock();
  if (!tail) {
    tail = std::make_shared<LiveTail>(view, ledger, events_max_, bytes_max_);
    known = tail;
    std::erase_if(tails_, [](const auto& entry) { return entry.second.expired(); });
  }
  return tail;
}

}  // namespace taizhang::ledger_view
