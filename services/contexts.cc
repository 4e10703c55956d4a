// All write contexts of the product.
#include "services/contexts.h"

#include "platform/command/ledgers.h"
#include "services/admin/view_decisions.h"
#include "services/assets/assets.h"
#include "services/assistance/assistance.h"
#include "services/common/references.h"
#include "services/funds/funds.h"
#include "services/registry/registry.h"
#include "services/rules/rules.h"
#include "services/subscriptions/subscriptions.h"

namespace taizhang {

void register_contexts(Registry& registry) {
  register_ledgers(registry);
  register_reference_checks(registry);
  register_rules(registry);
  register_registry(registry);
  register_assistance(registry);
  register_funds(registry);
  register_assets(registry);
  register_subscriptions(registry);
  register_view_decisions(registry);
}

}  // namespace taizhang
