// A region: a code in the ledger's tree, from a day on.
#include "domain/region.h"

#include "domain/dates.h"
#include "platform/command/registry.h"
#include "services/common/references.h"
#include "services/rules/aggregates.h"
#include "taizhang/common/v1/errors.pb.h"
#include "taizhang/rules/state/v1/state.pb.h"
#include "taizhang/rules/v1/commands.pb.h"
#include "taizhang/rules/v1/errors.pb.h"
#include "taizhang/rules/v1/events.pb.h"

namespace taizhang::rules {
namespace {

using state::v1::Region;
using v1::CreateRegionRequest;
using v1::RegionCreated;

Decision decide(const Ledger& ledger, const CreateRegionRequest& command) {
  const std::string& code = command.region();
  const auto root = ledger_root(ledger.code(), static_cast<common::v1::LedgerKind>(ledger.kind()));
  if (!region_within(code, root))
    return refuse(common::v1::COMMON_REFUSAL_REGION_NOT_IN_LEDGER, "region");
  if (!is_region_code(code)) return refuse(v1::RULES_REFUSAL_REGION_CODE_INVALID, "region");
  if (ledger.has<Region>(code)) return refuse(v1::RULES_REFUSAL_REGION_EXISTS, "region");
  // A region cannot be older than what it lies in; what the ledger's root lies in is another
  // ledger's to know.
  if (code != root && !region_at(ledger, parent_region(code), day_of(command.valid_from_date()))) {
    return refuse(v1::RULES_REFUSAL_PARENT_REGION_NOT_FOUND, "region",
                  {{"parent", std::string(parent_region(code))}});
  }
  if (level_of_region(code) != command.level())
    return refuse(v1::RULES_REFUSAL_LEVEL_MISMATCH, "level");
  return emit(copy_inputs<RegionCreated>(command));
}

void evolve(Ledger& ledger, const RegionCreated& event) {
  auto& region = ledger.edit<Region>(event.region());
  region.set_name(event.name());
  region.set_level(event.level());
  region.set_from_day(day_of(event.valid_from_date()));
}

}  // namespace

void register_region(Registry& registry) {
  registry.command<CreateRegionRequest>(decide).event<RegionCreated>(evolve);
}

}  // namespace taizhang::rules
