// The view fund_execution: expected figures of the sample book, days, moments, pages, history.
#include "projections/fund_execution/fund_execution.h"

#include <gtest/gtest.h>

#include <initializer_list>
#include <string>
#include <vector>

#include "domain/dates.h"
#include "platform/projection/view_fixture.h"
#include "taizhang/common/v1/change.pb.h"
#include "taizhang/fund_execution/v1/service.pb.h"
#include "taizhang/funds/v1/events.pb.h"
#include "taizhang/rules/v1/events.pb.h"

namespace taizhang {
namespace {

using namespace fund_execution::v1;

constexpr char kJia[] = "990101100201";     // 贾驿村
constexpr char kDiaoqu[] = "990101100202";  // 吊渠村

// 00000000-0000-4000-8000-0000000000NN
std::string id(int number) {
  char text[37];
  std::snprintf(text, sizeof text, "00000000-0000-4000-8000-%012d", number);
  return text;
}

funds::v1::FundLineOpened opened(int line, funds::v1::SourceKind source,
                                 const std::string& sector = "",
                                 const std::string& owner = "owner-1") {
  funds::v1::FundLineOpened event;
  event.set_fund_line_id(id(line));
  event.mutable_name()->set_text("line " + std::to_string(line));
  event.set_source_kind(source);
  event.set_level(common::v1::ADMIN_LEVEL_COUNTY);
  event.set_year(2017);
  event.set_sector(sector);
  event.set_owner_org_id(owner);
  event.set_region("990101");
  return event;
}

funds::v1::BudgetRecorded budget(int line, funds::v1::BudgetNature nature, int64_t fen) {
  funds::v1::BudgetRecorded event;
  event.set_fund_line_id(id(line));
  event.set_nature(nature);
  event.set_amount_fen(fen);
  event.mutable_document()->set_document_id(id(900));
  return event;
}

funds::v1::FundsArrived arrived(int line, int64_t fen) {
  funds::v1::FundsArrived event;
  event.set_fund_line_id(id(line));
  event.set_amount_fen(fen);
  return event;
}

class Book : public ViewFixture {
 public:
  Book() : ViewFixture(fund_execution_view()) {}

  // Seq of the last of its three events.
  int64_t spend(int line, int32_t day, int64_t fen, const std::string& village) {
    funds::v1::FundsAllocated allocated;
    allocated.set_fund_line_id(id(line));
    allocated.set_amount_fen(fen);
    allocated.set_village(village);
    funds::v1::FundsCommitted committed;
    committed.set_fund_line_id(id(line));
    committed.set_amount_fen(fen);
    committed.set_village(village);
    funds::v1::FundsDisbursed disbursed;
    disbursed.set_fund_line_id(id(line));
    disbursed.set_amount_fen(fen);
    disbursed.set_village(village);
    return commit(day, allocated, committed, disbursed);
  }

  // Line J of slice-1 §8. Answers the last seq of the first payment.
  int64_t line_j() {
    commit(20170101, opened(1, funds::v1::SOURCE_KIND_SELF_RAISED, "", "jia"));
    commit(20170101, budget(1, funds::v1::BUDGET_NATURE_PLAN, 20'000'000));
    commit(20170110, arrived(1, 16'890'000));
    const int64_t first = spend(1, 20170731, 15'000'000, kJia);
    spend(1, 20170320, 1'890'000, kJia);
    return first;
  }

  // Line D of slice-1 §8.
  void line_d() {
    commit(20170101, opened(2, funds::v1::SOURCE_KIND_SELF_RAISED, "", "diaoqu"));
    commit(20170110, arrived(2, 5'660'000));
    const std::initializer_list<int64_t> payments{3'400'000, 400'000,   200'000, 90'000,
                                                  270'000,   1'000'000, 300'000};
    for (const int64_t fen : payments) spend(2, 20170601, fen, kDiaoqu);
  }

  void unit_funds() {
    for (const int line : {11, 12}) {
      commit(20170101, opened(line, funds::v1::SOURCE_KIND_SPECIAL_HELP_FUND, "", "unit"));
      commit(20170105, arrived(line, 50'000'000));
    }
  }

  void threshold(int64_t version, int32_t bp, int64_t supersedes = 0) {
    if (version == 1) {
      rules::v1::ParameterDefined defined;
      defined.set_key("progress.basically_complete_bp");
      defined.set_type(rules::v1::PARAMETER_TYPE_BP);
      defined.add_scope_dims("indicator");
      defined.set_resolution(rules::v1::RESOLUTION_MOST_SPECIFIC);
      defined.set_when_missing(rules::v1::WHEN_MISSING_NO_RULE);
      commit(20170101, defined);
    }
    rules::v1::ParameterSet set;
    set.set_key("progress.basically_complete_bp");
    set.mutable_value()->set_bp(bp);
    *set.mutable_valid_from_date() = date_of(20170101);
    set.set_version(version);
    set.set_supersedes_version(supersedes);
    commit(20170101, set);
  }

  ProgressRow progress_of(int line, int32_t day, int64_t seq = 0) {
    ProgressRequest request;
    request.add_fund_line_ids(id(line));
    *request.mutable_read()->mutable_effective_date() = date_of(day);
    if (seq != 0) request.mutable_read()->set_seq(seq);
    auto response = ask<ProgressResponse>(request);
    EXPECT_EQ(response.rows_size(), 1);
    return response.rows_size() == 1 ? response.rows(0) : ProgressRow();
  }
};

BySourceRequest by_source_on(int32_t day) {
  BySourceRequest request;
  *request.mutable_read()->mutable_effective_date() = date_of(day);
  return request;
}

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
