// Citizen numbers as the registry takes them.
#include "services/registry/citizen.h"

#include "domain/citizen_number.h"
#include "services/common/references.h"

namespace taizhang::registry {

std::optional<KnownCitizen> check_citizen_number(const Ledger& ledger, std::string_view number) {
  const auto parsed = parse_citizen_number(number);
  if (!parsed || parsed->birth_day > ledger.today()) return std::nullopt;
  if (!code_at(ledger, "citizen_region", parsed->province(), ledger.effective_day()))
    return std::nullopt;
  return KnownCitizen{ledger.blind_index(parsed->number), parsed->birth_day};
}

}  // namespace taizhang::registry
