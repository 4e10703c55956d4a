// A delivery against the commands it records with: random consumers that acknowledge, retry, fail,
// die; subjects parked and replayed, events skipped, and processes that end at any moment.
//
// What must hold: an event is handed out only after the earlier ones of its subject were
// acknowledged or skipped; nothing is written down as handled that was not; in the end everything
// was. A run is told by its seed.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <random>
#include <set>

#include "domain/subscription.h"
#include "platform/delivery/window.h"
#include "services/subscriptions/subscriptions.h"
#include "taizhang/subscriptions/v1/commands.pb.h"
#include "taizhang/subscriptions/v1/events.pb.h"
#include "tests/support/scenario.h"

namespace taizhang::test {
namespace {

using delivery::Window;
using subscriptions::state::v1::Parked;
using subscriptions::state::v1::Subscription;
using namespace subscriptions::v1;

constexpr const char* kName = "s";
constexpr int kSubjects = 5;
constexpr int kConsumers = 3;
constexpr int64_t kAckDeadlineUs = 1'000;
constexpr int kAttemptsMax = 3;

class Delivery {
 public:
  explicit Delivery(uint32_t seed) : seed_(seed), random_(seed), book_(register_subscriptions) {
    outstanding_max_ = 1 + random_() % 12;
    book_.with_roles({common::v1::ROLE_OPERATOR});
    CreateSubscriptionRequest create;
    create.set_name(kName);
    book_.given(create);
    grow(20);
    begin();
  }

  void step() {
    now_us_ += random_() % 300;
    switch (random_() % 16) {
      case 0: return grow(1 + random_() % 10);
      case 1:
      case 2: return look();
      case 3:
      case 4:
      case 5: return take(1 + random_() % kConsumers, 1 + random_() % 6);
      case 6:
      case 7:
      case 8: return acknowledge_one();
      case 9: return retry_one();
      case 10: return hear_one();
      case 11: return random_() % 6 == 0 ? window_->release(1 + random_() % kConsumers) : expire();
      case 12: return record();
      case 13: return replay_one();
      case 14: return random_() % 4 == 0 ? skip_one() : load();
      default: return random_() % 12 == 0 ? begin() : load();
    }
  }

  // From here on every consumer handles what it gets.
  void finish() {
    poison_.clear();
    for (int turn = 0; turn < 20'000 && !is_done(); ++turn) {
      now_us_ += 400;
      replay_one();
      while (!control_.empty()) hear_one();
      expire();
      look();
      load();
      take(1, 5);
      for (const auto& taken : std::exchange(held_, {})) acknowledge(taken.seq);
      record();
    }
    ASSERT_TRUE(is_done()) << where() << " position " << row().position() << " of " << end();
    for (int64_t seq = 1; seq <= end(); ++seq) {
      if (selected(seq)) {
        EXPECT_TRUE(acknowledged_.contains(seq) || skipped_.contains(seq)) << where() << seq;
      }
    }
  }
  size_t parks() const { return parks_; }
  size_t replays() const { return replays_; }

 private:
  std::string where() const { return "seed " + std::to_string(seed_) + ": "; }
  int64_t end() const { return static_cast<int64_t>(subjects_.size()); }
  bool selected(int64_t seq) const { return seq % 4 != 0; }
  const std::string& subject(int64_t seq) const { return subjects_[static_cast<size_t>(seq - 1)]; }
  const Subscription& row() { return book_.row<Subscription>(std::string(kLedger), kName); }
  bool is_done() {
    return row().position() == end() && row().parked_subjects() == 0 && control_.empty();
  }

  void grow(int64_t count) {
    for (; count > 0; --count) {
      subjects_.push_back("HOUSEHOLD/" + std::to_string(random_() % kSubjects));
      // Some events no consumer can handle, until it is repaired.
      if (random_() % 15 == 0) poison_.insert(end());
    }
    book_.named_seq(end());
  }

  template <class Request>
  bool decide(Request request) {
    request.set_name(kName);
    request.mutable_context()->set_reason("because");
    book_.when(request);
    return book_.event_count() > 0;
  }

  // A process that knows only what is written down.
  void begin() {
    RecordProgressRequest start;
    ASSERT_TRUE(decide(start));
    generation_ = book_.event<DeliveryStarted>().generation();
    delivery::Recorded recorded;
    recorded.position = row().position();
    for (const auto& range : row().done()) recorded.done.push_back({range.first(), range.last()});
    book_.scan<Parked>([&](const Parked& parked) {
      recorded.parked[parked.subject()] = {parked.changed_seq(), parked.after_seq(),
                                           parked.replaying()};
    });
    recorded.skipped = {row().skipped().begin(), row().skipped().end()};
    for (const auto& failed : row().failed()) recorded.failed[failed.seq()] = failed.count();
    window_.emplace(delivery::Rules{kAttemptsMax, kAckDeadlineUs, outstanding_max_}, recorded);
    control_.clear();
    check_recorded();
    // Consumers of the process before still hold what they got, and may acknowledge it here.
  }

  void look() {
    for (int64_t seq = window_->looked_at() + 1; seq <= end(); ++seq) {
      if (!selected(seq)) {
        window_->look_to(seq);
      } else {
        if (window_->is_full()) return;
        window_->add(seq, subject(seq), nullptr);
      }
    }
  }

  void load() {
    for (const auto& wanted : window_->wanted_loads()) {
      int64_t seq = wanted.after_seq + 1;
      for (int count = 0; seq <= wanted.until_seq && count < 3; ++seq) {
        if (!selected(seq) || subject(seq) != wanted.subject) continue;
        window_->add_replayed(wanted.subject, seq, nullptr);
        ++count;
      }
      window_->loaded(wanted.subject, seq - 1);
    }
  }

  void take(uint64_t consumer, size_t count) {
    expire();
    for (const auto& taken : window_->take(now_us_, count, consumer)) {
      EXPECT_TRUE(selected(taken.seq));
      EXPECT_LE(taken.attempt, kAttemptsMax) << where() << taken.seq;
      EXPECT_FALSE(skipped_known_.contains(taken.seq)) << where() << taken.seq;
      for (int64_t earlier = 1; earlier < taken.seq; ++earlier) {
        if (!selected(earlier) || subject(earlier) != subject(taken.seq)) continue;
        EXPECT_TRUE(acknowledged_.contains(earlier) || skipped_.contains(earlier))
            << where() << taken.seq << " before " << earlier;
      }
      held_.push_back(taken);
    }
  }

  void acknowledge(int64_t seq) {
    acknowledged_.insert(seq);
    window_->acknowledge(seq);
  }

  void acknowledge_one() {
    if (held_.empty()) return;
    const size_t at = random_() % held_.size();
    const int64_t seq = held_[at].seq;
    held_.erase(held_.begin() + at);
    if (!poison_.contains(seq)) acknowledge(seq);
  }

  void retry_one() {
    if (held_.empty()) return;
    const size_t at = random_() % held_.size();
    window_->retry(held_[at].seq, now_us_ + random_() % 500);
    held_.erase(held_.begin() + at);
  }

  void expire() {
    for (const auto& failed : window_->expire(now_us_)) {
      EXPECT_EQ(failed.attempts, kAttemptsMax);
      ParkSubjectRequest park;
      park.set_subject(failed.subject);
      park.set_seq(failed.seq);
      park.set_attempts(failed.attempts);
      if (!decide(park)) {
        window_->unparkable(failed.seq, now_us_ + 100);
        continue;
      }
      ++parks_;
      control_.push_back([this, failed, version = book_.last_seq()] {
        window_->park(failed.subject, failed.seq, version);
      });
    }
  }

  void replay_one() {
    std::vector<std::string> parked;
    book_.scan<Parked>([&](const Parked& one) {
      if (!one.replaying()) parked.push_back(one.subject());
    });
    if (parked.empty()) return;
    // Often it has been repaired before.
    const std::string chosen = parked[random_() % parked.size()];
    const int64_t seq = book_.row<Parked>(std::string(kLedger), kName, chosen).seq();
    if (random_() % 3 != 0) poison_.erase(seq);
    ReplayParkedRequest replay;
    replay.set_subject(chosen);
    ASSERT_TRUE(decide(replay));
    ++replays_;
    control_.push_back(
        [this, chosen, version = book_.last_seq()] { window_->replay(chosen, version); });
  }

  void skip_one() {
    SkipEventRequest skip;
    skip.set_seq(1 + random_() % end());
    // Parked subjects are skipped at the event they wait at more often than by chance.
    book_.scan<Parked>([&](const Parked& one) {
      if (random_() % 2 == 0) skip.set_seq(one.seq());
    });
    if (!decide(skip)) return;
    const auto event = book_.event<EventSkipped>();
    skipped_.insert(event.seq());
    control_.push_back([this, event] {
      window_->skip(event.seq(), event.subject());
      skipped_known_.insert(event.seq());
    });
  }

  // What was decided reaches the delivery later, in order.
  void hear_one() {
    if (control_.empty()) return;
    control_.front()();
    control_.pop_front();
  }

  void record() {
    RecordProgressRequest progress;
    progress.set_generation(generation_);
    progress.set_position(window_->position());
    for (const auto& span : window_->done()) {
      auto& range = *progress.add_done();
      range.set_first(span.first);
      range.set_last(span.last);
    }
    for (const auto& moved : window_->take_replays()) {
      auto& replay = *progress.add_replays();
      replay.set_subject(moved.subject);
      replay.set_parked_version(moved.version);
      replay.set_after_seq(moved.after_seq);
      replay.set_finished(moved.finished);
    }
    for (const auto& one : window_->take_failures()) {
      auto& failed = *progress.add_failed();
      failed.set_seq(one.seq);
      failed.set_count(one.count);
    }
    ASSERT_TRUE(decide(progress)) << where();
    check_recorded();
  }

  void check_recorded() {
    const auto& now = row();
    ASSERT_LE(now.done_size(), static_cast<int>(outstanding_max_ + skipped_.size())) << where();
    for (int64_t seq = 1; seq <= end(); ++seq) {
      if (!selected(seq) || !is_handled(now, seq)) continue;
      const auto& parked = book_.row<Parked>(std::string(kLedger), kName, subject(seq));
      const bool kept_back = parked.changed_seq() != 0 && seq > parked.after_seq();
      ASSERT_TRUE(kept_back || acknowledged_.contains(seq) || skipped_.contains(seq))
          << where() << seq << " is lost";
    }
  }

  const uint32_t seed_;
  std::mt19937 random_;
  size_t outstanding_max_ = 1;
  Scenario book_;
  std::vector<std::string> subjects_;  // of seq 1, 2 …
  std::set<int64_t> poison_;
  int64_t now_us_ = 1;
  int64_t generation_ = 0;
  std::optional<Window> window_;
  std::deque<std::function<void()>> control_;
  std::vector<Window::Taken> held_;
  std::set<int64_t> acknowledged_;
  std::set<int64_t> skipped_;        // decided
  std::set<int64_t> skipped_known_;  // and the delivery knows
  size_t parks_ = 0;
  size_t replays_ = 0;
};

TEST(DeliverySimulation, NothingIsLostAndOrderHolds) {
  size_t parks = 0;
  size_t replays = 0;
  for (uint32_t seed = 1; seed <= 150 && !testing::Test::HasFailure(); ++seed) {
    Delivery delivery(seed);
    for (int step = 0; step < 400 && !testing::Test::HasFailure(); ++step) delivery.step();
    delivery.finish();
    parks += delivery.parks();
    replays += delivery.replays();
  }
  // It did come to what is hard.
  EXPECT_GT(parks, 150u);
  EXPECT_GT(replays, 150u);
}

}  // namespace
}  // namespace taizhang::test
