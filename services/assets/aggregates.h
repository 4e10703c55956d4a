// One function for each aggregate of assets; each ties its own commands and events.
#pragma once

namespace taizhang {
class Registry;
}

namespace taizhang::assets {

void register_asset(Registry& registry);
void register_check(Registry& registry);
void register_offer(Registry& registry);
void register_void_record(Registry& registry);

}  // namespace taizhang::assets
