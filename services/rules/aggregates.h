// One function for each aggregate of the reference data; each ties its own commands and events.
#pragma once

namespace taizhang {
class Registry;
}

namespace taizhang::rules {

void register_region(Registry& registry);
void register_code_list(Registry& registry);
void register_parameter(Registry& registry);

}  // namespace taizhang::rules
