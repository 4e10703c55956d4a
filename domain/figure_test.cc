// Tests of sums of figures.
#include "domain/figure.h"

#include <gtest/gtest.h>

#include <limits>

namespace taizhang {
namespace {

using common::v1::Figure;
using Outcome = FigureSum::Outcome;

Figure fen(Figure::Qualifier qualifier, int64_t value) {
  Figure figure;
  figure.set_qualifier(qualifier);
  figure.set_nature(Figure::NATURE_ACTUAL);
  figure.set_fen(value);
  return figure;
}

Figure range(int64_t low, int64_t high) {
  Figure figure = fen(Figure::QUALIFIER_RANGE, low);
  figure.set_high(high);
  return figure;
}

Figure blank(Figure::Qualifier qualifier) {
  Figure figure;
  figure.set_qualifier(qualifier);
  figure.set_nature(Figure::NATURE_ACTUAL);
  return figure;
}

Figure sum_of(std::initializer_list<Figure> figures) {
  FigureSum sum;
  for (const auto& figure : figures) EXPECT_EQ(sum.add(figure), Outcome::kAdded);
  return *sum.total();
}

TEST(FigureSum, OfNothingIsNothing) { EXPECT_FALSE(FigureSum().total()); }

TEST(FigureSum, OfExactFiguresIsExact) {
  const Figure sum =
      sum_of({fen(Figure::QUALIFIER_EXACT, 3'400'000), fen(Figure::QUALIFIER_EXACT, 600'000)});
  EXPECT_EQ(sum.qualifier(), Figure::QUALIFIER_EXACT);
  EXPECT_EQ(sum.nature(), Figure::NATURE_ACTUAL);
  EXPECT_EQ(sum.fen(), 4'000'000);
}

TEST(FigureSum, IsAsWeakAsItsWeakestPart) {
  const auto exact = fen(Figure::QUALIFIER_EXACT, 1);
  const auto at_least = fen(Figure::QUALIFIER_AT_LEAST, 2);
  const auto at_most = fen(Figure::QUALIFIER_AT_MOST, 4);
  const auto about = fen(Figure::QUALIFIER_ABOUT, 8);
  EXPECT_EQ(sum_of({exact, at_least}).qualifier(), Figure::QUALIFIER_AT_LEAST);
  EXPECT_EQ(sum_of({at_most, exact}).qualifier(), Figure::QUALIFIER_AT_MOST);
  EXPECT_EQ(sum_of({at_least, at_least}).qualifier(), Figure::QUALIFIER_AT_LEAST);
  EXPECT_EQ(sum_of({at_least, at_most}).qualifier(), Figure::QUALIFIER_ABOUT);
  EXPECT_EQ(sum_of({at_most, at_least, exact}).qualifier(), Figure::QUALIFIER_ABOUT);
  EXPECT_EQ(sum_of({about, at_least}).qualifier(), Figure::QUALIFIER_ABOUT);
  EXPECT_EQ(sum_of({about, range(1, 2), exact}).qualifier(), Figure::QUALIFIER_RANGE);
}

TEST(FigureSum, AddsBothEndsOfRanges) {
  const Figure sum = sum_of({fen(Figure::QUALIFIER_EXACT, 100), range(10, 20), range(1, 3)});
  EXPECT_EQ(sum.fen(), 111);
  EXPECT_EQ(sum.high(), 123);
}

TEST(FigureSum, KeepsTheKnownPartAndSaysItIsIncomplete) {
  FigureSum sum;
  EXPECT_EQ(sum.add(blank(Figure::QUALIFIER_UNKNOWN)), Outcome::kAdded);
  EXPECT_EQ(sum.total()->qualifier(), Figure::QUALIFIER_UNKNOWN);
  EXPECT_EQ(sum.total()->value_case(), Figure::VALUE_NOT_SET);
  EXPECT_EQ(sum.add(fen(Figure::QUALIFIER_EXACT, 5)), Outcome::kAdded);
  EXPECT_EQ(sum.add(blank(Figure::QUALIFIER_MASKED)), Outcome::kAdded);
  EXPECT_TRUE(sum.incomplete());
  EXPECT_EQ(sum.total()->qualifier(), Figure::QUALIFIER_EXACT);
  EXPECT_EQ(sum.total()->fen(), 5);
}

TEST(FigureSum, NeverAddsOtherNatures) {
  FigureSum sum;
  sum.add(fen(Figure::QUALIFIER_EXACT, 5));
  Figure plan = fen(Figure::QUALIFIER_EXACT, 7);
  plan.set_nature(Figure::NATURE_PLAN);
  EXPECT_EQ(sum.add(plan), Outcome::kOtherNature);
  Figure unknown_plan = blank(Figure::QUALIFIER_UNKNOWN);
  unknown_plan.set_nature(Figure::NATURE_PLAN);
  EXPECT_EQ(sum.add(unknown_plan), Outcome::kOtherNature);
  EXPECT_FALSE(sum.incomplete());
  EXPECT_EQ(sum.total()->fen(), 5);
}

TEST(FigureSum, NeverAddsOtherMeasures) {
  Figure metres = blank(Figure::QUALIFIER_EXACT);
  metres.mutable_quantity()->set_milli(1'000);
  metres.mutable_quantity()->set_unit(common::v1::UNIT_METRE);
  Figure days = metres;
  days.mutable_quantity()->set_unit(common::v1::UNIT_DAY);
  Figure count = blank(Figure::QUALIFIER_EXACT);
  count.set_count(1);
  FigureSum sum;
  EXPECT_EQ(sum.add(metres), Outcome::kAdded);
  EXPECT_EQ(sum.add(metres), Outcome::kAdded);
  EXPECT_EQ(sum.add(days), Outcome::kOtherMeasure);
  EXPECT_EQ(sum.add(count), Outcome::kOtherMeasure);
  EXPECT_EQ(sum.add(fen(Figure::QUALIFIER_EXACT, 1)), Outcome::kOtherMeasure);
  EXPECT_EQ(sum.total()->quantity().milli(), 2'000);
  EXPECT_EQ(sum_of({count, count}).count(), 2);
}

TEST(FigureSum, SaysWhenItWouldOverflow) {
  constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
  FigureSum sum;
  EXPECT_EQ(sum.add(fen(Figure::QUALIFIER_EXACT, kMax)), Outcome::kAdded);
  EXPECT_EQ(sum.add(fen(Figure::QUALIFIER_EXACT, 1)), Outcome::kOverflow);
  EXPECT_EQ(sum.total()->fen(), kMax);
}

}  // namespace
}  // namespace taizhang
