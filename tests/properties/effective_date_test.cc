// What was true on a day, as the book stood at a seq: reckoned from the stored events by hand and
// compared with the views. Nothing here asks a view, a query or the domain what a date means.
#include <gtest/gtest.h>

#include <future>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "platform/base/log.h"
#include "platform/base/test_folder.h"
#include "platform/projection/views.h"
#include "projections/duties/duties.h"
#include "projections/fund_execution/fund_execution.h"
#include "taizhang/assistance/v1/events.pb.h"
#include "taizhang/duties/v1/queries.pb.h"
#include "taizhang/fund_execution/v1/service.pb.h"
#include "taizhang/funds/v1/events.pb.h"
#include "tests/properties/book_journal.h"

namespace taizhang::test {
namespace {

constexpr int kCommits = 1'500;
constexpr int kMoments = 200;
constexpr int32_t kAfterAll = 21'991'231;

struct Line {
  int64_t planned_fen = 0, arrived_fen = 0, paid_fen = 0;
};

struct Truth {
  std::map<std::string, std::string> lines;  // by id, as figures_text says it
  std::set<std::string> visits;
  int voided = 0;  // not among the visits only because somebody voided them
  bool operator==(const Truth& other) const {
    return lines == other.lines && visits == other.visits;
  }
};

std::string figures_text(int64_t planned, int64_t arrived, int64_t paid, int64_t balance) {
  return "planned " + std::to_string(planned) + " arrived " + std::to_string(arrived) + " paid " +
         std::to_string(paid) + " balance " + std::to_string(balance);
}

int32_t number_of(const common::v1::Date& date) {
  return date.year() * 10'000 + date.month() * 100 + date.day();
}

template <class Event>
bool read(const MemoryBook::Stored& stored, Event& event) {
  return "taizhang." + stored.type == event.GetDescriptor()->full_name() &&
         event.ParseFromString(stored.bytes);
}

// Money counts from its own date on. Nothing takes it back: an event of funds that is not known
// here may, and is a failure. A visit counts from its date on; once it is voided it never took
// place, from whatever day on the void says so.
Truth reckon(const std::vector<MemoryBook::Commit>& commits, int64_t until_seq, int32_t day) {
  std::map<std::string, Line> lines;
  std::set<std::string> opened, voids;
  Truth truth;
  for (const auto& commit : commits) {
    int64_t seq = commit.first_seq;
    for (const auto& stored : commit.events) {
      if (seq++ > until_seq) break;
      funds::v1::FundLineOpened line;
      funds::v1::BudgetRecorded budget;
      funds::v1::FundsArrived arrival;
      funds::v1::FundsDisbursed payment;
      assistance::v1::VisitRecorded visit;
      assistance::v1::RecordVoided voided;
      if (read(stored, line)) {
        if (stored.effective_day <= day) opened.insert(line.fund_line_id());
      } else if (read(stored, budget)) {
        if (stored.effective_day <= day && budget.nature() == funds::v1::BUDGET_NATURE_PLAN)
          lines[budget.fund_line_id()].planned_fen += budget.amount_fen();
      } else if (read(stored, arrival)) {
        if (number_of(arrival.date()) <= day)
          lines[arrival.fund_line_id()].arrived_fen += arrival.amount_fen();
      } else if (read(stored, payment)) {
        if (number_of(payment.paid_date()) <= day)
          lines[payment.fund_line_id()].paid_fen += payment.amount_fen();
      } else if (read(stored, visit)) {
        if (number_of(visit.date()) <= day) truth.visits.insert(visit.visit_id());
      } else if (read(stored, voided)) {
        voids.insert(voided.record().id());
      } else if (stored.type != "funds.v1.FundsAllocated" &&
                 stored.type != "funds.v1.FundsCommitted") {
        EXPECT_FALSE(stored.type.starts_with("funds.")) << stored.type;
      }
    }
  }
  for (const auto& id : opened) {
    const Line& line = lines[id];
    truth.lines[id] = figures_text(line.planned_fen, line.arrived_fen, line.paid_fen,
                                   line.arrived_fen - line.paid_fen);
  }
  for (const auto& id : voids) truth.voided += static_cast<int>(truth.visits.erase(id));
  return truth;
}

class EffectiveDate : public ::testing::TestWithParam<uint64_t> {
 protected:
  EffectiveDate() : commits_(random_commits(GetParam(), kCommits)) {
    set_log_level(LogLevel::kError);
    for (const auto& commit : commits_) journal_.write(commit);
    log_ = std::make_unique<journal::MemoryLog>(journal_.topic, true);
    ViewsSettings settings;
    settings.directory = folder_.path();
    views_ = std::make_unique<Views>(std::vector<journal::Log*>{log_.get()}, system_clock(),
                                     settings, [](std::string_view) { return std::string(); });
    views_->add(fund_execution_view());
    views_->add(duties_view());
    EXPECT_TRUE(views_->start().ok());
    EXPECT_TRUE(views_->catch_up(60'000'000));
  }

  template <class Response, class Request>
  Response ask(const char* method, Request request, int64_t seq, int32_t day) {
    request.set_ledger(kBookLedger);
    request.mutable_read()->set_seq(seq);
    auto& date = *request.mutable_read()->mutable_effective_date();
    date.set_year(day / 10'000);
    date.set_month(day / 100 % 100);
    date.set_day(day % 100);
    request.mutable_page()->set_page_size(1'000);
    std::promise<Answer> said;
    views_->ask(method, {&RandomBook::caller("both"), system_clock().boot_us() + 60'000'000},
                std::make_shared<Request>(request),
                [&](Answer answer) { said.set_value(std::move(answer)); });
    const Answer answer = said.get_future().get();
    if (const auto* error = std::get_if<Error>(&answer)) {
      ADD_FAILURE() << method << ": " << error->reason << ": " << error->message;
      return {};
    }
    const auto& response = static_cast<const Response&>(*std::get<0>(answer));
    EXPECT_EQ(response.next_page_token(), "") << "more than a page";
    return response;
  }
  Truth told(int64_t seq, int32_t day) {
    Truth truth;
    const auto progress = ask<fund_execution::v1::ProgressResponse>(
        "taizhang.fund_execution.v1.FundExecutionService.Progress",
        fund_execution::v1::ProgressRequest(), seq, day);
    for (const auto& row : progress.rows()) {
      truth.lines[row.fund_line_id()] =
          figures_text(row.plan_fen(), row.arrived_fen(), row.paid_fen(), row.balance_fen());
    }
    const auto visits = ask<duties::v1::VisitsResponse>("taizhang.duties.v1.DutiesService.Visits",
                                                        duties::v1::VisitsRequest(), seq, day);
    for (const auto& row : visits.rows()) truth.visits.insert(row.visit_id());
    return truth;
  }

  const taizhang::testing::TestFolder folder_;
  const std::vector<MemoryBook::Commit> commits_;
  BookJournal journal_;
  std::unique_ptr<journal::MemoryLog> log_;
  std::unique_ptr<Views> views_;
};

TEST_P(EffectiveDate, AnswersAreTheSumOfWhatWasRecordedByThenAndTrueByThatDay) {
  const int64_t last_seq =
      commits_.back().first_seq + static_cast<int64_t>(commits_.back().events.size()) - 1;
  // Days on which something is true for the first time, and the days beside them, are where a
  // wrong bound shows.
  std::vector<int32_t> days;
  for (const auto& commit : commits_) {
    for (const auto& event : commit.events) days.push_back(event.effective_day);
  }
  std::mt19937 random(static_cast<uint32_t>(GetParam()));
  int by_day = 0, by_seq = 0, with_voids = 0;
  for (int i = 0; i < kMoments; ++i) {
    const int64_t seq = 1 + static_cast<int64_t>(random() % static_cast<uint64_t>(last_seq));
    const int32_t day = days[random() % days.size()];
    const Truth right = reckon(commits_, seq, day);
    const Truth said = told(seq, day);
    ASSERT_EQ(said.lines, right.lines) << "seq " << seq << ", day " << day;
    ASSERT_EQ(said.visits, right.visits) << "seq " << seq << ", day " << day;
    by_day += !(right == reckon(commits_, seq, kAfterAll));
    by_seq += !(right == reckon(commits_, last_seq, day));
    with_voids += right.voided > 0;
  }
  // Views that ignored the day, the seq or a void would have failed so often.
  EXPECT_GT(by_day, kMoments / 4);
  EXPECT_GT(by_seq, kMoments / 4);
  EXPECT_GT(with_voids, kMoments / 10);
}

INSTANTIATE_TEST_SUITE_P(Seeds, EffectiveDate, ::testing::Range<uint64_t>(1, 4));

}  // namespace
}  // namespace taizhang::test
