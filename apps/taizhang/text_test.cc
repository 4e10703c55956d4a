// Values and tables as people read them.
#include "apps/taizhang/text.h"

#include <google/protobuf/timestamp.pb.h>
#include <gtest/gtest.h>

#include <limits>

#include "taizhang/common/v1/values.pb.h"
#include "taizhang/funds/v1/values.pb.h"

namespace taizhang::cli {
namespace {

TEST(Yuan, HasTwoDecimalsAndGroups) {
  EXPECT_EQ(yuan(0), "0.00");
  EXPECT_EQ(yuan(5), "0.05");
  EXPECT_EQ(yuan(-1), "-0.01");
  EXPECT_EQ(yuan(100'000), "1,000.00");
  EXPECT_EQ(yuan(16'890'000), "168,900.00");
  EXPECT_EQ(yuan(std::numeric_limits<int64_t>::max()), "92,233,720,368,547,758.07");
  EXPECT_EQ(yuan(std::numeric_limits<int64_t>::min()), "-92,233,720,368,547,758.08");
}

TEST(Date, IsReadAndWritten) {
  common::v1::Date date;
  ASSERT_TRUE(parse_date("2017-07-31", date));
  EXPECT_EQ(text_of(date), "2017-07-31");
  for (const char* wrong :
       {"", "2017-7-31", "2017-13-01", "2017-00-01", "20170731", "2017-07-31x", "2017-07-3x"}) {
    EXPECT_FALSE(parse_date(wrong, date)) << wrong;
  }
  EXPECT_EQ(text_of(common::v1::Date()), "");
}

TEST(Time, IsOfShanghai) {
  google::protobuf::Timestamp time;
  time.set_seconds(1'502'755'200);
  EXPECT_EQ(text_of(time), "2017-08-15 08:00:00");
}

TEST(Quantity, DropsEmptyThousandths) {
  common::v1::Quantity quantity;
  quantity.set_unit(common::v1::UNIT_MU);
  for (const auto& [milli, text] : std::vector<std::pair<int64_t, std::string>>{
           {300'000, "300 MU"}, {300'500, "300.5 MU"}, {-2'001, "-2.001 MU"}, {0, "0 MU"}}) {
    quantity.set_milli(milli);
    EXPECT_EQ(text_of(quantity), text);
  }
}

TEST(Figure, SaysHowItIsKnown) {
  common::v1::Figure figure;
  figure.set_fen(100);
  figure.set_qualifier(common::v1::Figure::QUALIFIER_EXACT);
  EXPECT_EQ(text_of(figure), "1.00");
  figure.set_qualifier(common::v1::Figure::QUALIFIER_AT_LEAST);
  EXPECT_EQ(text_of(figure), "≥ 1.00");
  figure.set_qualifier(common::v1::Figure::QUALIFIER_RANGE);
  figure.set_high(200);
  EXPECT_EQ(text_of(figure), "1.00 – 2.00");
  figure.clear_value();
  figure.set_qualifier(common::v1::Figure::QUALIFIER_UNKNOWN);
  EXPECT_EQ(text_of(figure), "unknown");
}

TEST(Word, IsTheValueWithoutThePrefix) {
  EXPECT_EQ(word(funds::v1::SOURCE_KIND_SELF_RAISED), "SELF_RAISED");
  EXPECT_EQ(word(funds::v1::SOURCE_KIND_UNSPECIFIED), "");
  EXPECT_EQ(word(common::v1::Source::KIND_FORM), "FORM");
}

TEST(Width, CountsChineseTwice) {
  EXPECT_EQ(width_of("abc"), 3u);
  EXPECT_EQ(width_of("贾驿村"), 6u);
  EXPECT_EQ(width_of("××县"), 4u);
  EXPECT_EQ(width_of("，"), 2u);
  EXPECT_EQ(width_of("\xff"), 1u);
  EXPECT_EQ(width_of("\xe8\xb4"), 2u);
}

TEST(Table, LinesUpInChinese) {
  Table table({"name", ">元", "state"});
  table.row({"贾驿村", "1.00", "a"});
  table.row({"ab", "1,000.00", ""});
  EXPECT_EQ(table.text(),
            "name          元  state\n"
            "贾驿村      1.00  a\n"
            "ab      1,000.00\n");
  EXPECT_EQ(Table({"name"}).text(), "(none)\n");
}

TEST(Listing, LeavesEmptyLinesOut) {
  EXPECT_EQ(listing({{"a", "1"}, {"long", ""}, {"村", "2"}}), "a   1\n村  2\n");
}

}  // namespace
}  // namespace taizhang::cli
