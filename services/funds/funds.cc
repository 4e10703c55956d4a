// Funds as a whole.
#include "services/funds/funds.h"

#include "services/funds/aggregates.h"

namespace taizhang {

void register_funds(Registry& registry) {
  funds::register_fund_line(registry);
  funds::register_payment(registry);
}

}  // namespace taizhang
