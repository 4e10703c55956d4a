// Reference data: regions, code lists, parameters.
#pragma once

namespace taizhang {

class Registry;

// Ties every command and event of taizhang.rules.v1 to its function.
void register_rules(Registry& registry);

}  // namespace taizhang
