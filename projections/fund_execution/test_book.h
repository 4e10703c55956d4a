// A book of fund lines, for the tests of the view fund_execution.
#pragma once

#include <cstdio>
#include <initializer_list>
#include <string>

#include "domain/dates.h"
#include "platform/projection/view_fixture.h"
#include "projections/fund_execution/fund_execution.h"
#include "taizhang/fund_execution/v1/service.pb.h"
#include "taizhang/funds/v1/events.pb.h"
#include "taizhang/rules/v1/events.pb.h"

namespace taizhang::testing {

inline constexpr char kJia[] = "990101100201";     // 贾驿村
inline constexpr char kDiaoqu[] = "990101100202";  // 吊渠村

// 00000000-0000-4000-8000-0000000000NN
inline std::string id(int number) {
  char text[37];
  std::snprintf(text, sizeof text, "00000000-0000-4000-8000-%012d", number);
  return text;
}

inline funds::v1::FundLineOpened opened(int line, funds::v1::SourceKind source,
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

inline funds::v1::BudgetRecorded budget(int line, funds::v1::BudgetNature nature, int64_t fen) {
  funds::v1::BudgetRecorded event;
  event.set_fund_line_id(id(line));
  event.set_nature(nature);
  event.set_amount_fen(fen);
  event.mutable_document()->set_document_id(id(900));
  return event;
}

inline funds::v1::FundsArrived arrived(int line, int64_t fen) {
  funds::v1::FundsArrived event;
  event.set_fund_line_id(id(line));
  event.set_amount_fen(fen);
  return event;
}

inline fund_execution::v1::BySourceRequest by_source_on(int32_t day) {
  fund_execution::v1::BySourceRequest request;
  *request.mutable_read()->mutable_effective_date() = date_of(day);
  return request;
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

  fund_execution::v1::ProgressRow progress_of(int line, int32_t day, int64_t seq = 0) {
    fund_execution::v1::ProgressRequest request;
    request.add_fund_line_ids(id(line));
    *request.mutable_read()->mutable_effective_date() = date_of(day);
    if (seq != 0) request.mutable_read()->set_seq(seq);
    auto response = ask<fund_execution::v1::ProgressResponse>(request);
    EXPECT_EQ(response.rows_size(), 1);
    return response.rows_size() == 1 ? response.rows(0) : fund_execution::v1::ProgressRow();
  }
};

}  // namespace taizhang::testing
