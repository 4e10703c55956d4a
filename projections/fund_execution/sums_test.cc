// The sums of the view fund_execution by source and by village: expected figures of the sample
// book.
#include <gtest/gtest.h>

#include <string>
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
using testing::kDiaoqu;
using testing::kJia;
using testing::opened;

TEST(BySource, SumsTheSampleBookByItsSources) {
  Book book;
  book.unit_funds();
  book.line_j();
  book.line_d();
  const auto response = book.ask<BySourceResponse>(by_source_on(20171231));
  ASSERT_EQ(response.source_totals_size(), 2);
  const auto& raised = response.source_totals(0);
  EXPECT_EQ(raised.source_kind(), funds::v1::SOURCE_KIND_SELF_RAISED);
  EXPECT_EQ(raised.lines(), 2);
  EXPECT_EQ(raised.figures().planned_fen(), 20'000'000);
  EXPECT_EQ(raised.figures().arrived_fen(), 22'550'000);
  EXPECT_EQ(raised.figures().allocated_fen(), 22'550'000);
  EXPECT_EQ(raised.figures().paid_fen(), 22'550'000);
  EXPECT_EQ(raised.figures().balance_fen(), 0);
  const auto& help = response.source_totals(1);
  EXPECT_EQ(help.source_kind(), funds::v1::SOURCE_KIND_SPECIAL_HELP_FUND);
  EXPECT_EQ(help.figures().arrived_fen(), 100'000'000);
  EXPECT_EQ(help.figures().paid_fen(), 0);
  EXPECT_EQ(help.figures().balance_fen(), 100'000'000);
  EXPECT_EQ(response.total().lines(), 4);
  EXPECT_EQ(response.total().figures().arrived_fen(), 122'550'000);
  EXPECT_EQ(response.rows_size(), 4);
}

// T-15
TEST(BySource, KeepsTheBalancesOfTwoUnitFundsApart) {
  Book book;
  book.unit_funds();
  auto request = by_source_on(20171231);
  request.set_source_kind(funds::v1::SOURCE_KIND_SPECIAL_HELP_FUND);
  const auto response = book.ask<BySourceResponse>(request);
  ASSERT_EQ(response.rows_size(), 2);
  EXPECT_EQ(response.rows(0).figures().balance_fen(), 50'000'000);
  EXPECT_EQ(response.rows(1).figures().balance_fen(), 50'000'000);
  EXPECT_EQ(response.total().figures().balance_fen(), 100'000'000);
}

// T-44
TEST(BySource, SumsFourSectorsOfOneSource) {
  Book book;
  const std::vector<std::pair<std::string, int64_t>> sectors{{"HOUSING", 15'600'000'000},
                                                             {"AGRICULTURE", 10'100'000'000},
                                                             {"SOCIAL", 10'000'000'000},
                                                             {"SETTLEMENT", 8'400'000'000}};
  int line = 20;
  for (const auto& [sector, fen] : sectors) {
    book.commit(20170101, opened(++line, funds::v1::SOURCE_KIND_WON, sector));
    book.commit(20170201, arrived(line, fen));
  }
  const auto response = book.ask<BySourceResponse>(by_source_on(20171231));
  ASSERT_EQ(response.sector_totals_size(), 4);
  EXPECT_EQ(response.sector_totals(0).sector(), "AGRICULTURE");
  EXPECT_EQ(response.sector_totals(0).figures().arrived_fen(), 10'100'000'000);
  ASSERT_EQ(response.source_totals_size(), 1);
  EXPECT_EQ(response.source_totals(0).figures().arrived_fen(), 44'100'000'000);

  auto request = by_source_on(20171231);
  request.set_source_kind(funds::v1::SOURCE_KIND_WON);
  request.set_sector("HOUSING");
  const auto housing = book.ask<BySourceResponse>(request);
  ASSERT_EQ(housing.rows_size(), 1);
  EXPECT_EQ(housing.total().figures().arrived_fen(), 15'600'000'000);
  request.clear_source_kind();
  EXPECT_EQ(book.ask<BySourceResponse>(request).rows_size(), 1);
}

TEST(BySource, FiltersByOwnerAndLine) {
  Book book;
  book.line_j();
  book.line_d();
  auto request = by_source_on(20171231);
  request.set_owner_org_id("jia");
  auto response = book.ask<BySourceResponse>(request);
  ASSERT_EQ(response.rows_size(), 1);
  EXPECT_EQ(response.rows(0).fund_line_id(), id(1));
  EXPECT_EQ(response.total().figures().paid_fen(), 16'890'000);
  request = by_source_on(20171231);
  request.set_fund_line_id(id(2));
  response = book.ask<BySourceResponse>(request);
  ASSERT_EQ(response.rows_size(), 1);
  EXPECT_EQ(response.rows(0).figures().paid_fen(), 5'660'000);
  request.set_fund_line_id(id(99));
  EXPECT_EQ(book.ask_error(request).reason, "FUND_LINE_NOT_FOUND");
}

TEST(BySource, KnowsNoLineBeforeItsFirstDay) {
  Book book;
  book.line_j();
  EXPECT_EQ(book.ask<BySourceResponse>(by_source_on(20161231)).rows_size(), 0);
  const auto opening = book.ask<BySourceResponse>(by_source_on(20170101));
  ASSERT_EQ(opening.rows_size(), 1);
  EXPECT_EQ(opening.rows(0).figures().arrived_fen(), 0);
}

TEST(BySource, RaisesBudgetedByIssuedBudgetsOnly) {
  Book book;
  book.commit(20170101, opened(1, funds::v1::SOURCE_KIND_CENTRAL));
  book.commit(20170102, budget(1, funds::v1::BUDGET_NATURE_ISSUED, 700));
  book.commit(20170103, budget(1, funds::v1::BUDGET_NATURE_PLAN, 1'000));
  const auto response = book.ask<BySourceResponse>(by_source_on(20171231));
  EXPECT_EQ(response.rows(0).figures().budgeted_fen(), 700);
  EXPECT_EQ(response.rows(0).figures().planned_fen(), 1'000);
  EXPECT_EQ(response.rows(0).version(), 3);
  ASSERT_EQ(response.rows(0).event_ids_size(), 3);
  EXPECT_EQ(response.rows(0).event_ids(0), "990101/3");
  const auto before = book.ask<BySourceResponse>(by_source_on(20170102));
  EXPECT_EQ(before.rows(0).figures().planned_fen(), 0);
  EXPECT_EQ(before.rows(0).version(), 3);
  ASSERT_EQ(before.rows(0).event_ids_size(), 2);
  EXPECT_EQ(before.rows(0).event_ids(0), "990101/2");
}

TEST(BySource, PagesWithTotalsOnTheFirst) {
  Book book;
  for (int line = 1; line <= 5; ++line) {
    book.commit(20170101, opened(line, funds::v1::SOURCE_KIND_WON), arrived(line, 100));
  }
  auto request = by_source_on(20171231);
  request.mutable_page()->set_page_size(2);
  std::vector<std::string> seen;
  int pages = 0;
  do {
    const auto response = book.ask<BySourceResponse>(request);
    EXPECT_EQ(response.has_total(), pages == 0);
    if (pages == 0) {
      EXPECT_EQ(response.total().figures().arrived_fen(), 500);
      // Behind the moment of the first page: on none of the others.
      book.commit(20170101, opened(6, funds::v1::SOURCE_KIND_WON), arrived(6, 100));
    }
    for (const auto& row : response.rows()) seen.push_back(row.fund_line_id());
    request.mutable_page()->set_page_token(response.next_page_token());
    ++pages;
  } while (!request.page().page_token().empty());
  EXPECT_EQ(seen, (std::vector<std::string>{id(1), id(2), id(3), id(4), id(5)}));
  EXPECT_EQ(pages, 3);
}

TEST(BySource, RefusesASumThatDoesNotFit) {
  Book book;
  const int64_t most = INT64_MAX;
  book.commit(20170101, opened(1, funds::v1::SOURCE_KIND_WON), arrived(1, most));
  book.commit(20170101, opened(2, funds::v1::SOURCE_KIND_WON), arrived(2, 1));
  EXPECT_EQ(book.ask_error(by_source_on(20171231)).reason, "SUM_OUT_OF_RANGE");
}

TEST(BySource, AnswersAsOfARecordedTime) {
  Book book;
  book.line_j();
  const int64_t then = book.last_recorded_time_us();
  book.spend(1, 20170801, 1, kJia);
  auto request = by_source_on(20171231);
  request.mutable_read()->mutable_recorded_time()->set_seconds(then / 1'000'000);
  const auto response = book.ask<BySourceResponse>(request);
  EXPECT_EQ(response.total().figures().paid_fen(), 16'890'000);
  EXPECT_TRUE(response.freshness().final());
  request.clear_read();
  EXPECT_EQ(book.ask<BySourceResponse>(request).total().figures().paid_fen(), 16'890'001);
}

ByVillageRequest by_village_on(int32_t day) {
  ByVillageRequest request;
  *request.mutable_read()->mutable_effective_date() = date_of(day);
  return request;
}

TEST(ByVillage, SumsTheSampleBookByItsVillages) {
  Book book;
  book.line_j();
  book.line_d();
  book.commit(20170101, opened(3, funds::v1::SOURCE_KIND_WON));
  book.spend(3, 20170501, 77, "");
  const auto response = book.ask<ByVillageResponse>(by_village_on(20171231));
  ASSERT_EQ(response.village_totals_size(), 2);
  EXPECT_EQ(response.village_totals(0).village(), kJia);
  EXPECT_EQ(response.village_totals(0).committed_fen(), 16'890'000);
  EXPECT_EQ(response.village_totals(0).paid_fen(), 16'890'000);
  EXPECT_EQ(response.village_totals(1).village(), kDiaoqu);
  EXPECT_EQ(response.village_totals(1).paid_fen(), 5'660'000);
  EXPECT_EQ(response.total().paid_fen(), 22'550'000);
  EXPECT_EQ(response.none_village().paid_fen(), 77);
  ASSERT_EQ(response.rows_size(), 3);
  EXPECT_EQ(response.rows(0).village(), "");
  EXPECT_EQ(response.rows(1).fund_line_id(), id(1));
  EXPECT_EQ(response.rows(1).owner_org_id(), "jia");
  EXPECT_EQ(response.rows(1).event_ids_size(), 4);
}

TEST(ByVillage, FiltersByVillageAndOwner) {
  Book book;
  book.line_j();
  book.line_d();
  auto request = by_village_on(20171231);
  request.set_village(kDiaoqu);
  auto response = book.ask<ByVillageResponse>(request);
  EXPECT_EQ(response.total().paid_fen(), 5'660'000);
  EXPECT_FALSE(response.has_none_village());
  request.set_owner_org_id("jia");
  EXPECT_EQ(book.ask<ByVillageResponse>(request).rows_size(), 0);
  request.clear_village();
  response = book.ask<ByVillageResponse>(request);
  ASSERT_EQ(response.rows_size(), 1);
  EXPECT_EQ(response.rows(0).village(), kJia);
}

TEST(ByVillage, CountsWhatIsDatedByTheDay) {
  Book book;
  book.line_j();
  auto response = book.ask<ByVillageResponse>(by_village_on(20170319));
  EXPECT_EQ(response.rows_size(), 0);
  EXPECT_EQ(response.total().paid_fen(), 0);
  response = book.ask<ByVillageResponse>(by_village_on(20170320));
  EXPECT_EQ(response.total().paid_fen(), 1'890'000);
}

TEST(ByVillage, Pages) {
  Book book;
  book.line_j();
  book.line_d();
  auto request = by_village_on(20171231);
  request.mutable_page()->set_page_size(1);
  const auto first = book.ask<ByVillageResponse>(request);
  ASSERT_EQ(first.rows_size(), 1);
  EXPECT_EQ(first.rows(0).village(), kJia);
  EXPECT_EQ(first.village_totals_size(), 2);
  request.mutable_page()->set_page_token(first.next_page_token());
  const auto second = book.ask<ByVillageResponse>(request);
  ASSERT_EQ(second.rows_size(), 1);
  EXPECT_EQ(second.rows(0).village(), kDiaoqu);
  EXPECT_EQ(second.village_totals_size(), 0);
  EXPECT_EQ(second.next_page_token(), "");
}

}  // namespace
}  // namespace taizhang
