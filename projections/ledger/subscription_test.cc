// Subscribe: from the past into the present, what it waits for, and how it ends.
#include "projections/ledger/subscription.h"

#include <atomic>
#include <future>
#include <thread>

#include "projections/ledger/ledger_view_fixture.h"

namespace taizhang {
namespace {

using ledger::v1::SubscribeRequest;
using ledger::v1::SubscribeResponse;
using testing::erased;
using testing::placed;

class LedgerSubscriptions : public testing::LedgerViewTest {
 protected:
  using LedgerViewTest::LedgerViewTest;

  std::unique_ptr<ServerStream> subscribe(SubscribeRequest request) {
    request.set_ledger(kLedger);
    auto opened = dispatcher_.stream(method("Subscribe"), call(),
                                     std::make_shared<SubscribeRequest>(request));
    if (const auto* error = std::get_if<Error>(&opened)) {
      ADD_FAILURE() << error->reason << ": " << error->message;
      return nullptr;
    }
    return std::move(std::get<0>(opened));
  }
  static std::future<Answer> next_later(ServerStream& stream) {
    auto promise = std::make_shared<std::promise<Answer>>();
    stream.next([promise](Answer answer) { promise->set_value(std::move(answer)); });
    return promise->get_future();
  }
  static SubscribeResponse next(ServerStream& stream) { return told(next_later(stream).get()); }
  // As it arrives.
  static SubscribeResponse told(const Answer& answer) {
    SubscribeResponse response;
    if (const auto* error = std::get_if<Error>(&answer)) {
      ADD_FAILURE() << error->reason << ": " << error->message;
    } else {
      EXPECT_TRUE(response.ParseFromString(std::get<0>(answer)->SerializeAsString()));
    }
    return response;
  }
  static bool answered(std::future<Answer>& later) {
    return later.wait_for(std::chrono::milliseconds(0)) == std::future_status::ready;
  }
};

TEST_F(LedgerSubscriptions, SubscribesFromThePastIntoThePresent) {
  write_some();
  ASSERT_TRUE(views_->catch_up(10'000'000));
  SubscribeRequest request;
  request.set_after_seq(1);
  auto stream = subscribe(request);
  EXPECT_EQ(seqs(next(*stream).batch().events()), "2 3 4 5 ");
  EXPECT_EQ(next(*stream).caught_up().seq(), 5);
  auto later = next_later(*stream);
  add("100009");
  EXPECT_EQ(seqs(told(later.get()).batch().events()), "6 ");
}

TEST_F(LedgerSubscriptions, ASubscriptionBeyondTheEndClaimsNothing) {
  write_some();
  ASSERT_TRUE(views_->catch_up(10'000'000));
  SubscribeRequest request;
  request.set_after_seq(6);
  request.set_heartbeat_ms(100);
  auto stream = subscribe(request);
  EXPECT_EQ(next(*stream).heartbeat().seq(), 5);
  auto later = next_later(*stream);
  add("100009");
  add("100010");
  EXPECT_EQ(seqs(told(later.get()).batch().events()), "7 ");
  EXPECT_EQ(next(*stream).caught_up().seq(), 7);
}

// A stream either goes on over it or ends and says why; who goes on from where it stood finds all.
TEST_F(LedgerSubscriptions, ARebuildOfTheViewMakesNoGapAndRepeatsNothing) {
  constexpr int64_t kEvents = 400;
  std::atomic<int> rebuilds{0};
  std::jthread writer([&] {
    for (int64_t i = 0; i < kEvents; ++i) {
      add("100001");
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  });
  std::jthread operating([&](const std::stop_token& over) {
    for (; !over.stop_requested(); ++rebuilds) {
      EXPECT_TRUE(views_->rebuild("ledger").ok());
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
  });
  int64_t told_seq = 0;
  std::unique_ptr<ServerStream> stream;
  while (told_seq < kEvents) {
    if (!stream) {
      auto request = std::make_shared<SubscribeRequest>();
      request->set_ledger(kLedger);
      request->set_after_seq(told_seq);
      request->set_heartbeat_ms(100);
      auto opened = dispatcher_.stream(method("Subscribe"), call(), request);
      if (const auto* error = std::get_if<Error>(&opened)) {
        // Nothing may be known of the ledger before its first event.
        ASSERT_TRUE(error->code == kUnavailable || error->code == kNotFound) << error->reason;
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
        continue;
      }
      stream = std::move(std::get<0>(opened));
    }
    const Answer answer = next_later(*stream).get();
    if (const auto* error = std::get_if<Error>(&answer)) {
      ASSERT_EQ(error->code, kUnavailable) << error->reason;
      stream.reset();
      continue;
    }
    const auto message = told(answer);
    for (const auto& event : message.batch().events()) ASSERT_EQ(event.seq(), ++told_seq);
  }
  EXPECT_GT(rebuilds, 3);
}

TEST_F(LedgerSubscriptions, ASubscriptionMissesAndRepeatsNothingUnderLoad) {
  SubscribeRequest request;
  add("100001");
  ASSERT_TRUE(views_->catch_up(10'000'000));
  auto stream = subscribe(request);
  std::thread writer([this] {
    for (int i = 0; i < 3'000; ++i) add("100001");
  });
  int64_t last = 0;
  while (last < 3'001) {
    const auto message = next(*stream);
    for (const auto& event : message.batch().events()) EXPECT_EQ(event.seq(), ++last);
  }
  writer.join();
}

TEST_F(LedgerSubscriptions, WhatDoesNotMatchIsPassedThroughTheIndexAndToldWithTheHeartbeat) {
  for (int i = 0; i < 12'000; ++i) add("100001");
  ASSERT_TRUE(views_->catch_up(20'000'000));
  SubscribeRequest request;
  request.mutable_filter()->add_contexts("funds");
  request.set_heartbeat_ms(100);
  auto stream = subscribe(request);
  EXPECT_EQ(next(*stream).caught_up().seq(), 12'000);
  add("100001");
  EXPECT_EQ(next(*stream).checkpoint().seq(), 12'001);
  const auto beat = next(*stream);
  EXPECT_EQ(beat.heartbeat().seq(), 12'001);
  EXPECT_EQ(beat.heartbeat().lag_ms(), 0);
}

// The worst for two indexes: each leads past the other, event by event.
TEST_F(LedgerSubscriptions, TellsCheckpointsWhileTwoIndexesFindNothingInCommon) {
  for (int i = 0; i < 6'000; ++i) {
    const auto first = placed("100001", 1);
    const auto second = erased("100002");
    journal_.commit(kLedger, {&first, &second});
  }
  ASSERT_TRUE(views_->catch_up(20'000'000));
  SubscribeRequest request;
  request.mutable_filter()->add_types("taizhang.ledger.v1.LedgerPlaced");
  auto& subject = *request.mutable_filter()->add_subjects();
  subject.set_kind(common::v1::SUBJECT_KIND_LEDGER);
  subject.set_id("100002");
  auto stream = subscribe(request);
  const int64_t first = next(*stream).checkpoint().seq();
  EXPECT_GT(first, 4'000);
  EXPECT_LT(first, 12'000);
  int64_t last = first;
  for (;;) {
    const auto message = next(*stream);
    if (message.has_caught_up()) break;
    EXPECT_GT(message.checkpoint().seq(), last);
    last = message.checkpoint().seq();
  }
  EXPECT_LT(last, 12'000);
}

TEST_F(LedgerSubscriptions, ASparseSubjectIsFoundThroughItsIndex) {
  for (int i = 0; i < 12'000; ++i) add(i == 11'000 ? "100002" : "100001");
  ASSERT_TRUE(views_->catch_up(20'000'000));
  SubscribeRequest request;
  auto& subject = *request.mutable_filter()->add_subjects();
  subject.set_kind(common::v1::SUBJECT_KIND_LEDGER);
  subject.set_id("100002");
  for (const bool typed : {false, true}) {
    if (typed) request.mutable_filter()->add_types("taizhang.ledger.v1.LedgerPlaced");
    auto stream = subscribe(request);
    EXPECT_EQ(seqs(next(*stream).batch().events()), "11001 ");
    EXPECT_EQ(next(*stream).caught_up().seq(), 12'000);
  }
}

TEST_F(LedgerSubscriptions, ABatchIsBounded) {
  for (int i = 0; i < 2'500; ++i) add("100001");
  ASSERT_TRUE(views_->catch_up(20'000'000));
  auto stream = subscribe({});
  int64_t last = 0;
  for (const int events : {kBatchEvents, kBatchEvents, kBatchEvents, 2'500 - 3 * kBatchEvents}) {
    const auto message = next(*stream);
    EXPECT_EQ(message.batch().events_size(), events);
    for (const auto& event : message.batch().events()) EXPECT_EQ(event.seq(), ++last);
  }
  EXPECT_EQ(stream->position(), "seq " + std::to_string(3 * kBatchEvents));
}

TEST_F(LedgerSubscriptions, AnEventWakesOnlyThoseItConcerns) {
  add("100001");
  ASSERT_TRUE(views_->catch_up(10'000'000));
  const auto live = [&](const std::function<void(ledger::v1::EventFilter&)>& filter) {
    SubscribeRequest request;
    request.set_after_seq(1);
    request.set_heartbeat_ms(60'000);
    filter(*request.mutable_filter());
    auto stream = subscribe(request);
    EXPECT_EQ(next(*stream).caught_up().seq(), 1);
    return stream;
  };
  const auto about = [](const char* ledger) {
    return [ledger](ledger::v1::EventFilter& filter) {
      filter.add_subjects()->set_kind(common::v1::SUBJECT_KIND_LEDGER);
      filter.mutable_subjects(0)->set_id(ledger);
    };
  };
  auto all = live([](auto&) {});
  auto same_context = live([](auto& filter) { filter.add_contexts("ledger"); });
  auto same_type = live([](auto& filter) { filter.add_types("taizhang.ledger.v1.LedgerPlaced"); });
  auto same_subject = live(about("100002"));
  auto other_context = live([](auto& filter) { filter.add_contexts("funds"); });
  auto other_type =
      live([](auto& filter) { filter.add_types("taizhang.ledger.v1.LedgerFounded"); });
  auto other_subject = live(about("100001"));
  std::vector<std::future<Answer>> concerned;
  for (auto* stream : {&all, &same_context, &same_type, &same_subject})
    concerned.push_back(next_later(**stream));
  std::vector<std::future<Answer>> others;
  for (auto* stream : {&other_context, &other_type, &other_subject})
    others.push_back(next_later(**stream));
  add("100002");
  for (auto& later : concerned) EXPECT_EQ(seqs(told(later.get()).batch().events()), "2 ");
  for (auto& later : others) EXPECT_FALSE(answered(later));
  // And those are woken by the next one, from where they stand.
  const auto founded = erased("100001");
  const auto placed_again = placed("100001", 1);
  journal_.commit(kLedger, {&founded, &placed_again});
  EXPECT_EQ(seqs(told(others[1].get()).batch().events()), "3 ");
  EXPECT_EQ(seqs(told(others[2].get()).batch().events()), "3 4 ");
  EXPECT_FALSE(answered(others[0]));
}

TEST_F(LedgerSubscriptions, ACancelledSubscriptionIsAnsweredAtOnce) {
  add("100001");
  ASSERT_TRUE(views_->catch_up(10'000'000));
  SubscribeRequest request;
  request.set_after_seq(1);
  auto stream = subscribe(request);
  EXPECT_EQ(next(*stream).caught_up().seq(), 1);
  auto later = next_later(*stream);
  stream->cancel();
  EXPECT_EQ(std::get<Error>(later.get()).code, kCancelled);
  EXPECT_EQ(std::get<Error>(next_later(*stream).get()).code, kCancelled);
}

TEST_F(LedgerSubscriptions, SubscriptionsEndWhenTheViewStopsAndMayOutliveIt) {
  add("100001");
  ASSERT_TRUE(views_->catch_up(10'000'000));
  SubscribeRequest request;
  request.set_after_seq(1);
  auto stream = subscribe(request);
  next(*stream);
  auto later = next_later(*stream);
  views_->stop();
  EXPECT_EQ(std::get<Error>(later.get()).code, kUnavailable);
  EXPECT_EQ(std::get<Error>(next_later(*stream).get()).code, kUnavailable);
}

// The longest there is: twice what opening ten thousand takes with a sanitizer on a busy machine.
constexpr int32_t kHeartbeatMs = 60'000;

TEST_F(LedgerSubscriptions, TenThousandSubscriptionsComeAndGo) {
  add("100001");
  ASSERT_TRUE(views_->catch_up(10'000'000));
  std::vector<std::unique_ptr<ServerStream>> streams;
  std::vector<std::future<Answer>> answers;
  for (int i = 0; i < 10'000; ++i) {
    SubscribeRequest request;
    request.set_after_seq(1);
    request.set_heartbeat_ms(kHeartbeatMs);
    if (i % 3 == 0) request.mutable_filter()->add_contexts("ledger");
    streams.push_back(subscribe(request));
    next(*streams.back());
    answers.push_back(next_later(*streams.back()));
    if (i % 2 == 0) streams.back().reset();
  }
  EXPECT_EQ(views_->waiting(), 5'001);  // and the one that follows the ledger for all
  add("100001");
  for (size_t i = 0; i < answers.size(); ++i) {
    EXPECT_EQ(answers[i].get().index(), i % 2 == 0 ? 1u : 0u);
  }
  streams.clear();
  // The one that woke them may be about to follow on.
  for (int i = 0; i < 60'000 && views_->waiting() != 0; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  EXPECT_EQ(views_->waiting(), 0);
}

TEST_F(LedgerSubscriptions, AnUnknownLedgerHasNoEvents) {
  ASSERT_TRUE(views_->catch_up(10'000'000));
  SubscribeRequest request;
  request.set_ledger("110000");
  auto opened =
      dispatcher_.stream(method("Subscribe"), call(), std::make_shared<SubscribeRequest>(request));
  EXPECT_EQ(std::get<Error>(opened).code, kNotFound);
}

// Its wall shows what it is told; waits end by the machine's.
struct SetWallClock : Clock {
  int64_t wall_us() override { return told_us; }
  int64_t boot_us() override { return system_clock().boot_us(); }
  std::atomic<int64_t> told_us{0};
};

SetWallClock g_clock;
std::atomic<bool> g_held{false};

void wait_while_held(Ledger&, const EventMeta&, const ledger::v1::LedgerPlaced&) {
  g_held.wait(true);
}

// While it lives, the ledger view folds nothing more.
class Held {
 public:
  Held() { g_held = true; }
  ~Held() {
    g_held = false;
    g_held.notify_all();
  }
};

class LedgerBehind : public LedgerSubscriptions {
 protected:
  LedgerBehind() : LedgerSubscriptions(g_clock, wait_while_held) {}

  // The view `probe` holds everything up to there, so this process knows of it.
  void wait_until_known(int64_t seq) {
    std::promise<void> known;
    views_->live("probe")->when_beyond(kLedger, seq - 1, clock_.boot_us() + 60'000'000,
                                       [&] { known.set_value(); });
    known.get_future().get();
  }
  common::v1::Freshness freshness() {
    auto request = std::make_shared<ledger::v1::ReadEventsRequest>();
    request->set_ledger(kLedger);
    std::promise<Answer> said;
    dispatcher_.unary(method("ReadEvents"), call(), request,
                      [&](Answer answer) { said.set_value(std::move(answer)); });
    const Answer answer = said.get_future().get();
    return static_cast<const ledger::v1::ReadEventsResponse&>(*std::get<0>(answer)).freshness();
  }
  // Of a stream that has been told everything.
  SubscribeResponse::Heartbeat heartbeat(int64_t seq) {
    SubscribeRequest request;
    request.set_after_seq(seq);
    request.set_heartbeat_ms(100);
    auto stream = subscribe(request);
    EXPECT_EQ(next(*stream).caught_up().seq(), seq);
    return next(*stream).heartbeat();
  }
};

TEST_F(LedgerBehind, SaysByHowManyEventsAndSinceWhen) {
  add("100001");
  ASSERT_TRUE(views_->catch_up(10'000'000));
  const int64_t first_missing_us = journal_.time_us + 1;
  g_clock.told_us = first_missing_us + 7'654'321;
  EXPECT_EQ(freshness().lag_ms(), 0);
  {
    const Held held;
    add("100002");
    journal_.time_us += 5'000'000;
    add("100003");
    add("100004");
    wait_until_known(4);
    const auto behind = freshness();
    EXPECT_EQ(behind.seq(), 1);
    EXPECT_EQ(behind.journal_seq(), 4);
    EXPECT_EQ(behind.lag_ms(), 7'654);
    const auto beat = heartbeat(1);
    EXPECT_EQ(beat.seq(), 1);
    EXPECT_EQ(beat.lag_ms(), 7'654);
  }
  ASSERT_TRUE(views_->catch_up(10'000'000));
  EXPECT_EQ(freshness().journal_seq(), 4);
  EXPECT_EQ(freshness().lag_ms(), 0);
  EXPECT_EQ(heartbeat(4).lag_ms(), 0);
}

}  // namespace
}  // namespace taizhang
