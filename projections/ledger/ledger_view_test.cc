// ReadEvents and Subscribe over a journal in memory.
#include "projections/ledger/ledger_view.h"

#include <google/protobuf/descriptor.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <atomic>
#include <filesystem>
#include <future>
#include <thread>

#include "platform/projection/test_journal.h"
#include "platform/projection/test_view.h"
#include "platform/projection/views.h"
#include "taizhang/registry/v1/events.pb.h"

namespace taizhang {
namespace {

using ledger::v1::EventEnvelope;
using ledger::v1::ReadEventsRequest;
using ledger::v1::ReadEventsResponse;
using ledger::v1::SubscribeRequest;
using ledger::v1::SubscribeResponse;
using testing::erased;
using testing::placed;
using testing::TestJournal;

constexpr const char* kLedger = "990101";
constexpr int kBatchEvents = 700;

// A view without rows whose answers name the event of the newest seq.
Result<ledger::v1::GetOutcomeResponse> who_was_it(const Snapshot& snapshot,
                                                  const ledger::v1::GetOutcomeRequest&) {
  ledger::v1::GetOutcomeResponse response;
  const bool found = snapshot.event(snapshot.seq(), [&](const EventMeta& event) {
    response.mutable_receipt()->add_event_ids(event.id());
    response.mutable_receipt()->set_ledger(event.actor->subject());
  });
  if (!found) return not_found("EVENT_NOT_FOUND", "", "event", "");
  return response;
}

View probe_view() {
  View view("probe", 1);
  view.query(who_was_it);
  return view;
}

class LedgerViewTest : public ::testing::Test {
 protected:
  LedgerViewTest() {
    std::string pattern =
        (std::filesystem::temp_directory_path() / "taizhang-ledger-XXXXXX").string();
    directory_ = mkdtemp(pattern.data());
    journal_.open(kLedger);
    caller_.roles = {common::v1::ROLE_MAKER};
    caller_.regions = {""};
    ViewsSettings settings;
    settings.directory = directory_;
    views_ =
        std::make_unique<Views>(std::vector<journal::Log*>{&journal_.log}, system_clock(), settings,
                                [](std::string_view number) { return std::string(number); });
    ledger_view::SubscribeLimits limits;
    limits.batch_events_max = kBatchEvents;
    limits.tail_events_max = 100;  // so that a writer who is not waited for outruns it
    views_->add(ledger_view::ledger_view(limits));
    views_->add(probe_view());
    EXPECT_TRUE(views_->start().ok());
    views_->register_queries(dispatcher_);
  }
  ~LedgerViewTest() override {
    views_.reset();
    std::filesystem::remove_all(directory_);
  }

  static const google::protobuf::MethodDescriptor& method(const char* name) {
    return *google::protobuf::DescriptorPool::generated_pool()->FindMethodByName(
        std::string("taizhang.ledger.v1.LedgerService.") + name);
  }
  Call call() const { return {&caller_, system_clock().boot_us() + 5'000'000}; }

  ReadEventsResponse read(ReadEventsRequest request) {
    EXPECT_TRUE(views_->catch_up(10'000'000));
    request.set_ledger(kLedger);
    std::promise<Answer> promise;
    dispatcher_.unary(method("ReadEvents"), call(),
                      std::make_shared<ReadEventsRequest>(std::move(request)),
                      [&](Answer answer) { promise.set_value(std::move(answer)); });
    Answer answer = promise.get_future().get();
    if (const auto* error = std::get_if<Error>(&answer)) {
      ADD_FAILURE() << error->reason << ": " << error->message;
      return {};
    }
    return static_cast<const ReadEventsResponse&>(*std::get<0>(answer));
  }
  static std::string seqs(const google::protobuf::RepeatedPtrField<EventEnvelope>& events) {
    std::string text;
    for (const auto& event : events) text += std::to_string(event.seq()) + " ";
    return text;
  }
  // All pages of a list.
  std::string all_pages(ReadEventsRequest request, int32_t page_size) {
    std::string text;
    for (int page = 0; page < 100; ++page) {
      request.mutable_page()->set_page_size(page_size);
      const auto answer = read(request);
      EXPECT_LE(answer.events_size(), page_size);
      text += seqs(answer.events());
      if (answer.next_page_token().empty()) return text;
      request.mutable_page()->set_page_token(answer.next_page_token());
    }
    return "endless";
  }

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

  int64_t add(const std::string& key) {
    const auto event = placed(key, 1);
    return journal_.commit(kLedger, {&event});
  }
  // seq 1: a · 2, 3: b, and a erased, in one commit · 4: c · 5: a
  void write_some() {
    add("100001");
    const auto first = placed("100002", 1);
    const auto second = erased("100001");
    journal_.commit(kLedger, {&first, &second});
    add("100003");
    add("100001");
  }

  std::string directory_;
  TestJournal journal_;
  Caller caller_;
  Dispatcher dispatcher_;
  std::unique_ptr<Views> views_;
};

TEST_F(LedgerViewTest, GivesTheStoredEventWithItsEnvelope) {
  const auto event = placed("100001", 7, "名");
  journal_.commit(kLedger, {&event}, 20170601);
  const auto answer = read({});
  ASSERT_EQ(answer.events_size(), 1);
  const auto& envelope = answer.events(0);
  EXPECT_EQ(envelope.id(), "990101/1");
  EXPECT_EQ(envelope.source(), "/ledgers/990101");
  EXPECT_EQ(envelope.type(), "taizhang.ledger.v1.LedgerPlaced");
  EXPECT_EQ(envelope.subject(), "LEDGER/100001");
  EXPECT_EQ(envelope.dataschema(), "taizhang/ledger/v1/LedgerPlaced");
  EXPECT_EQ(envelope.time().seconds(), journal_.time_us / 1'000'000);
  EXPECT_EQ(envelope.ledger(), kLedger);
  EXPECT_EQ(envelope.commit_first_seq(), 1);
  EXPECT_EQ(envelope.commit_last_seq(), 1);
  EXPECT_EQ(envelope.request_id(), "72727272-7272-7272-7272-727272727272");
  EXPECT_EQ(envelope.effective_date().month(), 6);
  EXPECT_EQ(envelope.actor().subject(), "maker-1");
  EXPECT_EQ(envelope.reason(), "because");
  EXPECT_EQ(envelope.command(), "test.Command");
  EXPECT_EQ(envelope.payload(), event.SerializeAsString());
  EXPECT_EQ(answer.freshness().view(), "ledger");
}

TEST_F(LedgerViewTest, ReadsRangesForwardAndBackward) {
  write_some();
  ReadEventsRequest request;
  EXPECT_EQ(all_pages(request, 2), "1 2 3 4 5 ");
  request.set_from_seq(2);
  request.set_to_seq(3);
  EXPECT_EQ(all_pages(request, 1), "2 3 ");
  request.set_backward(true);
  request.set_from_seq(3);
  request.set_to_seq(2);
  EXPECT_EQ(all_pages(request, 1), "3 2 ");
  request.clear_from_seq();
  request.clear_to_seq();
  EXPECT_EQ(all_pages(request, 2), "5 4 3 2 1 ");
  request.set_from_seq(9);
  EXPECT_EQ(all_pages(request, 10), "5 4 3 2 1 ");
}

TEST_F(LedgerViewTest, ReadsAsOfASeqInsideACommit) {
  write_some();
  ReadEventsRequest request;
  request.mutable_read()->set_seq(2);
  EXPECT_EQ(all_pages(request, 10), "1 2 ");
  request.set_backward(true);
  EXPECT_EQ(all_pages(request, 10), "2 1 ");
  request.mutable_filter()->add_types("taizhang.ledger.v1.LedgerPlaced");
  EXPECT_EQ(all_pages(request, 10), "2 1 ");
}

TEST_F(LedgerViewTest, FiltersByTypeSubjectAndContext) {
  write_some();
  for (const bool backward : {false, true}) {
    ReadEventsRequest request;
    request.set_backward(backward);
    request.mutable_filter()->add_types("taizhang.ledger.v1.LedgerPlaced");
    EXPECT_EQ(all_pages(request, 2), backward ? "5 4 2 1 " : "1 2 4 5 ");
    request.mutable_filter()->add_types("taizhang.ledger.v1.LedgerFounded");
    EXPECT_EQ(all_pages(request, 1), backward ? "5 4 3 2 1 " : "1 2 3 4 5 ");
    auto& subject = *request.mutable_filter()->add_subjects();
    subject.set_kind(common::v1::SUBJECT_KIND_LEDGER);
    subject.set_id("100001");
    EXPECT_EQ(all_pages(request, 1), backward ? "5 3 1 " : "1 3 5 ");
    request.mutable_filter()->clear_types();
    EXPECT_EQ(all_pages(request, 5), backward ? "5 3 1 " : "1 3 5 ");
    request.mutable_filter()->add_contexts("funds");
    EXPECT_EQ(all_pages(request, 5), "");
    request.mutable_filter()->clear_subjects();
    EXPECT_EQ(all_pages(request, 5), "");
    request.mutable_filter()->add_contexts("ledger");
    EXPECT_EQ(all_pages(request, 5), backward ? "5 4 3 2 1 " : "1 2 3 4 5 ");
  }
}

TEST_F(LedgerViewTest, PagesThroughLongIndexes) {
  for (int i = 0; i < 400; ++i) add(i % 2 == 0 ? "100001" : "100002");
  std::string expected;
  for (int i = 1; i <= 400; i += 2) expected += std::to_string(i) + " ";
  ReadEventsRequest request;
  auto& subject = *request.mutable_filter()->add_subjects();
  subject.set_kind(common::v1::SUBJECT_KIND_LEDGER);
  subject.set_id("100001");
  EXPECT_EQ(all_pages(request, 37), expected);
  EXPECT_EQ(all_pages(request, 200), expected);
}

TEST_F(LedgerViewTest, WithholdsPersonalPayloadsFromReaders) {
  registry::v1::WorkerRegistered worker;
  worker.set_worker_id("w1");
  worker.mutable_identity()->set_bytes("name and number");
  journal_.commit(kLedger, {&worker});
  add("100001");
  EXPECT_EQ(read({}).events(0).payload(), worker.SerializeAsString());
  caller_.roles = {common::v1::ROLE_READER};
  const auto answer = read({});
  EXPECT_TRUE(answer.events(0).payload_withheld());
  EXPECT_EQ(answer.events(0).payload(), "");
  EXPECT_EQ(answer.events(0).subject(), "WORKER/w1");
  EXPECT_FALSE(answer.events(1).payload_withheld());
}

TEST_F(LedgerViewTest, SubscribesFromThePastIntoThePresent) {
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

TEST_F(LedgerViewTest, ASubscriptionBeyondTheEndClaimsNothing) {
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
TEST_F(LedgerViewTest, ARebuildOfTheViewMakesNoGapAndRepeatsNothing) {
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

TEST_F(LedgerViewTest, ASubscriptionMissesAndRepeatsNothingUnderLoad) {
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

TEST_F(LedgerViewTest, WhatDoesNotMatchIsPassedThroughTheIndexAndToldWithTheHeartbeat) {
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
TEST_F(LedgerViewTest, TellsCheckpointsWhileTwoIndexesFindNothingInCommon) {
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

TEST_F(LedgerViewTest, ASparseSubjectIsFoundThroughItsIndex) {
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

TEST_F(LedgerViewTest, ABatchIsBounded) {
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

TEST_F(LedgerViewTest, AnEventWakesOnlyThoseItConcerns) {
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

TEST_F(LedgerViewTest, ACancelledSubscriptionIsAnsweredAtOnce) {
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

TEST_F(LedgerViewTest, SubscriptionsEndWhenTheViewStopsAndMayOutliveIt) {
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

TEST_F(LedgerViewTest, TenThousandSubscriptionsComeAndGo) {
  add("100001");
  ASSERT_TRUE(views_->catch_up(10'000'000));
  std::vector<std::unique_ptr<ServerStream>> streams;
  std::vector<std::future<Answer>> answers;
  for (int i = 0; i < 10'000; ++i) {
    SubscribeRequest request;
    request.set_after_seq(1);
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
  for (int i = 0; i < 1'000 && views_->waiting() != 0; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  EXPECT_EQ(views_->waiting(), 0);
}

TEST_F(LedgerViewTest, AnUnknownLedgerHasNoEvents) {
  ASSERT_TRUE(views_->catch_up(10'000'000));
  SubscribeRequest request;
  request.set_ledger("110000");
  auto opened =
      dispatcher_.stream(method("Subscribe"), call(), std::make_shared<SubscribeRequest>(request));
  EXPECT_EQ(std::get<Error>(opened).code, kNotFound);
}

TEST_F(LedgerViewTest, OtherViewsFindTheEventBehindARow) {
  write_some();
  ASSERT_TRUE(views_->catch_up(10'000'000));
  auto request = std::make_shared<ledger::v1::GetOutcomeRequest>();
  request->set_ledger(kLedger);
  std::promise<Answer> promise;
  views_->ask(method("GetOutcome").full_name(), call(), request,
              [&](Answer answer) { promise.set_value(std::move(answer)); });
  Answer answer = promise.get_future().get();
  ASSERT_EQ(answer.index(), 0u);
  const auto& response = static_cast<const ledger::v1::GetOutcomeResponse&>(*std::get<0>(answer));
  EXPECT_EQ(response.receipt().event_ids(0), "990101/5");
  EXPECT_EQ(response.receipt().ledger(), "maker-1");
}

TEST_F(LedgerViewTest, EqualsAFoldFromNothing) {
  write_some();
  ASSERT_TRUE(views_->catch_up(10'000'000));
  const auto report = views_->verify("ledger");
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_TRUE(report->equal) << report->difference;
  EXPECT_EQ(report->events, 5);
}

}  // namespace
}  // namespace taizhang
