// One function for each aggregate of assistance; each ties its own commands and events.
#pragma once

namespace taizhang {
class Registry;
}

namespace taizhang::assistance {

void register_pairing(Registry& registry);
void register_visit(Registry& registry);
void register_issue(Registry& registry);
void register_void_record(Registry& registry);

}  // namespace taizhang::assistance
