// All views of the product: the one list of them.
#pragma once

#include <vector>

#include "absl/status/status.h"

namespace taizhang {

class View;
class Views;

namespace config::v1 {
class Views;
}

// Made anew.
std::vector<View> product_views();

// INVALID_ARGUMENT: views.serve names one that does not exist; the message lists those that do.
absl::Status check_served(const config::v1::Views& settings);

// Adds those that views.serve names, or all when it names none; the ledger view always, because the
// answers of the others name who and why from it. The names must be good.
void add_product_views(const config::v1::Views& settings, Views& views);

}  // namespace taizhang
