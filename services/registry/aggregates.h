// One function for each aggregate of the registry; each ties its own commands and events.
#pragma once

namespace taizhang {
class Registry;
}

namespace taizhang::registry {

void register_organisation(Registry& registry);
void register_worker(Registry& registry);
void register_household(Registry& registry);
void register_household_status(Registry& registry);

}  // namespace taizhang::registry
