// Assistance: who helps whom, visits, and the issues they raise.
#pragma once

namespace taizhang {

class Registry;

// Ties every command and event of taizhang.assistance.v1 to its function.
void register_assistance(Registry& registry);

}  // namespace taizhang
