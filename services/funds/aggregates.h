// One function for each aggregate of funds; each ties its own commands and events.
#pragma once

namespace taizhang {
class Registry;
}

namespace taizhang::funds {

void register_fund_line(Registry& registry);
void register_payment(Registry& registry);

}  // namespace taizhang::funds
