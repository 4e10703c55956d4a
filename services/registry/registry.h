// The registry: organisations, workers, households with their members, and the statuses households
// had before.
#pragma once

namespace taizhang {

class Registry;

// Ties every command and event of taizhang.registry.v1 to its function.
void register_registry(Registry& registry);

}  // namespace taizhang
