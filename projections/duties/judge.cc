// Rules of visits.
#include "projections/duties/judge.h"

#include <algorithm>

#include "domain/dates.h"
#include "domain/parameter.h"
#include "projections/common/names.h"

namespace taizhang::duties {
namespace {

using rules::state::v1::Parameter;

Judge::Settings matching(const Parameter& parameter, const Facts& facts) {
  ScopeFacts scope;
  scope.set("helper_kind", code_of(facts.helper_kind))
      .set("rank", facts.rank)
      .set("category", facts.category)
      .set("region", facts.region);
  return matching_settings(parameter, scope, facts.day);
}

bool may_lack(const Parameter& parameter) {
  return parameter.when_missing() == rules::v1::WHEN_MISSING_NO_RULE;
}

}  // namespace

std::string_view rank_on(const state::v1::Worker* worker, int32_t day) {
  std::string_view rank;
  if (!worker) return rank;
  for (const auto& held : worker->ranks()) {
    if (held.from_day() <= day) rank = held.rank();
  }
  return rank;
}

const state::v1::Household::Status* status_on(const state::v1::Household& household, int32_t day) {
  for (const auto& status : household.statuses()) {
    if (covers(status.from_day(), status.to_day(), day, day)) return &status;
  }
  return nullptr;
}

bool covers(int32_t from_day, int32_t to_day, int32_t first, int32_t last) {
  return from_day <= first && (to_day == 0 || last <= to_day);
}

Judge::Judge(const Snapshot& snapshot)
    : frequency_(snapshot.get<state::v1::Rule>(kFrequencyKey).parameter()),
      channels_(snapshot.get<state::v1::Rule>(kChannelsKey).parameter()) {}

Judge::Settings Judge::frequency(const Facts& facts) const {
  Settings settings = matching(frequency_, facts);
  // Defined with another type, it says nothing about how often.
  std::erase_if(settings,
                [](const auto* setting) { return !setting->value().has_count_per_period(); });
  return settings;
}

bool Judge::frequency_may_lack() const { return may_lack(frequency_); }

std::string Judge::why(const Settings& settings) const {
  if (settings.size() == 1) return "only rule";
  const int64_t first = count_a_year(settings[0]->value().count_per_period());
  const int64_t second = count_a_year(settings[1]->value().count_per_period());
  if (frequency_.resolution() == rules::v1::RESOLUTION_MOST_SPECIFIC || first == second) {
    return "more specific";
  }
  const bool stricter = first > second;
  return std::string(stricter ? "stricter: " : "lower: ") + std::to_string(first) +
         (stricter ? " > " : " < ") + std::to_string(second) + " a year";
}

std::optional<bool> Judge::counts(const Facts& facts, assistance::v1::VisitChannel channel) const {
  const Settings settings = matching(channels_, facts);
  if (settings.empty()) return may_lack(channels_) ? std::optional(true) : std::nullopt;
  const auto& members = settings.front()->value().enum_set().members();
  return std::find(members.begin(), members.end(), code_of(channel)) != members.end();
}

}  // namespace taizhang::duties
