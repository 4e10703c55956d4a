// Funds: the lines money comes on, and how it is budgeted, arrives and is spent.
#pragma once

namespace taizhang {

class Registry;

// Ties every command and event of taizhang.funds.v1 to its function.
void register_funds(Registry& registry);

}  // namespace taizhang
