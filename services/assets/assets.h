// Assets: formed, checked, titled, offered and handed over to whoever holds them.
#pragma once

namespace taizhang {

class Registry;

// Ties every command and event of taizhang.assets.v1 to its function.
void register_assets(Registry& registry);

}  // namespace taizhang
