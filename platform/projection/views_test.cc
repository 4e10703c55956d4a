// What a view answers: moments, freshness, pages, waiting.
#include "platform/projection/views.h"

#include <gtest/gtest.h>

#include <future>
#include <set>

#include "platform/projection/test_views.h"

namespace taizhang {
namespace {

using ledger::v1::ReadEventsResponse;
using testing::erased;
using testing::kLedger;
using testing::placed;
using testing::SumRow;
using testing::ViewsTest;

TEST_F(ViewsTest, AnswersTheNewestStateWithFreshness) {
  add("a", 1);
  add("b", 2);
  add("a", 10);
  start();
  const auto answer = ask(question());
  EXPECT_EQ(text(answer), "a=11@3 b=2@2 ");
  EXPECT_EQ(answer.freshness().ledger(), kLedger);
  EXPECT_EQ(answer.freshness().seq(), 3);
  EXPECT_EQ(answer.freshness().journal_seq(), 3);
  EXPECT_EQ(answer.freshness().view(), "sums");
  EXPECT_EQ(answer.freshness().view_version(), 1);
  EXPECT_FALSE(answer.freshness().final());
  EXPECT_EQ(answer.freshness().recorded_time().seconds(), journal_.time_us / 1'000'000);
}

TEST_F(ViewsTest, FoldsWhatIsCommittedWhileItRuns) {
  start();
  add("a", 1);
  auto request = question();
  request.mutable_read()->set_at_least_seq(1);
  EXPECT_EQ(text(ask(request)), "a=1@1 ");
}

TEST_F(ViewsTest, ReadsAsOfASeqAlsoInsideACommit) {
  const auto first = placed("a", 1);
  const auto second = placed("b", 2);
  const auto third = erased("a");
  journal_.commit(kLedger, {&first, &second, &third});
  add("a", 5);
  start();
  EXPECT_EQ(text(ask(as_of(0))), "");
  EXPECT_EQ(text(ask(as_of(1))), "a=1@1 ");
  EXPECT_EQ(text(ask(as_of(2))), "a=1@1 b=2@2 ");
  EXPECT_EQ(text(ask(as_of(3))), "b=2@2 ");
  EXPECT_EQ(text(ask(as_of(4))), "a=5@4 b=2@2 ");
  EXPECT_TRUE(ask(as_of(3)).freshness().final());
}

TEST_F(ViewsTest, ReadsAsOfARecordedTimeAndSaysWhenThatIsFinal) {
  add("a", 1);
  const int64_t between_us = journal_.time_us;
  add("a", 10);
  start();
  const auto at = [&](int64_t time_us) {
    auto request = question();
    request.mutable_read()->mutable_recorded_time()->set_seconds(time_us / 1'000'000);
    request.mutable_read()->mutable_recorded_time()->set_nanos(
        static_cast<int32_t>(time_us % 1'000'000 * 1'000));
    return ask(request);
  };
  EXPECT_EQ(text(at(between_us)), "a=1@1 ");
  EXPECT_TRUE(at(between_us).freshness().final());
  EXPECT_EQ(at(between_us).freshness().seq(), 1);
  EXPECT_EQ(text(at(between_us - 1)), "");
  const int64_t later_us = journal_.time_us + 1;
  EXPECT_EQ(text(at(later_us)), "a=11@2 ");
  EXPECT_FALSE(at(later_us).freshness().final());
  // Only a later record of the partition can say that nothing came meanwhile.
  journal_.barrier();
  catch_up();
  EXPECT_TRUE(at(later_us).freshness().final());
}

TEST_F(ViewsTest, ListsTheVersionsOfARowNewestFirstInPages) {
  for (int i = 1; i <= 5; ++i) add("a", 1);
  const auto gone = erased("a");
  journal_.commit(kLedger, {&gone});
  start();
  auto request = question();
  request.set_from_seq(1);
  request.mutable_page()->set_page_size(4);
  auto answer = ask(request);
  EXPECT_EQ(text(answer), "a=0@6 a=5@5 a=4@4 a=3@3 ");
  EXPECT_EQ(answer.events(0).reason(), "erased");
  request.mutable_page()->set_page_token(answer.next_page_token());
  answer = ask(request);
  EXPECT_EQ(text(answer), "a=2@2 a=1@1 ");
  EXPECT_EQ(answer.next_page_token(), "");
  auto past = request;
  past.clear_page();
  past.mutable_read()->set_seq(2);
  EXPECT_EQ(text(ask(past)), "a=2@2 a=1@1 ");
}

TEST_F(ViewsTest, PagesAreOfOneMoment) {
  for (const char* key : {"a", "b", "c", "d", "e"}) add(key, 1);
  start();
  auto request = question();
  request.mutable_page()->set_page_size(2);
  auto answer = ask(request);
  EXPECT_EQ(text(answer), "a=1@1 b=1@2 ");
  add("c", 100);
  add("bb", 100);
  catch_up();
  request.mutable_page()->set_page_token(answer.next_page_token());
  answer = ask(request);
  EXPECT_EQ(text(answer), "c=1@3 d=1@4 ");
  EXPECT_EQ(answer.freshness().seq(), 5);
  EXPECT_EQ(answer.freshness().journal_seq(), 7);
  request.mutable_page()->set_page_token(answer.next_page_token());
  answer = ask(request);
  EXPECT_EQ(text(answer), "e=1@5 ");
  EXPECT_EQ(answer.next_page_token(), "");
}

TEST_F(ViewsTest, PagesBackwardAndThroughAFilter) {
  for (const char* key : {"a", "b", "c", "d", "e"}) add(key, 1);
  add("c", 6);  // 7: filtered out
  start();
  auto request = question();
  request.set_backward(true);
  request.mutable_page()->set_page_size(3);
  auto answer = ask(request);
  EXPECT_EQ(text(answer), "e=1@5 d=1@4 b=1@2 ");
  request.mutable_page()->set_page_token(answer.next_page_token());
  EXPECT_EQ(text(ask(request)), "a=1@1 ");
}

TEST_F(ViewsTest, RefusesAPageTokenThatIsNotOurs) {
  for (const char* key : {"a", "b", "c"}) add(key, 1);
  start();
  auto request = question();
  request.mutable_page()->set_page_size(1);
  const std::string token = ask(request).next_page_token();
  ASSERT_FALSE(token.empty());
  for (size_t i = 0; i < token.size(); ++i) {
    std::string altered = token;
    altered[i] = altered[i] == 'A' ? 'B' : 'A';
    request.mutable_page()->set_page_token(altered);
    EXPECT_EQ(ask_error(request).code, kInvalidArgument);
  }
  for (const std::string& altered :
       {token + "A", token.substr(1), std::string("!"), std::string(900, 'A')}) {
    request.mutable_page()->set_page_token(altered);
    EXPECT_EQ(ask_error(request).reason, "PAGE_TOKEN_INVALID");
  }
  request.mutable_page()->set_page_token(token);
  request.mutable_page()->set_page_size(2);  // may change between pages
  EXPECT_EQ(text(ask(request)), "b=1@2 c=1@3 ");
  request.set_backward(true);
  EXPECT_EQ(ask_error(request).reason, "PAGE_TOKEN_INVALID");
  request.set_backward(false);
  ASSERT_TRUE(views_->rebuild("sums").ok());
  catch_up();
  EXPECT_EQ(ask_error(request).reason, "PAGE_TOKEN_INVALID");
}

TEST_F(ViewsTest, CapsThePageSize) {
  std::vector<ledger::v1::LedgerPlaced> events;
  std::vector<const google::protobuf::Message*> list;
  for (int i = 0; i < 1'500; ++i) events.push_back(placed(std::to_string(i), 1));
  for (const auto& event : events) list.push_back(&event);
  journal_.commit(kLedger, list);
  start();
  auto request = question();
  EXPECT_EQ(ask(request).events_size(), 100);
  request.mutable_page()->set_page_size(100'000);
  EXPECT_EQ(ask(request).events_size(), 1'000);
}

TEST_F(ViewsTest, WaitsForASeqUntilTheDeadline) {
  add("a", 1);
  start();
  auto request = question();
  request.mutable_read()->set_at_least_seq(3);
  const auto error = ask_error(request, 100'000);
  EXPECT_EQ(error.code, kDeadlineExceeded);
  ASSERT_EQ(error.metadata.size(), 3u);
  EXPECT_EQ(error.metadata[2], std::pair(std::string("seq"), std::string("1")));
  auto later = ask_later(request);
  add("a", 1);
  add("a", 1);
  Answer answer = later.get();
  EXPECT_EQ(text(static_cast<const ReadEventsResponse&>(*std::get<0>(answer))), "a=3@3 ");
}

TEST_F(ViewsTest, ManyWaitersAreAllAnsweredOnce) {
  start();
  std::vector<std::future<Answer>> answers;
  for (int i = 0; i < 200; ++i) {
    auto request = question();
    request.mutable_read()->set_at_least_seq(i % 50 + 1);
    answers.push_back(ask_later(request));
    if (i % 4 == 3) add("a", 1);
  }
  for (auto& answer : answers) EXPECT_EQ(answer.get().index(), 0u);
}

TEST_F(ViewsTest, AnswersWaitingCallsWhenItStops) {
  start();
  auto request = question();
  request.mutable_read()->set_at_least_seq(100);
  auto later = ask_later(request, 60'000'000);
  views_->stop();
  Answer answer = later.get();
  EXPECT_EQ(std::get<Error>(answer).code, kUnavailable);
  EXPECT_EQ(ask_error(question()).code, kUnavailable);
}

TEST_F(ViewsTest, KnowsNothingOfALedgerThatDoesNotExist) {
  start();
  const auto error = ask_error(question("110000"));
  EXPECT_EQ(error.code, kNotFound);
  EXPECT_EQ(error.reason, "LEDGER_NOT_FOUND");
}

Result<ReadEventsResponse> look_where_rows_are_found(const Snapshot& snapshot,
                                                     const ledger::v1::ReadEventsRequest&) {
  const auto& outside = snapshot.get<SumRow>(std::string("k7"));
  std::set<const SumRow*> found, found_within;
  int visits = 0;
  const auto each = [&](const SumRow& row) {
    const auto& kept = snapshot.get<SumRow>(row.ledger());
    snapshot.scan<SumRow>([&](const SumRow& other) {
      found_within.insert(&snapshot.get<SumRow>(other.ledger()));
    });
    EXPECT_EQ(kept.ledger(), row.ledger()) << "a visit within ends only what it found itself";
    found.insert(&kept);
    ++visits;
    return true;
  };
  snapshot.scan<SumRow>(each);
  snapshot.scan_back<SumRow>(each);
  snapshot.scan_after<SumRow>({}, each);
  snapshot.page_scan<SumRow>(each);
  EXPECT_EQ(visits, 4 * 50);
  EXPECT_LE(found.size(), 4u) << "one place for each scan";
  EXPECT_LE(found_within.size(), 4u);
  EXPECT_EQ(outside.ledger(), "k7");
  return ReadEventsResponse();
}

// A list of a million rows takes the memory of one: what is found in a visit has the place of what
// was found in the visit before. What was found outside stays.
TEST_F(ViewsTest, WhatIsFoundInAVisitLivesUntilItEnds) {
  for (int i = 0; i < 50; ++i) add("k" + std::to_string(i), 1);
  View view("sums", 1);
  view.on<ledger::v1::LedgerPlaced>(testing::fold_placed).query(look_where_rows_are_found);
  start(std::move(view));
  auto request = question();
  request.mutable_page()->set_page_size(1'000);
  ask(request);
}

}  // namespace
}  // namespace taizhang
