// What holds of all money, whatever happens to it.
#include <map>
#include <random>
#include <string>
#include <vector>

#include "taizhang/funds/v1/errors.pb.h"
#include "taizhang/funds/v1/events.pb.h"
#include "taizhang/funds/v1/service.pb.h"
#include "tests/support/funds_commands.h"
#include "tests/support/inputs_in_events.h"

namespace taizhang::test {
namespace {

using funds::state::v1::BalanceByUnitVillage;
using funds::state::v1::FundLine;
using namespace funds::v1;

TEST(Funds, EventsCarryEveryInput) {
  EXPECT_EQ(inputs_missing_in_events(
                *OpenFundLineRequest::descriptor()->file()->pool()->FindServiceByName(
                    "taizhang.funds.v1.FundsService")),
            std::vector<std::string>());
}

TEST(Funds, EveryRefusalHasACodeAndATextForClerks) {
  const auto& refusals = *google::protobuf::GetEnumDescriptor<FundsRefusal>();
  for (int i = 1; i < refusals.value_count(); ++i) {
    EXPECT_NE(refusals.value(i)->options().GetExtension(code),
              common::v1::REFUSAL_CODE_UNSPECIFIED);
    EXPECT_NE(refusals.value(i)->options().GetExtension(zh), "") << refusals.value(i)->name();
  }
}

// What a bookkeeper with pencil and paper would hold.
struct Pencil {
  int64_t budgeted = 0;
  int64_t arrived = 0;
  int64_t paid = 0;
  bool issued = false;
};

class History {
 public:
  explicit History(uint32_t seed) : random_(seed) {
    for (const auto* line : kLines) book_.given(open_line(line));
  }

  void step() {
    const std::string line = kLines[pick(0, 2)];
    const std::string name = std::to_string(++commands_);
    const int64_t fen = pick(1, 100);
    auto& pencil = pencils_[line];
    switch (pick(0, 9)) {
      case 0: {
        const bool plan = pick(0, 1) == 0;
        book_.when(
            record_budget(name, line, fen * 3, plan ? BUDGET_NATURE_PLAN : BUDGET_NATURE_ISSUED));
        if (happened() && !plan) {
          pencil.budgeted += fen * 3;
          pencil.issued = true;
        }
        break;
      }
      case 1:
      case 2:
      case 3:
        book_.when(record_arrival(name, line, fen, day()));
        if (happened()) pencil.arrived += fen;
        break;
      default: {
        const std::string region(
            std::vector<std::string_view>{kVillageJ, kVillageD, kTown}[pick(0, 2)]);
        book_.when(with(spend(name, line, fen, day()), [&](auto& c) { c.set_region(region); }));
        if (happened()) {
          pencil.paid += fen;
          paid_by_village_[region == kTown ? "" : region] += fen;
        }
      }
    }
  }

  void expect_sound() {
    int64_t paid_of_lines = 0;
    for (const auto* name : kLines) {
      const auto& line = book_.row<FundLine>(id(name));
      const auto& pencil = pencils_[name];
      EXPECT_EQ(line.budgeted_fen(), pencil.budgeted);
      EXPECT_EQ(line.arrived_fen(), pencil.arrived);
      EXPECT_EQ(line.paid_fen(), pencil.paid);
      EXPECT_LE(0, line.paid_fen());
      EXPECT_LE(line.paid_fen(), line.committed_fen());
      EXPECT_LE(line.committed_fen(), line.allocated_fen());
      EXPECT_LE(line.allocated_fen(), std::max(line.budgeted_fen(), line.arrived_fen()));
      EXPECT_LE(line.paid_fen(), line.arrived_fen());
      if (pencil.issued) {
        EXPECT_LE(line.arrived_fen(), line.budgeted_fen());
      }
      paid_of_lines += line.paid_fen();
    }
    int64_t paid_of_villages = 0;
    for (const std::string& village :
         {std::string(kVillageJ), std::string(kVillageD), std::string()}) {
      const auto& unit = book_.row<BalanceByUnitVillage>(id("unit"), village);
      EXPECT_EQ(unit.paid_fen(), paid_by_village_[village]);
      EXPECT_EQ(unit.allocated_fen(), unit.paid_fen());
      paid_of_villages += unit.paid_fen();
    }
    EXPECT_EQ(paid_of_villages, paid_of_lines);
  }

  // The last event of the command says what the line holds now.
  void expect_frozen_balances(const Balances& frozen, const std::string& line_id) {
    const auto& line = book_.row<FundLine>(line_id);
    EXPECT_EQ(frozen.budgeted_fen(), line.budgeted_fen());
    EXPECT_EQ(frozen.arrived_fen(), line.arrived_fen());
    EXPECT_EQ(frozen.allocated_fen(), line.allocated_fen());
    EXPECT_EQ(frozen.committed_fen(), line.committed_fen());
    EXPECT_EQ(frozen.paid_fen(), line.paid_fen());
    EXPECT_EQ(frozen.cash_fen(), line.arrived_fen() - line.paid_fen());
  }

  int accepted() const { return accepted_; }
  int commands() const { return commands_; }

 private:
  static constexpr const char* kLines[] = {"A", "B", "C"};

  size_t pick(size_t least, size_t most) {
    return std::uniform_int_distribution<size_t>(least, most)(random_);
  }
  int32_t day() { return add_days(kEffectiveDay, static_cast<int32_t>(pick(0, 360))); }

  bool happened() {
    const int events = book_.event_count();
    if (events == 0) return false;
    ++accepted_;
    if (events == 3) {
      const auto& paid = book_.event<FundsDisbursed>();
      expect_frozen_balances(paid.balances(), paid.fund_line_id());
    }
    return true;
  }

  std::mt19937 random_;
  Scenario book_ = money_book();
  std::map<std::string, Pencil> pencils_;
  std::map<std::string, int64_t> paid_by_village_;
  int commands_ = 0;
  int accepted_ = 0;
};

TEST(Funds, StaySoundOverRandomHistories) {
  for (uint32_t seed = 1; seed <= 30; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    History history(seed);
    while (history.commands() < 200) {
      history.step();
      history.expect_sound();
      if (testing::Test::HasFailure()) return;
    }
    EXPECT_GT(history.accepted(), 20);
    EXPECT_LT(history.accepted(), 180);
  }
}

}  // namespace
}  // namespace taizhang::test
