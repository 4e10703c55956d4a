// Assets as a whole.
#include "services/assets/assets.h"

#include "services/assets/aggregates.h"

namespace taizhang {

void register_assets(Registry& registry) {
  assets::register_asset(registry);
  assets::register_check(registry);
  assets::register_offer(registry);
  assets::register_void_record(registry);
}

}  // namespace taizhang
