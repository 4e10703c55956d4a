// The lines of the view fund_execution: progress, history, what the fold keeps.
#include "projections/fund_execution/fund_execution.h"

#include <gtest/gtest.h>

#include <vector>

#include "projections/fund_execution/test_book.h"

namespace taizhang {
namespace {

using namespace fund_execution::v1;
using testing::arrived;
using testing::Book;
using testing::budget;
using testing::by_source_on;
using testing::id;
using testing::kJia;
using testing::opened;

TEST(Progress, OfLineJIsThatOfTheSource) {
  Book book;
  book.line_j();
  const auto row = book.progress_of(1, 20170815);
  EXPECT_EQ(row.plan_fen(), 20'000'000);
  EXPECT_EQ(row.arrived_fen(), 16'890'000);
  EXPECT_EQ(row.committed_fen(), 16'890'000);
  EXPECT_EQ(row.prepaid_fen(), 0);
  EXPECT_EQ(row.paid_fen(), 16'890'000);
  EXPECT_EQ(row.balance_fen(), 0);
  EXPECT_EQ(row.paid_percent(), "84.45");
  EXPECT_EQ(row.short_fen(), 3'110'000);
  EXPECT_EQ(row.state(), PROGRESS_STATE_NO_THRESHOLD);
  EXPECT_EQ(row.version(), 9);
}

// As-of 1, as-of 2 and both of slice-1 §8.
TEST(Progress, TellsWhatWasKnownFromWhatWasTrue) {
  Book book;
  const int64_t first_payment = book.line_j();
  auto row = book.progress_of(1, 20170815, first_payment);
  EXPECT_EQ(row.paid_fen(), 15'000'000);
  EXPECT_EQ(row.paid_percent(), "75.00");
  EXPECT_EQ(row.short_fen(), 5'000'000);
  row = book.progress_of(1, 20170430);
  EXPECT_EQ(row.paid_fen(), 1'890'000);
  EXPECT_EQ(row.paid_percent(), "9.45");
  EXPECT_EQ(row.short_fen(), 18'110'000);
  row = book.progress_of(1, 20170430, first_payment);
  EXPECT_EQ(row.paid_fen(), 0);
  EXPECT_EQ(row.paid_percent(), "0.00");
  EXPECT_EQ(row.short_fen(), 20'000'000);
}

// T-09
TEST(Progress, IsBasicallyCompleteOnlyWhereAThresholdSaysSo) {
  Book book;
  book.line_j();
  book.threshold(1, 8'000);
  auto row = book.progress_of(1, 20170815);
  EXPECT_EQ(row.state(), PROGRESS_STATE_BASICALLY_COMPLETE);
  ASSERT_EQ(row.thresholds_size(), 1);
  EXPECT_EQ(row.thresholds(0).value(), "8000");
  book.threshold(2, 9'000, 1);
  row = book.progress_of(1, 20170815);
  EXPECT_EQ(row.state(), PROGRESS_STATE_UNDER_WAY);
  ASSERT_EQ(row.thresholds_size(), 1);
  EXPECT_EQ(row.thresholds(0).version(), 2);
}

TEST(Progress, WithoutAPlanIsUnknownNotZero) {
  Book book;
  book.commit(20170101, opened(1, funds::v1::SOURCE_KIND_WON), arrived(1, 100));
  const auto row = book.progress_of(1, 20171231);
  EXPECT_EQ(row.state(), PROGRESS_STATE_NO_PLAN);
  EXPECT_FALSE(row.has_plan_fen());
  EXPECT_FALSE(row.has_short_fen());
  EXPECT_EQ(row.paid_percent(), "");
}

TEST(Progress, IsCompleteWhenPaidReachesThePlan) {
  Book book;
  book.line_j();
  book.spend(1, 20170801, 3'110'000, kJia);
  auto row = book.progress_of(1, 20170815);
  EXPECT_EQ(row.state(), PROGRESS_STATE_COMPLETE);
  EXPECT_EQ(row.paid_percent(), "100.00");
  book.spend(1, 20170801, 1, kJia);
  row = book.progress_of(1, 20170815);
  EXPECT_EQ(row.state(), PROGRESS_STATE_COMPLETE);
  EXPECT_EQ(row.short_fen(), -1);
}

TEST(Progress, PagesLinesInTheOrderAsked) {
  Book book;
  for (int line = 1; line <= 3; ++line)
    book.commit(20170101, opened(line, funds::v1::SOURCE_KIND_WON));
  ProgressRequest request;
  for (const int line : {3, 1, 2}) request.add_fund_line_ids(id(line));
  request.mutable_page()->set_page_size(2);
  const auto first = book.ask<ProgressResponse>(request);
  ASSERT_EQ(first.rows_size(), 2);
  EXPECT_EQ(first.rows(0).fund_line_id(), id(3));
  request.mutable_page()->set_page_token(first.next_page_token());
  const auto second = book.ask<ProgressResponse>(request);
  ASSERT_EQ(second.rows_size(), 1);
  EXPECT_EQ(second.rows(0).fund_line_id(), id(2));
  EXPECT_EQ(second.next_page_token(), "");
  request.clear_fund_line_ids();
  request.clear_page();
  EXPECT_EQ(book.ask<ProgressResponse>(request).rows_size(), 3);
  request.add_fund_line_ids(id(9));
  EXPECT_EQ(book.ask_error(request).reason, "FUND_LINE_NOT_FOUND");
}

TEST(LineHistory, TellsEveryVersionNewestFirst) {
  Book book;
  book.as("maker-7").because("first money");
  book.commit(20170101, opened(1, funds::v1::SOURCE_KIND_WON));
  book.commit(20170102, budget(1, funds::v1::BUDGET_NATURE_PLAN, 500));
  book.commit(20170110, arrived(1, 100));
  book.commit(20170110, arrived(2, 7));  // of another line
  LineHistoryRequest request;
  request.set_fund_line_id(id(1));
  request.mutable_page()->set_page_size(2);
  const auto first = book.ask<LineHistoryResponse>(request);
  ASSERT_EQ(first.versions_size(), 2);
  const auto& newest = first.versions(0);
  EXPECT_EQ(newest.version(), 3);
  EXPECT_EQ(newest.figures().arrived_fen(), 100);
  EXPECT_EQ(newest.change().event_id(), "990101/3");
  EXPECT_EQ(newest.change().event_type(), "funds.v1.FundsArrived");
  EXPECT_EQ(newest.change().actor().subject(), "maker-7");
  EXPECT_EQ(newest.change().reason(), "first money");
  EXPECT_EQ(day_of(newest.change().effective_date()), 20170110);
  EXPECT_TRUE(newest.change().has_recorded_time());
  EXPECT_EQ(first.versions(1).figures().arrived_fen(), 0);
  EXPECT_EQ(first.versions(1).document_ids(0), id(900));
  request.mutable_page()->set_page_token(first.next_page_token());
  const auto second = book.ask<LineHistoryResponse>(request);
  ASSERT_EQ(second.versions_size(), 1);
  EXPECT_EQ(second.versions(0).version(), 1);
  request.clear_page();
  request.set_fund_line_id(id(9));
  EXPECT_EQ(book.ask_error(request).reason, "FUND_LINE_NOT_FOUND");
}

TEST(Fold, GivesTheSameRowsAgain) {
  Book once;
  Book again;
  for (auto* book : {&once, &again}) {
    book->line_j();
    book->line_d();
    book->threshold(1, 8'000);
  }
  EXPECT_EQ(once.dump(), again.dump());
}

// Facts of many months in any order: each day is the sum of what is dated by it.
TEST(Fold, KeepsDaysInOrderHoweverRecorded) {
  Book book;
  book.commit(20160101, opened(1, funds::v1::SOURCE_KIND_WON));
  const std::vector<int32_t> days{20170731, 20160229, 20170701, 20161231,
                                  20170101, 20160301, 20170731};
  for (const int32_t day : days) book.commit(day, arrived(1, 1'000'000 + day));
  for (const int32_t asked :
       {20160228, 20160229, 20160301, 20161230, 20161231, 20170101, 20170730, 20170731}) {
    int64_t expected = 0;
    for (const int32_t day : days) expected += day <= asked ? 1'000'000 + day : 0;
    EXPECT_EQ(book.ask<BySourceResponse>(by_source_on(asked)).total().figures().arrived_fen(),
              expected)
        << asked;
  }
}

}  // namespace
}  // namespace taizhang
