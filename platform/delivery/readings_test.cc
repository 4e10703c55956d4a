// What operators see of subscriptions while nobody receives.
#include <google/protobuf/descriptor.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "platform/delivery/delivery.h"
#include "taizhang/common/v1/enums.pb.h"
#include "taizhang/ledger/v1/ledger.pb.h"
#include "taizhang/subscriptions/state/v1/state.pb.h"
#include "taizhang/subscriptions/v1/queries.pb.h"

namespace taizhang::delivery {
namespace {

using google::protobuf::Message;
using subscriptions::state::v1::Subscription;
namespace sv1 = subscriptions::v1;

constexpr const char* kLedger = "990101";
constexpr int64_t kLedgerSeq = 10;

// Holds rows of subscriptions only.
class FakeRows : public SnapshotRows {
 public:
  std::vector<Subscription> subscriptions;

  bool read(const RowType&, std::string_view, Message&) override { return false; }
  void scan(const RowType&, std::string_view, std::string_view, const VisitRow& visit) override {
    for (const auto& row : subscriptions) {
      if (!visit({}, row)) return;
    }
  }
  void scan_back(const RowType&, std::string_view, std::string_view, const VisitRow&) override {}
  void history(const RowType&, std::string_view, int64_t, const VisitVersion&) override {}
  void number_history(const RowType&, std::string_view, int, const VisitNumber&) override {}
  void versions(const RowType&, std::string_view, const VisitRowVersion&) override {}
  std::unique_ptr<RowCursor> cursor(const RowType&) override { return nullptr; }
  int64_t seq_at(int64_t) override { return 0; }
};

class FakeView : public LiveView {
 public:
  mutable FakeRows rows;
  std::variant<Progress, Error> said = Progress{kLedgerSeq, kLedgerSeq, 0};

  std::variant<Progress, Error> progress(const std::string&) const override { return said; }
  std::optional<Error> read(const std::string&, int64_t,
                            const std::function<void(SnapshotRows&)>& reading) const override {
    reading(rows);
    return std::nullopt;
  }
  uint64_t when_beyond(const std::string&, int64_t, int64_t, std::function<void()>) override {
    return 1;
  }
  void cancel(uint64_t) override {}
  int64_t boot_us() const override { return 0; }
};

class TestClock : public Clock {
 public:
  int64_t wall_us() override { return 1'700'000'000'000'000 + now_us_; }
  int64_t boot_us() override { return now_us_; }
  void advance_us(int64_t by) { now_us_ += by; }

 private:
  std::atomic<int64_t> now_us_{1'000'000};
};

class Readings : public ::testing::Test {
 protected:
  Readings() {
    caller_.roles = {common::v1::ROLE_OPERATOR};
    caller_.regions = {""};
  }

  void subscribe(const std::string& name, int64_t position) {
    Subscription row;
    row.set_ledger(kLedger);
    row.set_name(name);
    row.set_position(position);
    rows_->rows.subscriptions.push_back(std::move(row));
  }
  void start() {
    delivery_ = std::make_unique<Delivery>(
        Parts{.events = [this] { return events_; },
              .rows = [this] { return rows_; },
              .walk = [this](SnapshotRows&, const ledger::v1::EventFilter&, int64_t low, int64_t,
                             int64_t, const Parts::Visit& visit) { return walk(low, visit); },
              .read = {},
              .not_leading = []() -> std::optional<Error> { return std::nullopt; },
              .dispatcher = dispatcher_,
              .clock = clock_,
              .random = system_random(),
              .partitions = 1,
              .readings = wanted_});
    delivery_->serve(dispatcher_);
    delivery_->start();
  }
  std::future<Answer> ask(const char* rpc, std::shared_ptr<const Message> request) {
    const auto* method = google::protobuf::DescriptorPool::generated_pool()->FindMethodByName(
        std::string(Delivery::kService) + rpc);
    Call call;
    call.caller = &caller_;
    call.deadline_boot_us = clock_.boot_us() + 1'000'000;
    const auto answered = std::make_shared<std::promise<Answer>>();
    dispatcher_.unary(*method, call, std::move(request),
                      [answered](Answer answer) { answered->set_value(std::move(answer)); });
    return answered->get_future();
  }
  std::future<Answer> ask_for_unknown() {
    auto request = std::make_shared<sv1::GetSubscriptionRequest>();
    request->set_ledger(kLedger);
    request->set_name("unknown");
    return ask("GetSubscription", request);
  }
  // As of now: they are made behind a call that was answered, so before the second is.
  std::vector<Reading> readings() {
    for (int calls = 0; calls < 2; ++calls)
      EXPECT_NE(std::get<Error>(ask_for_unknown().get()).code, kPermissionDenied);
    return delivery_->readings();
  }
  // An event, a second old.
  int64_t walk(int64_t low, const Parts::Visit& visit) {
    ++walks_;
    if (walking_) walking_();
    clock_.advance_us(walk_us_);
    EventMeta event;
    event.seq = low;
    event.recorded_time_us = clock_.wall_us() - 1'000'000;
    visit(event);
    return low - 1;
  }

  TestClock clock_;
  Caller caller_;
  Dispatcher dispatcher_;
  bool wanted_ = true;
  int64_t walk_us_ = 0;            // how long one takes
  std::function<void()> walking_;  // called by each
  std::atomic<int> walks_{0};
  std::shared_ptr<FakeView> events_ = std::make_shared<FakeView>();
  std::shared_ptr<FakeView> rows_ = std::make_shared<FakeView>();
  std::unique_ptr<Delivery> delivery_;  // first to go
};

TEST_F(Readings, TellHowFarEachIsBehind) {
  subscribe("a", 4);
  subscribe("b", kLedgerSeq);
  start();
  const auto told = readings();
  ASSERT_EQ(told.size(), 2u);
  EXPECT_EQ(told[0].subscription, "990101/a");
  EXPECT_EQ(told[0].position, 4);
  EXPECT_EQ(told[0].lag_events, 6);
  EXPECT_EQ(told[0].lag_ms, 1'000);
  EXPECT_EQ(told[1].lag_events, 0);
  EXPECT_EQ(told[1].lag_ms, 0);
}

// Nothing is delivered then: an alarm on the lag must not hear that there is none.
TEST_F(Readings, TellNoLagWhereTheEventsCannotBeRead) {
  subscribe("a", 4);
  events_->said = failure(kUnavailable, "VIEW_BUILDING", "the view is being built");
  start();
  const auto told = readings();
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].position, 4);
  EXPECT_FALSE(told[0].lag_events.has_value());
  EXPECT_FALSE(told[0].lag_ms.has_value());
}

TEST_F(Readings, TellNoLagOfALedgerThatWasNotReadYet) {
  subscribe("a", 0);
  events_->said = failure(kNotFound, "LEDGER_NOT_FOUND", "there is no such ledger");
  start();
  const auto told = readings();
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].lag_events, 0);
  EXPECT_EQ(told[0].lag_ms, 0);
}

// Deliveries wait as long as they are made.
TEST_F(Readings, ThatTakeLongAreMadeOneAfterTheOther) {
  for (const char* name : {"a", "b", "c", "d", "e"}) subscribe(name, 4);
  subscribe("f", kLedgerSeq);
  walk_us_ = 10'000;
  start();
  const auto with_lag = [&] {
    std::string text;
    for (const auto& one : readings()) {
      EXPECT_TRUE(one.lag_events.has_value());
      if (one.lag_ms) text += one.subscription.back();
    }
    return text;
  };
  EXPECT_EQ(with_lag(), "abf");
  EXPECT_EQ(walks_, 2);
  clock_.advance_us(3'000'000);
  EXPECT_EQ(with_lag(), "abcdf");
  EXPECT_EQ(walks_, 4);
  clock_.advance_us(3'000'000);
  EXPECT_EQ(with_lag(), "abcdef");
  EXPECT_EQ(walks_, 5);
  clock_.advance_us(3'000'000);
  EXPECT_EQ(with_lag(), "abcdef");
  EXPECT_EQ(walks_, 7) << "from the first again";
}

TEST_F(Readings, AreNotMadeWhereNobodyAsks) {
  subscribe("a", 4);
  wanted_ = false;
  start();
  EXPECT_TRUE(readings().empty());
  EXPECT_EQ(walks_, 0);
}

// As long as the events of a list are looked up, others are answered by the delivering thread.
TEST_F(Readings, AListDoesNotHoldUpTheDeliveries) {
  for (const char* name : {"a", "b"}) subscribe(name, 4);
  wanted_ = false;
  std::promise<void> looks;
  std::promise<void> go_on;
  walking_ = [&, first = true]() mutable {
    if (!std::exchange(first, false)) return;
    looks.set_value();
    go_on.get_future().wait();
  };
  start();
  auto list = std::make_shared<sv1::ListSubscriptionsRequest>();
  list->set_ledger(kLedger);
  auto listed =
      std::async(std::launch::async, [&] { return ask("ListSubscriptions", list).get(); });
  looks.get_future().wait();
  auto other = ask_for_unknown();
  EXPECT_EQ(other.wait_for(std::chrono::seconds(60)), std::future_status::ready);
  EXPECT_EQ(walks_, 1);
  go_on.set_value();
  const auto answer = listed.get();
  const auto& response = static_cast<const sv1::ListSubscriptionsResponse&>(
      *std::get<std::unique_ptr<Message>>(answer));
  ASSERT_EQ(response.subscriptions_size(), 2);
  for (const auto& one : response.subscriptions()) EXPECT_EQ(one.lag_ms(), 1'000);
}

}  // namespace
}  // namespace taizhang::delivery
