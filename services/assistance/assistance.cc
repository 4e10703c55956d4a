// Assistance as a whole.
#include "services/assistance/assistance.h"

#include "services/assistance/aggregates.h"

namespace taizhang {

void register_assistance(Registry& registry) {
  assistance::register_pairing(registry);
  assistance::register_visit(registry);
  assistance::register_issue(registry);
  assistance::register_void_record(registry);
}

}  // namespace taizhang
