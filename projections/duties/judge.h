// What the parameters visit.frequency and visit.channels_counted say of one fact, at the moment of
// a snapshot.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "platform/projection/snapshot.h"
#include "taizhang/assistance/v1/values.pb.h"
#include "taizhang/duties/state/v1/state.pb.h"

namespace taizhang::duties {

inline constexpr std::string_view kFrequencyKey = "visit.frequency";
inline constexpr std::string_view kChannelsKey = "visit.channels_counted";

// What a rule may be scoped by.
struct Facts {
  assistance::v1::PairingKind helper_kind = assistance::v1::PAIRING_KIND_UNSPECIFIED;
  std::string_view rank;      // of the helper on the day; empty: no worker, or none that day
  std::string_view category;  // code of the household's status on the day; empty: none
  std::string_view region;    // of the household
  int32_t day = 0;
};

// What is known of a helper and a household on a day; views into the rows.
std::string_view rank_on(const state::v1::Worker* worker, int32_t day);
// Null: no status is known.
const state::v1::Household::Status* status_on(const state::v1::Household& household, int32_t day);
// An end of 0 is open.
bool covers(int32_t from_day, int32_t to_day, int32_t first, int32_t last);

class Judge {
 public:
  using Settings = std::vector<const rules::state::v1::Parameter::Setting*>;

  explicit Judge(const Snapshot& snapshot);

  // Each a count per period, the governing one first. Empty: no rule, see frequency_may_lack().
  Settings frequency(const Facts& facts) const;
  // No rule means that nothing is owed, and not that it cannot be decided.
  bool frequency_may_lack() const;
  // Why the first one governs; there is at least one.
  std::string why(const Settings& settings) const;

  // Whether a visit on this channel counts. Nothing: no rule, cannot be decided.
  std::optional<bool> counts(const Facts& facts, assistance::v1::VisitChannel channel) const;

 private:
  const rules::state::v1::Parameter& frequency_;
  const rules::state::v1::Parameter& channels_;
};

}  // namespace taizhang::duties
