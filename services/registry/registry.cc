// The registry as a whole.
#include "services/registry/registry.h"

#include "services/registry/aggregates.h"

namespace taizhang {

void register_registry(Registry& registry) {
  registry::register_organisation(registry);
  registry::register_worker(registry);
  registry::register_household(registry);
  registry::register_household_status(registry);
}

}  // namespace taizhang
