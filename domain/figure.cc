// Sums of figures.
#include "domain/figure.h"

namespace taizhang {
namespace {

using common::v1::Figure;

bool is_known(const Figure& figure) {
  return figure.value_case() != Figure::VALUE_NOT_SET &&
         figure.qualifier() != Figure::QUALIFIER_MASKED &&
         figure.qualifier() != Figure::QUALIFIER_UNKNOWN;
}

int64_t value_of(const Figure& figure) {
  switch (figure.value_case()) {
    case Figure::kFen: return figure.fen();
    case Figure::kQuantity: return figure.quantity().milli();
    default: return figure.count();
  }
}

int strength(Figure::Qualifier qualifier) {
  switch (qualifier) {
    case Figure::QUALIFIER_EXACT: return 0;
    case Figure::QUALIFIER_AT_LEAST:
    case Figure::QUALIFIER_AT_MOST: return 1;
    case Figure::QUALIFIER_ABOUT: return 2;
    default: return 3;
  }
}

Figure::Qualifier weaker(Figure::Qualifier a, Figure::Qualifier b) {
  // Open above and open below: neither end holds.
  if (a != b && strength(a) == 1 && strength(b) == 1) return Figure::QUALIFIER_ABOUT;
  return strength(a) < strength(b) ? b : a;
}

}  // namespace

FigureSum::Outcome FigureSum::add(const Figure& figure) {
  if (any_ && figure.nature() != nature_) return Outcome::kOtherNature;
  if (!is_known(figure)) {
    any_ = true;
    nature_ = figure.nature();
    incomplete_ = true;
    return Outcome::kAdded;
  }
  const bool first = measure_ == Figure::VALUE_NOT_SET;
  if (!first && (figure.value_case() != measure_ || figure.quantity().unit() != unit_))
    return Outcome::kOtherMeasure;
  const int64_t value = value_of(figure);
  const int64_t upper = figure.qualifier() == Figure::QUALIFIER_RANGE ? figure.high() : value;
  int64_t low = 0;
  int64_t high = 0;
  if (__builtin_add_overflow(low_, value, &low) || __builtin_add_overflow(high_, upper, &high)) {
    return Outcome::kOverflow;
  }
  any_ = true;
  nature_ = figure.nature();
  measure_ = figure.value_case();
  unit_ = figure.quantity().unit();
  qualifier_ = first ? figure.qualifier() : weaker(qualifier_, figure.qualifier());
  low_ = low;
  high_ = high;
  return Outcome::kAdded;
}

std::optional<Figure> FigureSum::total() const {
  if (!any_) return std::nullopt;
  Figure figure;
  figure.set_nature(nature_);
  if (measure_ == Figure::VALUE_NOT_SET) {
    figure.set_qualifier(Figure::QUALIFIER_UNKNOWN);
    return figure;
  }
  figure.set_qualifier(qualifier_);
  switch (measure_) {
    case Figure::kFen: figure.set_fen(low_); break;
    case Figure::kQuantity:
      figure.mutable_quantity()->set_milli(low_);
      figure.mutable_quantity()->set_unit(unit_);
      break;
    default: figure.set_count(low_);
  }
  if (qualifier_ == Figure::QUALIFIER_RANGE) figure.set_high(high_);
  return figure;
}

}  // namespace taizhang
