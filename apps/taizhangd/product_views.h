// All views of the product: the one list of them.
#pragma once

namespace taizhang {

class Views;

void add_product_views(Views& views);

}  // namespace taizhang
