// Why a figure of a fund line stands where it does, and which tables the view has.
#include "platform/projection/explain.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "projections/common/test_explain.h"
#include "projections/fund_execution/test_book.h"
#include "taizhang/fund_execution/state/v1/state.pb.h"

namespace taizhang {
namespace {

using testing::arrived;
using testing::Book;
using testing::id;
using testing::kJia;
using testing::on;
using testing::opened;
using views::v1::ExplainRequest;
using views::v1::ExplainResponse;
using views::v1::ListTablesRequest;
using views::v1::ListTablesResponse;

ExplainRequest why(const std::string& table, const std::vector<std::string>& key,
                   const std::string& field) {
  return testing::why("fund_execution", table, key, field);
}

// "3:+16890000 6:-15000000 "
std::string amounts(const ExplainResponse& answer) {
  std::string text;
  for (const auto& one : answer.contributions()) {
    text += std::to_string(one.change().seq()) + ":" + (one.amount() > 0 ? "+" : "") +
            std::to_string(one.amount()) + " ";
  }
  return text;
}

int64_t sum(const ExplainResponse& answer) {
  int64_t total = answer.opening();
  for (const auto& one : answer.contributions()) total += one.amount();
  return total;
}

TEST(Explain, TheAddendsOfABalanceAddUp) {
  Book book;
  book.because("sources of line J").from_document(id(700));
  book.line_j();
  const auto answer = book.ask<ExplainResponse>(why("line_months", {id(1)}, "balance_fen"));
  EXPECT_EQ(amounts(answer), "3:+16890000 6:-15000000 9:-1890000 ");
  EXPECT_EQ(answer.total(), 0);
  EXPECT_EQ(sum(answer), 0);
  EXPECT_EQ(answer.unit(), "fen");
  EXPECT_EQ(answer.formula(), "months.sums.arrived_fen - months.sums.paid_fen");
  EXPECT_EQ(answer.rows(), 1);
  EXPECT_EQ(answer.freshness().seq(), 9);
  const auto& first = answer.contributions(0);
  EXPECT_EQ(first.change().event_id(), "990101/3");
  EXPECT_EQ(first.change().event_type(), "funds.v1.FundsArrived");
  EXPECT_EQ(first.change().actor().subject(), "maker-1");
  EXPECT_EQ(first.change().reason(), "sources of line J");
  ASSERT_EQ(first.document_ids_size(), 1);
  EXPECT_EQ(first.document_ids(0), id(700));
  EXPECT_EQ(first.before(), "0");
  EXPECT_EQ(first.after(), "16890000");
  EXPECT_EQ(first.row().parts(0), id(1));
}

TEST(Explain, IsOfTheMomentAsked) {
  Book book;
  const int64_t first_payment = book.line_j();
  auto request = why("line_months", {id(1)}, "balance_fen");
  request.mutable_read()->set_seq(first_payment);
  auto answer = book.ask<ExplainResponse>(request);
  EXPECT_EQ(amounts(answer), "3:+16890000 6:-15000000 ");
  EXPECT_EQ(answer.total(), 1'890'000);
  request.mutable_read()->set_seq(2);
  answer = book.ask<ExplainResponse>(request);
  EXPECT_EQ(amounts(answer), "");
  EXPECT_EQ(answer.total(), 0);
  EXPECT_EQ(answer.rows(), 1);
}

// Of line 1: what the view answers of that day, and the events that made it.
void expect_balances(Book& book, const ExplainRequest& request,
                     const std::vector<std::pair<int32_t, std::string>>& days) {
  for (const auto& [day, expected] : days) {
    const auto answer = book.ask<ExplainResponse>(on(day, request));
    EXPECT_EQ(amounts(answer), expected) << day;
    EXPECT_EQ(answer.total(), book.progress_of(1, day).balance_fen()) << day;
    EXPECT_EQ(sum(answer), answer.total()) << day;
  }
}

TEST(Explain, OfAnEffectiveDateOnlyFactsUntilThen) {
  Book book;
  book.line_j();
  const auto by_day = why("line_days", {id(1)}, "days.sums.arrived_fen - days.sums.paid_fen");
  expect_balances(book, by_day,
                  {{20170109, ""},
                   {20170110, "3:+16890000 "},
                   {20170319, "3:+16890000 "},
                   {20170320, "3:+16890000 9:-1890000 "},
                   {20170730, "3:+16890000 9:-1890000 "},
                   {20170731, "3:+16890000 6:-15000000 9:-1890000 "}});
  const auto by_month = why("line_months", {id(1)}, "balance_fen");
  EXPECT_EQ(amounts(book.ask<ExplainResponse>(on(20170630, by_month))), "3:+16890000 9:-1890000 ");
  // The list itself.
  const auto months_on = [&](int32_t day) {
    const auto answer = book.ask<ExplainResponse>(on(day, why("line_months", {id(1)}, "months")));
    std::string text;
    for (const char* at : {"201701", "201703", "201707"}) {
      if (answer.text().find(at) != std::string::npos) text += std::string(at) + " ";
    }
    return text;
  };
  EXPECT_EQ(months_on(20161231), "");
  EXPECT_EQ(months_on(20170228), "201701 ");
  EXPECT_EQ(months_on(20170630), "201701 201703 ");
  EXPECT_EQ(months_on(20170731), "201701 201703 201707 ");
}

// The rows hold the month as a whole; the events say which part of it is until the day.
TEST(Explain, InsideAMonthTheEventsUntilThatDayAreTheAddends) {
  Book book;
  book.line_j();                               // events 1 to 9
  book.commit(20170705, arrived(1, 700'000));  // 10
  book.commit(20170731, arrived(1, 50'000));   // 11
  book.commit(20170702, arrived(1, 3'000));    // 12
  book.commit(20170801, arrived(1, 1));        // 13
  auto request = why("line_months", {id(1)}, "balance_fen");
  expect_balances(
      book, request,
      {{20170109, ""},
       {20170120, "3:+16890000 "},
       {20170701, "3:+16890000 9:-1890000 "},
       {20170702, "3:+16890000 9:-1890000 12:+3000 "},
       {20170730, "3:+16890000 9:-1890000 10:+700000 12:+3000 "},
       {20170731, "3:+16890000 6:-15000000 9:-1890000 10:+700000 11:+50000 12:+3000 "}});
  auto answer = book.ask<ExplainResponse>(on(20170730, request));
  EXPECT_EQ(answer.contributions(2).before(), "15000000");
  EXPECT_EQ(answer.contributions(2).after(), "15700000");
  // What is not told one by one.
  request.set_after_seq(9);
  answer = book.ask<ExplainResponse>(on(20170730, request));
  EXPECT_EQ(answer.opening(), 15'000'000);
  EXPECT_EQ(amounts(answer), "10:+700000 12:+3000 ");
  request.clear_after_seq();
  request.set_contributions_max(1);
  answer = book.ask<ExplainResponse>(on(20170730, request));
  EXPECT_EQ(answer.opening(), 15'700'000);
  EXPECT_EQ(amounts(answer), "12:+3000 ");
  EXPECT_TRUE(answer.truncated());
  // Over all rows of a table.
  answer = book.ask<ExplainResponse>(on(20170730, why("village_months", {}, "paid_fen")));
  EXPECT_EQ(amounts(answer), "9:+1890000 ");
  EXPECT_EQ(answer.total(), 1'890'000);
}

TEST(Explain, InsideAMonthTheEventsAreNeeded) {
  Book book;
  book.line_j();
  book.forget_events();
  const auto balance = why("line_months", {id(1)}, "balance_fen");
  const auto error = book.ask_error(on(20170730, balance));
  EXPECT_EQ(error.code, kUnavailable);
  EXPECT_EQ(error.reason, "EVENT_NOT_KNOWN");
  EXPECT_EQ(error.message.find("event 990101/6 "), 0U) << error.message;
  EXPECT_EQ(amounts(book.ask<ExplainResponse>(on(20170731, balance))),
            "3:+16890000 6:-15000000 9:-1890000 ");
}

TEST(Explain, ReadsSoManyRowVersionsAtMostWhereEachOfThemCounts) {
  Book book;
  book.commit(20170101, opened(1, funds::v1::SOURCE_KIND_WON));
  constexpr int64_t kArrivals = projection::kExplainVersionsMax + 1;
  const auto fen = arrived(1, 1);
  book.commit_all(20170110, std::vector<const google::protobuf::Message*>(kArrivals, &fen));
  const auto refusal = [&](const ExplainRequest& request) {
    const auto error = book.ask_error(request);
    return error.violations.empty()
               ? error.message
               : error.violations[0].field + ": " + error.violations[0].description;
  };
  auto of_line = why("line_months", {id(1)}, "arrived_fen");
  of_line.set_contributions_max(1);
  EXPECT_EQ(refusal(on(20170120, of_line)),
            "read.effective_date: more than 100000 row versions: name the last day of a month");
  EXPECT_EQ(book.ask<ExplainResponse>(on(20170131, of_line)).total(), kArrivals);
  auto of_days = why("line_days", {id(1), "201701"}, "days.sums.arrived_fen");
  of_days.set_contributions_max(1);
  EXPECT_EQ(book.ask<ExplainResponse>(on(20170120, of_days)).total(), kArrivals);
  EXPECT_EQ(refusal(why("line_months", {}, "arrived_fen")),
            "key: more than 100000 row versions begin so: name more of the key fields");
}

TEST(Explain, RowsCountFromTheDayTheySay) {
  Book book;
  book.line_j();
  book.commit(20170501, opened(2, funds::v1::SOURCE_KIND_WON));
  const auto lines = why("line", {}, "count");
  EXPECT_EQ(amounts(book.ask<ExplainResponse>(on(20161231, lines))), "");
  EXPECT_EQ(amounts(book.ask<ExplainResponse>(on(20170430, lines))), "1:+1 ");
  EXPECT_EQ(amounts(book.ask<ExplainResponse>(on(20170501, lines))), "1:+1 10:+1 ");
}

// An arrival counted into January, whenever it is effective.
void fold_into_january(Ledger& rows, const EventMeta&, const funds::v1::FundsArrived& event) {
  auto& months =
      *rows.edit<fund_execution::state::v1::LineMonths>(event.fund_line_id()).mutable_months();
  auto& month = months.empty() ? *months.Add() : months[0];
  month.set_at(201701);
  month.mutable_sums()->set_arrived_fen(month.sums().arrived_fen() + event.amount_fen());
}

TEST(Explain, AnEffectiveDateThatTheRowsCannotTellIsRefused) {
  Book book;
  book.line_j();
  const auto refusal = [](ViewFixture& of, const ExplainRequest& request) {
    const auto error = of.ask_error(request);
    EXPECT_EQ(error.code, kInvalidArgument);
    EXPECT_EQ(error.violations.size(), 1U);
    if (error.violations.empty()) return std::string();
    EXPECT_EQ(error.violations[0].field, "read.effective_date");
    return error.violations[0].description;
  };
  EXPECT_EQ(refusal(book, on(20170731, why("line", {id(1)}, "year"))),
            "table line, year: these rows do not say of which days it is");
  EXPECT_EQ(refusal(book, on(20170731, why("line_months", {id(1)}, "event_day"))),
            "table line_months, event_day: these rows do not say of which days it is");
  EXPECT_EQ(refusal(book, on(20170731, why("village_months", {}, "months.sums.paid_fen + count"))),
            "table village_months, count: these rows do not say of which days it is");
  EXPECT_EQ(refusal(book, on(20170730, why("line_months", {id(1)}, "months"))),
            "months: rows of table line_months hold whole months: name the last day of one, a "
            "number inside them, or a table by days");
  ViewFixture strange(View("fund_execution", 2).on(fold_into_january));
  strange.commit(20170110, arrived(1, 5));
  strange.commit(20170210, arrived(1, 7));
  const auto arrivals = why("line_months", {id(1)}, "months.sums.arrived_fen");
  EXPECT_EQ(strange.ask<ExplainResponse>(on(20170131, arrivals)).total(), 12);
  EXPECT_EQ(refusal(strange, on(20170130, arrivals)),
            "months.sums.arrived_fen: event 990101/2 changed what stands in that month and is "
            "effective in another: name the last day of a month, or a table by days");
}

TEST(Explain, AKeyThatEndsEarlyMeansTheSumOfItsRows) {
  Book book;
  book.line_j();
  book.line_d();
  // One village has one line here; the whole table has both.
  auto answer = book.ask<ExplainResponse>(why("village_months", {kJia}, "paid_fen"));
  EXPECT_EQ(answer.total(), 16'890'000);
  EXPECT_EQ(amounts(answer), "6:+15000000 9:+1890000 ");
  answer = book.ask<ExplainResponse>(why("village_months", {}, "paid_fen"));
  EXPECT_EQ(answer.total(), 16'890'000 + 5'660'000);
  EXPECT_EQ(answer.contributions_size(), 9);
  EXPECT_EQ(answer.rows(), 2);
  EXPECT_EQ(sum(answer), answer.total());
  answer = book.ask<ExplainResponse>(why("line", {}, "count"));
  EXPECT_EQ(amounts(answer), "1:+1 10:+1 ");
  EXPECT_EQ(answer.total(), 2);
  EXPECT_EQ(answer.unit(), "");
}

TEST(Explain, WhatIsNotToldOneByOneStandsInTheOpening) {
  Book book;
  book.line_j();
  auto request = why("line_months", {id(1)}, "balance_fen");
  request.set_after_seq(3);
  auto answer = book.ask<ExplainResponse>(request);
  EXPECT_EQ(answer.opening(), 16'890'000);
  EXPECT_EQ(amounts(answer), "6:-15000000 9:-1890000 ");
  EXPECT_FALSE(answer.truncated());
  request.clear_after_seq();
  request.set_contributions_max(1);
  answer = book.ask<ExplainResponse>(request);
  EXPECT_EQ(answer.opening(), 1'890'000);
  EXPECT_EQ(amounts(answer), "9:-1890000 ");
  EXPECT_TRUE(answer.truncated());
  EXPECT_EQ(sum(answer), answer.total());
  // The same over all rows of the table.
  request.clear_key();
  answer = book.ask<ExplainResponse>(request);
  EXPECT_EQ(answer.opening(), 1'890'000);
  EXPECT_EQ(amounts(answer), "9:-1890000 ");
  EXPECT_TRUE(answer.truncated());
  request.set_contributions_max(0);
  request.set_after_seq(6);
  answer = book.ask<ExplainResponse>(request);
  EXPECT_EQ(answer.opening(), 1'890'000);
  EXPECT_FALSE(answer.truncated());
}

TEST(Explain, AValueThatIsNoNumberIsToldBeforeAndAfter) {
  Book book;
  book.commit(20170101, opened(1, funds::v1::SOURCE_KIND_WON));
  const auto answer = book.ask<ExplainResponse>(why("line", {id(1)}, "source_kind"));
  EXPECT_FALSE(answer.is_number());
  EXPECT_EQ(answer.text(), "SOURCE_KIND_WON");
  ASSERT_EQ(answer.contributions_size(), 1);
  EXPECT_EQ(answer.contributions(0).before(), "");
  EXPECT_EQ(answer.contributions(0).after(), "SOURCE_KIND_WON");
  EXPECT_FALSE(answer.contributions(0).has_amount());
}

TEST(Explain, ARowThatNeverWasHasNoContribution) {
  Book book;
  book.line_j();
  const auto answer = book.ask<ExplainResponse>(why("line_months", {id(77)}, "paid_fen"));
  EXPECT_EQ(answer.contributions_size(), 0);
  EXPECT_EQ(answer.rows(), 0);
  EXPECT_EQ(answer.total(), 0);
}

TEST(Explain, NamesWhatIsWrong) {
  Book book;
  book.line_j();
  const auto violation = [&](const ExplainRequest& request) {
    const auto error = book.ask_error(request);
    EXPECT_EQ(error.code, kInvalidArgument);
    return error.violations.empty()
               ? ""
               : error.violations[0].field + ": " + error.violations[0].description;
  };
  EXPECT_EQ(violation(why("lines", {id(1)}, "paid_fen")),
            "table: the tables of view fund_execution are line, line_by_source, line_days, "
            "line_months, village_days, village_months");
  EXPECT_EQ(violation(why("line", {id(1)}, "colour")),
            "field: rows of this table have no field \"colour\"");
  EXPECT_EQ(violation(why("line", {id(1)}, "year + region")),
            "field: only numbers can be joined by + and -");
  EXPECT_EQ(violation(why("line", {}, "region")),
            "field: it is no number, so it has no sum: name one row by all of its key fields");
  EXPECT_EQ(violation(why("line", {id(1), "2"}, "year")),
            "key: table line has 1 key fields, 2 are named");
  EXPECT_EQ(violation(why("line_days", {id(1), "July"}, "days.sums.paid_fen")),
            "key: \"July\" is no value of key field month");
}

TEST(ListTables, TellsKeysFieldsFiguresAndFirstRows) {
  Book book;
  book.line_j();
  ListTablesRequest request;
  request.set_view("fund_execution");
  const auto answer = book.ask<ListTablesResponse>(request);
  ASSERT_EQ(answer.tables_size(), 6);
  const auto& lines = answer.tables(1);
  EXPECT_EQ(lines.name(), "line_by_source");
  ASSERT_EQ(lines.key_fields_size(), 3);
  EXPECT_EQ(lines.key_fields(0), "source_kind");
  ASSERT_EQ(lines.first_rows_size(), 1);
  EXPECT_EQ(lines.first_rows(0).parts(0), "SELF_RAISED");
  EXPECT_EQ(lines.first_rows(0).parts(1), "");
  const auto& months = answer.tables(3);
  EXPECT_EQ(months.name(), "line_months");
  std::string numbers;
  std::string figures;
  for (const auto& field : months.fields()) {
    if (field.is_number() && field.formula().empty()) numbers += field.name() + " ";
    if (!field.formula().empty()) figures += field.name() + " ";
  }
  EXPECT_EQ(numbers,
            "version event_day months.at months.sums.budgeted_fen months.sums.planned_fen "
            "months.sums.arrived_fen months.sums.allocated_fen months.sums.committed_fen "
            "months.sums.paid_fen count ");
  EXPECT_EQ(figures,
            "budgeted_fen planned_fen arrived_fen allocated_fen committed_fen paid_fen "
            "balance_fen ");
  // What it lists can be asked.
  auto by_source = why("line_by_source", {"SELF_RAISED"}, "count");
  EXPECT_EQ(book.ask<ExplainResponse>(by_source).total(), 1);
}

}  // namespace
}  // namespace taizhang
