// Parameters.
#include "domain/parameter.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "domain/dates.h"
#include "domain/region.h"
#include "taizhang/common/v1/values.pb.h"
#include "taizhang/rules/v1/events.pb.h"

namespace taizhang {
namespace {

using rules::state::v1::Parameter;
using rules::v1::ParameterValue;

// Most specific first.
constexpr std::array<std::string_view, 17> kDimensions = {
    "org",         "rank",      "role",   "level", "enterprise_class", "helper_kind", "kind",
    "class",       "indicator", "moment", "track", "category",         "item",        "scheme",
    "source_kind", "year",      "region"};
constexpr std::string_view kRegion = "region";

bool matches(const Parameter::Setting& setting, const ScopeFacts& facts) {
  return std::all_of(setting.scope().begin(), setting.scope().end(),
                     [&](const Parameter::Scope& scope) {
                       const std::string_view fact = facts.find(scope.dimension());
                       return scope.dimension() == kRegion ? region_within(fact, scope.code())
                                                           : fact == scope.code();
                     });
}

std::string_view scope_code(const Parameter::Setting& setting, std::string_view dimension) {
  for (const auto& scope : setting.scope()) {
    if (scope.dimension() == dimension) return scope.code();
  }
  return {};
}

// > 0: a is more specific. Both match the same fact, so codes of a dimension differ only by a
// region's length.
int compare_specificity(const Parameter::Setting& a, const Parameter::Setting& b) {
  for (const auto dimension : kDimensions) {
    const auto length_a = static_cast<int>(scope_code(a, dimension).size());
    const auto length_b = static_cast<int>(scope_code(b, dimension).size());
    if (length_a != length_b) return length_a - length_b;
  }
  return 0;
}

int64_t comparable(const ParameterValue& value) {
  return value.has_count_per_period() ? count_a_year(value.count_per_period()) : magnitude(value);
}

bool governs_before(rules::v1::Resolution resolution, const Parameter::Setting& a,
                    const Parameter::Setting& b) {
  if (resolution != rules::v1::RESOLUTION_MOST_SPECIFIC) {
    const int64_t value_a = comparable(a.value());
    const int64_t value_b = comparable(b.value());
    if (value_a != value_b) {
      return resolution == rules::v1::RESOLUTION_STRICTEST_HIGH ? value_a > value_b
                                                                : value_a < value_b;
    }
  }
  const int specificity = compare_specificity(a, b);
  if (specificity != 0) return specificity > 0;
  return a.number() > b.number();
}

template <class Strings>
std::string braced(const Strings& strings) {
  std::string text = "{";
  for (const auto& one : strings) {
    if (text.size() > 1) text += ',';
    text += one;
  }
  return text + "}";
}

// "CALENDAR_PERIOD_QUARTER" -> "QUARTER".
std::string short_period(rules::v1::CalendarPeriod period) {
  return rules::v1::CalendarPeriod_Name(period).substr(std::string_view("CALENDAR_PERIOD_").size());
}

std::string rate_text(const rules::v1::Rate& rate) {
  const std::string mode =
      rules::v1::Rate::Mode_Name(rate.mode()).substr(std::string_view("MODE_").size());
  const std::string unit =
      common::v1::Unit_Name(rate.unit()).substr(std::string_view("UNIT_").size());
  return mode + " " + std::to_string(rate.fen()) + " per " + unit;
}

std::string items_text(const rules::v1::AmountItems& items) {
  std::string text;
  for (const auto& item : items.items()) {
    if (!text.empty()) text += " + ";
    text += item.text() + " " + std::to_string(item.fen());
  }
  return text + " per " + short_period(items.period());
}

std::string month_day_text(const rules::v1::MonthDay& month_day) {
  char text[32];
  std::snprintf(text, sizeof text, "%02d-%02d", month_day.month(), month_day.day());
  return text;
}

int64_t sum_of(const rules::v1::AmountItems& items) {
  int64_t sum = 0;
  for (const auto& item : items.items()) sum += item.fen();
  return sum;
}

}  // namespace

int scope_dimension_rank(std::string_view dimension) {
  const auto* found = std::find(kDimensions.begin(), kDimensions.end(), dimension);
  return found == kDimensions.end() ? -1 : static_cast<int>(found - kDimensions.begin());
}

ScopeFacts::ScopeFacts(std::initializer_list<std::pair<std::string_view, std::string_view>> facts) {
  for (const auto& [dimension, code] : facts) set(dimension, code);
}

ScopeFacts& ScopeFacts::set(std::string_view dimension, std::string_view code) {
  facts_.emplace_back(dimension, code);
  return *this;
}

std::string_view ScopeFacts::find(std::string_view dimension) const {
  for (const auto& [known, code] : facts_) {
    if (known == dimension) return code;
  }
  return {};
}

std::vector<Parameter::Scope> ordered_scope(
    const google::protobuf::Map<std::string, std::string>& scope) {
  std::vector<Parameter::Scope> ordered;
  for (const auto& [dimension, code] : scope) {
    auto& one = ordered.emplace_back();
    one.set_dimension(dimension);
    one.set_code(code);
  }
  std::sort(ordered.begin(), ordered.end(), [](const auto& a, const auto& b) {
    return scope_dimension_rank(a.dimension()) < scope_dimension_rank(b.dimension());
  });
  return ordered;
}

void apply_parameter_defined(Parameter& parameter, const rules::v1::ParameterDefined& event) {
  parameter.set_type(event.type());
  parameter.set_unit(event.unit());
  if (event.has_bounds()) *parameter.mutable_bounds() = event.bounds();
  *parameter.mutable_scope_dims() = event.scope_dims();
  parameter.set_resolution(event.resolution());
  parameter.set_when_missing(event.when_missing());
}

void apply_parameter_set(Parameter& parameter, const rules::v1::ParameterSet& event, int64_t seq,
                         int64_t recorded_time_us) {
  const int32_t from_day = day_of(event.valid_from_date());
  for (auto& setting : *parameter.mutable_settings()) {
    if (setting.number() != event.supersedes_version()) continue;
    const int32_t day_before = add_days(from_day, -1);
    if (setting.to_day() == 0 || setting.to_day() > day_before) setting.set_to_day(day_before);
  }
  auto& setting = *parameter.add_settings();
  setting.set_number(event.version());
  for (auto& scope : ordered_scope(event.scope())) *setting.add_scope() = std::move(scope);
  *setting.mutable_value() = event.value();
  setting.set_from_day(from_day);
  setting.set_to_day(event.has_valid_to_date() ? day_of(event.valid_to_date()) : 0);
  setting.set_seq(seq);
  setting.set_recorded_time_us(recorded_time_us);
}

std::vector<const Parameter::Setting*> matching_settings(const Parameter& parameter,
                                                         const ScopeFacts& facts, int32_t day) {
  std::vector<const Parameter::Setting*> found;
  for (const auto& setting : parameter.settings()) {
    const int32_t to_day = setting.to_day() == 0 ? kOpenDay : setting.to_day();
    if (setting.from_day() <= day && day <= to_day && matches(setting, facts))
      found.push_back(&setting);
  }
  std::sort(found.begin(), found.end(), [&](const auto* a, const auto* b) {
    return governs_before(parameter.resolution(), *a, *b);
  });
  return found;
}

bool is_ordered(rules::v1::ParameterType type) {
  return type == rules::v1::PARAMETER_TYPE_DAYS || type == rules::v1::PARAMETER_TYPE_FEN ||
         type == rules::v1::PARAMETER_TYPE_BP || type == rules::v1::PARAMETER_TYPE_COUNT_PER_PERIOD;
}

rules::v1::ParameterType type_of(const ParameterValue& value) {
  switch (value.value_case()) {
    case ParameterValue::kFlag: return rules::v1::PARAMETER_TYPE_BOOL;
    case ParameterValue::kDays: return rules::v1::PARAMETER_TYPE_DAYS;
    case ParameterValue::kFen: return rules::v1::PARAMETER_TYPE_FEN;
    case ParameterValue::kBp: return rules::v1::PARAMETER_TYPE_BP;
    case ParameterValue::kDate: return rules::v1::PARAMETER_TYPE_DATE;
    case ParameterValue::kMonthDay: return rules::v1::PARAMETER_TYPE_MONTH_DAY;
    case ParameterValue::kCodes: return rules::v1::PARAMETER_TYPE_CODES;
    case ParameterValue::kEnumSet: return rules::v1::PARAMETER_TYPE_ENUM_SET;
    case ParameterValue::kCountPerPeriod: return rules::v1::PARAMETER_TYPE_COUNT_PER_PERIOD;
    case ParameterValue::kRate: return rules::v1::PARAMETER_TYPE_RATE;
    case ParameterValue::kAmountItems: return rules::v1::PARAMETER_TYPE_AMOUNT_ITEMS;
    case ParameterValue::VALUE_NOT_SET: break;
  }
  return rules::v1::PARAMETER_TYPE_UNSPECIFIED;
}

int64_t magnitude(const ParameterValue& value) {
  switch (value.value_case()) {
    case ParameterValue::kDays: return value.days();
    case ParameterValue::kFen: return value.fen();
    case ParameterValue::kBp: return value.bp();
    case ParameterValue::kCountPerPeriod: return value.count_per_period().count();
    case ParameterValue::kRate: return value.rate().fen();
    case ParameterValue::kAmountItems: return sum_of(value.amount_items());
    default: return 0;
  }
}

int64_t count_a_year(const rules::v1::CountPerPeriod& value) {
  return int64_t{value.count()} * periods_a_year(value.period());
}

std::string value_text(const ParameterValue& value) {
  switch (value.value_case()) {
    case ParameterValue::kFlag: return value.flag() ? "true" : "false";
    case ParameterValue::kDays: return std::to_string(value.days());
    case ParameterValue::kFen: return std::to_string(value.fen());
    case ParameterValue::kBp: return std::to_string(value.bp());
    case ParameterValue::kDate: return day_text(day_of(value.date()));
    case ParameterValue::kMonthDay: return month_day_text(value.month_day());
    case ParameterValue::kCodes: return braced(value.codes().codes());
    case ParameterValue::kEnumSet: return braced(value.enum_set().members());
    case ParameterValue::kCountPerPeriod:
      return std::to_string(value.count_per_period().count()) + " per " +
             short_period(value.count_per_period().period());
    case ParameterValue::kRate: return rate_text(value.rate());
    case ParameterValue::kAmountItems: return items_text(value.amount_items());
    case ParameterValue::VALUE_NOT_SET: break;
  }
  return {};
}

common::v1::ParameterUse use_of(std::string_view key, const Parameter::Setting& setting) {
  common::v1::ParameterUse use;
  use.set_key(std::string(key));
  for (const auto& scope : setting.scope())
    (*use.mutable_scope())[scope.dimension()] = scope.code();
  use.set_version(setting.number());
  use.set_value(value_text(setting.value()));
  *use.mutable_valid_from_date() = date_of(setting.from_day());
  return use;
}

common::v1::ParameterUse use_of_no_rule(std::string_view key) {
  common::v1::ParameterUse use;
  use.set_key(std::string(key));
  return use;
}

}  // namespace taizhang
