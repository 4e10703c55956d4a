// All views of the product.
#include "apps/taizhangd/product_views.h"

#include "platform/projection/views.h"

namespace taizhang {

void add_product_views(Views&) {}

}  // namespace taizhang
