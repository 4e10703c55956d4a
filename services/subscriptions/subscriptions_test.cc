// Commands on subscriptions: what is refused, and what the rows say afterwards.
#include "services/subscriptions/subscriptions.h"

#include <gtest/gtest.h>

#include "domain/subscription.h"
#include "taizhang/common/v1/errors.pb.h"
#include "taizhang/subscriptions/state/v1/state.pb.h"
#include "taizhang/subscriptions/v1/commands.pb.h"
#include "taizhang/subscriptions/v1/errors.pb.h"
#include "taizhang/subscriptions/v1/events.pb.h"
#include "tests/support/scenario.h"

namespace taizhang::test {
namespace {

using namespace subscriptions::v1;
using common::v1::COMMON_REFUSAL_FIELD_INVALID;
using common::v1::COMMON_REFUSAL_NOT_AUTHORISED;
using common::v1::COMMON_REFUSAL_REASON_REQUIRED;
using common::v1::COMMON_REFUSAL_VERSION_MISMATCH;
using subscriptions::state::v1::Parked;
using subscriptions::state::v1::Subscription;

constexpr const char* kName = "to.province";
constexpr const char* kHousehold = "HOUSEHOLD/h1";
const std::string kFollowed(kLedger);

template <class Request>
Request request() {
  Request made;
  made.set_name(kName);
  return made;
}
CreateSubscriptionRequest create(int64_t after_seq = 0) {
  auto made = request<CreateSubscriptionRequest>();
  made.mutable_selection()->add_contexts("registry");
  made.set_after_seq(after_seq);
  return made;
}
ParkSubjectRequest park(int64_t seq, const std::string& subject = kHousehold) {
  auto made = request<ParkSubjectRequest>();
  made.set_subject(subject);
  made.set_seq(seq);
  made.mutable_context()->set_reason("the consumer cannot read it");
  return made;
}
ReplayParkedRequest replay(const std::string& subject = kHousehold) {
  auto made = request<ReplayParkedRequest>();
  made.set_subject(subject);
  return made;
}
SkipEventRequest skip(int64_t seq) {
  auto made = request<SkipEventRequest>();
  made.set_seq(seq);
  made.mutable_context()->set_reason("decided by phone");
  return made;
}
RecordProgressRequest progress(int64_t generation, int64_t position = 0) {
  auto made = request<RecordProgressRequest>();
  made.set_generation(generation);
  made.set_position(position);
  return made;
}
RecordProgressRequest with_done(RecordProgressRequest made, int64_t first, int64_t last) {
  auto& range = *made.add_done();
  range.set_first(first);
  range.set_last(last);
  return made;
}
RecordProgressRequest with_replay(RecordProgressRequest made, int64_t version, int64_t after_seq,
                                  bool finished) {
  auto& one = *made.add_replays();
  one.set_subject(kHousehold);
  one.set_parked_version(version);
  one.set_after_seq(after_seq);
  one.set_finished(finished);
  return made;
}

// A ledger of 100 events, its subscription made and, as generation 1, being delivered.
Scenario empty_book() {
  Scenario book(register_subscriptions);
  book.named_seq(100).with_roles({common::v1::ROLE_OPERATOR});
  return book;
}
Scenario delivered_book() {
  auto book = empty_book();
  book.given(create(), progress(0));
  return book;
}
const Subscription& row(Scenario& book) { return book.row<Subscription>(kFollowed, kName); }

TEST(CreateSubscription, FillsTheDefaultsIn) {
  auto book = empty_book();
  book.when(create(7)).accepted();
  EXPECT_EQ(book.event<SubscriptionCreated>().subscription(), "990101/to.province");
  EXPECT_EQ(row(book).rules().attempts_max(), 5);
  EXPECT_EQ(row(book).rules().ack_deadline_ms(), 30'000);
  EXPECT_EQ(row(book).rules().outstanding_max(), 256);
  EXPECT_EQ(row(book).position(), 7);
}

TEST(CreateSubscription, BeginsWithWhatComesNext) {
  auto book = empty_book();
  auto from_now = create();
  from_now.set_from_now(true);
  book.when(from_now).accepted();
  EXPECT_EQ(row(book).position(), 100);
  // The ledger has grown, the subscription is the same.
  book.named_seq(120).when(from_now).unchanged();
}

TEST(CreateSubscription, IsUnchangedWhenEqualAndRefusedWhenNot) {
  auto book = empty_book();
  book.given(create()).when(create()).unchanged();
  book.when(create(1)).refused(SUBSCRIPTIONS_REFUSAL_SUBSCRIPTION_EXISTS, "name");
  auto other = create();
  other.mutable_rules()->set_attempts_max(6);
  book.when(other).refused(SUBSCRIPTIONS_REFUSAL_SUBSCRIPTION_EXISTS, "name");
}

TEST(CreateSubscription, IsRefusedASeqThatIsNotThere) {
  empty_book().when(create(101)).refused(SUBSCRIPTIONS_REFUSAL_SEQ_NOT_REACHED, "after_seq");
}

TEST(CreateSubscription, IsRefusedADeadlineNobodyCanMeet) {
  auto hasty = create();
  hasty.mutable_rules()->set_ack_deadline_ms(99);
  empty_book().when(hasty).refused(COMMON_REFUSAL_FIELD_INVALID, "rules.ack_deadline_ms");
}

TEST(CreateSubscription, IsRefusedMoreThanALedgerMayHave) {
  auto book = empty_book();
  for (int i = 0; i < kSubscriptionsMax; ++i) {
    auto one = create();
    one.set_name("s" + std::to_string(i));
    book.given(one);
  }
  book.when(create()).refused(SUBSCRIPTIONS_REFUSAL_TOO_MANY_SUBSCRIPTIONS, "ledger");
}

TEST(CreateSubscription, IsForOperators) {
  empty_book()
      .with_roles({common::v1::ROLE_MAKER})
      .when(create())
      .refused(COMMON_REFUSAL_NOT_AUTHORISED, "");
}

TEST(DeleteSubscription, ForgetsEverything) {
  auto book = delivered_book();
  book.given(park(5)).when(request<DeleteSubscriptionRequest>()).accepted();
  EXPECT_FALSE(book.has<Subscription>(kFollowed, kName));
  EXPECT_FALSE(book.has<Parked>(kFollowed, kName, kHousehold));
  book.when(request<DeleteSubscriptionRequest>())
      .refused(SUBSCRIPTIONS_REFUSAL_SUBSCRIPTION_NOT_FOUND, "name");
  book.when(create(50)).accepted();
  EXPECT_EQ(row(book).position(), 50);
}

TEST(DeleteSubscription, MindsTheVersion) {
  auto book = delivered_book();
  book.expecting_version(row(book).version() + 1)
      .when(request<DeleteSubscriptionRequest>())
      .refused(COMMON_REFUSAL_VERSION_MISMATCH, "context.expected_version");
}

TEST(RecordProgress, AddsUp) {
  auto book = delivered_book();
  book.given(with_done(with_done(progress(1, 10), 12, 14), 20, 20), with_done(progress(1), 16, 16));
  EXPECT_EQ(row(book).position(), 10);
  EXPECT_EQ(row(book).done_size(), 3);
  book.when(with_done(progress(1), 11, 11)).accepted();
  EXPECT_EQ(row(book).position(), 14);
  EXPECT_EQ(row(book).done_size(), 2);
}

TEST(RecordProgress, TakesRangesInOrderOnly) {
  auto book = delivered_book();
  book.when(with_done(progress(1, 8), 9, 9)).refused(COMMON_REFUSAL_FIELD_INVALID, "done[0]");
  book.when(with_done(progress(1, 8), 12, 11)).refused(COMMON_REFUSAL_FIELD_INVALID, "done[0]");
  book.when(with_done(with_done(progress(1, 8), 12, 13), 14, 14))
      .refused(COMMON_REFUSAL_FIELD_INVALID, "done[1]");
}

TEST(RecordProgress, RemembersWhichDeliveriesFailedUntilTheNext) {
  const auto failing = [](RecordProgressRequest made, int64_t seq, int32_t count) {
    auto& failed = *made.add_failed();
    failed.set_seq(seq);
    failed.set_count(count);
    return made;
  };
  auto book = delivered_book();
  book.given(failing(failing(progress(1), 3, 2), 4, 1));
  ASSERT_EQ(row(book).failed_size(), 2);
  EXPECT_EQ(row(book).failed(0).seq(), 3);
  EXPECT_EQ(row(book).failed(0).count(), 2);
  book.when(progress(1, 3)).accepted();
  EXPECT_EQ(row(book).failed_size(), 0);
  book.when(failing(failing(progress(1), 5, 1), 5, 1))
      .refused(COMMON_REFUSAL_FIELD_INVALID, "failed[1].seq");
}

TEST(RecordProgress, NeverGoesBack) {
  auto book = delivered_book();
  book.given(with_done(progress(1, 10), 12, 14)).when(progress(1, 3)).accepted();
  EXPECT_EQ(row(book).position(), 10);
  EXPECT_EQ(row(book).done_size(), 1);
  book.when(progress(1, 11)).accepted();
  EXPECT_EQ(row(book).position(), 14);
}

TEST(RecordProgress, OfAnEarlierDeliveryCountsNoMore) {
  auto book = delivered_book();
  book.when(progress(0)).accepted();
  EXPECT_EQ(book.event<DeliveryStarted>().generation(), 2);
  book.when(progress(1, 10)).refused(SUBSCRIPTIONS_REFUSAL_DELIVERY_MOVED, "generation");
  book.when(progress(2, 10)).accepted();
}

TEST(RecordProgress, IsRefusedWhatIsNotThere) {
  auto book = delivered_book();
  book.when(progress(1, 101)).refused(SUBSCRIPTIONS_REFUSAL_SEQ_NOT_REACHED, "position");
  book.when(with_done(progress(1, 1), 99, 101))
      .refused(SUBSCRIPTIONS_REFUSAL_SEQ_NOT_REACHED, "position");
  book.given(park(5), replay());
  book.when(with_replay(progress(1, 1), book.last_seq(), 101, false))
      .refused(SUBSCRIPTIONS_REFUSAL_SEQ_NOT_REACHED, "replays[0].after_seq");
  empty_book().when(progress(1, 1)).refused(SUBSCRIPTIONS_REFUSAL_SUBSCRIPTION_NOT_FOUND, "name");
}

TEST(RecordProgress, KeepsTheRowSmall) {
  auto book = delivered_book();
  book.named_seq(100'000);
  int64_t seq = 0;
  for (int batch = 0; batch < kDoneRangesMax / 1'000; ++batch) {
    auto many = progress(1);
    for (int i = 0; i < 1'000; ++i) {
      seq += 2;
      many = with_done(std::move(many), seq, seq);
    }
    book.given(many);
  }
  book.when(with_done(progress(1), seq + 2, seq + 2))
      .refused(SUBSCRIPTIONS_REFUSAL_TOO_MANY_RANGES, "done");
  book.when(skip(seq + 2)).refused(SUBSCRIPTIONS_REFUSAL_TOO_MANY_RANGES, "seq");
  book.when(progress(1, seq)).accepted();
  EXPECT_EQ(row(book).done_size(), 0);
}

TEST(ParkSubject, KeepsTheSubjectBack) {
  auto book = delivered_book();
  book.when(park(5)).accepted();
  const auto& parked = book.row<Parked>(kFollowed, kName, kHousehold);
  EXPECT_EQ(parked.seq(), 5);
  EXPECT_EQ(parked.after_seq(), 4);
  EXPECT_EQ(row(book).parked_subjects(), 1);
  book.when(park(6)).refused(SUBSCRIPTIONS_REFUSAL_SUBJECT_ALREADY_PARKED, "subject");
  book.when(park(6, "HOUSEHOLD/h2")).accepted();
  EXPECT_EQ(row(book).parked_subjects(), 2);
}

TEST(ParkSubject, IsRefusedForWhatIsHandledOrNotThere) {
  auto book = delivered_book();
  book.given(with_done(progress(1, 10), 15, 15));
  book.when(park(10)).refused(SUBSCRIPTIONS_REFUSAL_ALREADY_HANDLED, "seq");
  book.when(park(15)).refused(SUBSCRIPTIONS_REFUSAL_ALREADY_HANDLED, "seq");
  book.when(park(101)).refused(SUBSCRIPTIONS_REFUSAL_SEQ_NOT_REACHED, "seq");
  book.when(park(14)).accepted();
}

TEST(ParkSubject, AsksForAReason) {
  auto silent = park(5);
  silent.mutable_context()->clear_reason();
  delivered_book().when(silent).refused(COMMON_REFUSAL_REASON_REQUIRED, "context.reason");
}

TEST(ParkSubject, HasALimit) {
  auto book = delivered_book();
  for (int i = 0; i < kParkedSubjectsMax; ++i)
    book.given(park(5, "HOUSEHOLD/" + std::to_string(i)));
  book.when(park(5)).refused(SUBSCRIPTIONS_REFUSAL_TOO_MANY_PARKED, "name");
}

TEST(ReplayParked, EndsWhenEverythingWasHandled) {
  auto book = delivered_book();
  book.given(park(5)).when(replay()).accepted();
  const int64_t version = book.last_seq();
  EXPECT_TRUE(book.row<Parked>(kFollowed, kName, kHousehold).replaying());
  book.when(replay()).refused(SUBSCRIPTIONS_REFUSAL_REPLAY_RUNNING, "subject");
  book.given(with_replay(progress(1), version, 7, false));
  EXPECT_EQ(book.row<Parked>(kFollowed, kName, kHousehold).after_seq(), 7);
  book.given(with_replay(progress(1), version, 9, true));
  EXPECT_FALSE(book.has<Parked>(kFollowed, kName, kHousehold));
  EXPECT_EQ(row(book).parked_subjects(), 0);
  book.when(replay()).refused(SUBSCRIPTIONS_REFUSAL_SUBJECT_NOT_PARKED, "subject");
}

TEST(ReplayParked, ThatFailsAgainIsParkedAgain) {
  auto book = delivered_book();
  book.given(park(5), replay());
  const int64_t version = book.last_seq();
  book.given(with_replay(progress(1), version, 7, false));
  book.when(park(7)).refused(SUBSCRIPTIONS_REFUSAL_ALREADY_HANDLED, "seq");
  book.given(park(8));
  EXPECT_FALSE(book.row<Parked>(kFollowed, kName, kHousehold).replaying());
  EXPECT_EQ(row(book).parked_subjects(), 1);
  // What the delivery found before it heard of this ends nothing.
  book.given(with_replay(progress(1), version, 9, true));
  EXPECT_TRUE(book.has<Parked>(kFollowed, kName, kHousehold));
}

TEST(SkipEvent, HandlesItWithAReason) {
  auto book = delivered_book();
  book.when(skip(1)).accepted();
  EXPECT_EQ(row(book).position(), 1);
  book.when(skip(5)).accepted();
  EXPECT_EQ(row(book).done_size(), 1);
  book.when(skip(5)).refused(SUBSCRIPTIONS_REFUSAL_ALREADY_HANDLED, "seq");
  book.when(skip(101)).refused(SUBSCRIPTIONS_REFUSAL_SEQ_NOT_REACHED, "seq");
  auto silent = skip(7);
  silent.mutable_context()->clear_reason();
  book.when(silent).refused(COMMON_REFUSAL_REASON_REQUIRED, "context.reason");
}

TEST(SkipEvent, OfAParkedSubjectMovesItOn) {
  auto book = delivered_book();
  book.given(park(5), progress(1, 50)).when(skip(5)).accepted();
  EXPECT_EQ(book.event<EventSkipped>().subject(), kHousehold);
  EXPECT_EQ(book.row<Parked>(kFollowed, kName, kHousehold).after_seq(), 5);
  book.when(skip(5)).refused(SUBSCRIPTIONS_REFUSAL_ALREADY_HANDLED, "seq");
}

TEST(SkipEvent, ThatTwoParkedSubjectsWaitAtIsGivenUpForEachAndRememberedOnce) {
  auto book = delivered_book();
  book.given(park(5), park(5, "HOUSEHOLD/h2"), skip(5)).when(skip(5)).accepted();
  EXPECT_EQ(book.event<EventSkipped>().subject(), "HOUSEHOLD/h2");
  EXPECT_EQ(row(book).skipped_size(), 1);
}

}  // namespace
}  // namespace taizhang::test
