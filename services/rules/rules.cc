// Reference data.
#include "services/rules/rules.h"

#include "services/rules/aggregates.h"

namespace taizhang {

void register_rules(Registry& registry) {
  rules::register_region(registry);
  rules::register_code_list(registry);
  rules::register_parameter(registry);
}

}  // namespace taizhang
