// Which fields differ, and which events a row names.
#include "platform/lists/row_difference.h"

#include <gtest/gtest.h>

#include "taizhang/fund_execution/v1/service.pb.h"

namespace taizhang::lists {
namespace {

using fund_execution::v1::LineRow;
using Paths = std::vector<std::string>;

LineRow line() {
  LineRow row;
  row.set_version(7);
  row.set_fund_line_id("l");
  row.mutable_name()->set_text("name");
  row.add_purposes("ROADS");
  row.mutable_figures()->set_paid_fen(5);
  return row;
}

TEST(ChangedFields, AreNamedByTheirPaths) {
  auto after = line();
  EXPECT_EQ(changed_fields(line(), after), Paths());
  after.set_version(9);
  after.mutable_figures()->set_paid_fen(6);
  after.add_purposes("WATER");
  EXPECT_EQ(changed_fields(line(), after), (Paths{"version", "purposes", "figures.paid_fen"}));
}

TEST(ChangedFields, NameAMessageThatStandsOnOneSideOnly) {
  auto after = line();
  after.clear_name();
  after.mutable_opened_date()->set_year(2017);
  EXPECT_EQ(changed_fields(line(), after), (Paths{"name", "opened_date"}));
}

TEST(ChangedFields, KnowMapsAsEqualInAnyOrder) {
  fund_execution::v1::ProgressRow before;
  auto& use = *before.add_thresholds();
  for (const char* key : {"a", "b", "c", "d", "e"}) (*use.mutable_scope())[key] = key;
  auto after = before;
  EXPECT_EQ(changed_fields(before, after), Paths());
  (*after.mutable_thresholds(0)->mutable_scope())["a"] = "z";
  EXPECT_EQ(changed_fields(before, after), Paths{"thresholds"});
}

TEST(EventsNamed, AreThoseBetweenTheMomentsOfThisLedger) {
  auto row = line();
  for (const char* id : {"990101/9", "990101/7", "990101/5", "990101/3", "990102/6", "990101/x"})
    row.add_event_ids(id);
  const auto named = events_named(row, "990101", 3, 7);
  EXPECT_EQ(named.seqs, (std::set<int64_t>{5, 7}));
  EXPECT_FALSE(named.cut);
}

TEST(EventsNamed, SayWhenTheListWasCut) {
  auto row = line();
  for (int seq = 40; seq > 20; --seq) row.add_event_ids("990101/" + std::to_string(seq));
  EXPECT_TRUE(events_named(row, "990101", 20, 40).cut);
  EXPECT_FALSE(events_named(row, "990101", 21, 40).cut);
}

}  // namespace
}  // namespace taizhang::lists
