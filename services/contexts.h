// All write contexts of the product: the one list of them.
#pragma once

namespace taizhang {

class Registry;

// Commands, events and tables of every context, the opening of ledgers, and the checks of
// references.
void register_contexts(Registry& registry);

}  // namespace taizhang
