// Why something stood in the asset register on a day.
#include <gtest/gtest.h>

#include <string>

#include "projections/asset_register/test_book.h"
#include "projections/common/test_explain.h"

namespace taizhang {
namespace {

using testing::Book;
using testing::exact;
using testing::id;
using testing::kDiaoqu;

// What asset 1 had there on that day.
std::string told(Book& book, int32_t day, const std::string& field) {
  const auto request = testing::why("asset_register", "asset", {kDiaoqu, id(1)}, field);
  return testing::told(book.ask<views::v1::ExplainResponse>(testing::on(day, request)));
}

TEST(ExplainAsset, OnADay) {
  Book book;
  book.form(1, 20170610, exact(300));  // 1
  book.check(1, 101, 20170615);        // 2
  book.title(1, 20170620);             // 3
  book.offer(200, 20170625, {1});      // 4
  book.accept(200, 20170630, 1);       // 5, 6
  book.check(1, 102, 20170612);        // 7
  EXPECT_EQ(told(book, 20170611, "checks.check_id"), " by");
  EXPECT_EQ(told(book, 20170614, "checks.check_id"), id(102) + " by 7");
  EXPECT_EQ(told(book, 20170615, "checks.check_id"), id(102) + "; " + id(101) + " by 2 7");
  EXPECT_EQ(told(book, 20170619, "title.owner.id"), " by");
  EXPECT_EQ(told(book, 20170620, "title.owner.id"), std::string(kDiaoqu) + " by 3");
  EXPECT_EQ(told(book, 20170625, "offers.offer_id"), id(200) + " by 4");
  // Of an offer the answer has a day of its own.
  EXPECT_EQ(told(book, 20170629, "offers.answer"), " by");
  EXPECT_EQ(told(book, 20170630, "offers.answer"), "OFFER_DECISION_ACCEPT by 5");
  EXPECT_EQ(told(book, 20170629, "managers.manager.subject.id"), " by");
  EXPECT_EQ(told(book, 20170630, "managers.manager.subject.id"), id(701) + " by 6");
}

}  // namespace
}  // namespace taizhang
