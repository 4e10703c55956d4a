// What every view answers: taizhang.views.v1.ViewService, sent on to the view that a request names.
#pragma once

#include <functional>
#include <memory>
#include <string_view>

#include "platform/command/dispatcher.h"
#include "platform/projection/view.h"

namespace taizhang::projection {

class ViewRunner;

// The view with ListTables and Explain among its queries.
View with_common_queries(View view);
// A method of ViewService: every view has it, so it is found by the view's name, not by its own.
bool is_common(std::string_view full_method_name);

// Null: no such view.
using FindRunner = std::function<std::shared_ptr<ViewRunner>(std::string_view name)>;
// Puts the methods of ViewService into the dispatcher. NOT_FOUND, reason VIEW_NOT_FOUND: the
// request names no view of this process.
void serve_common(const FindRunner& find, Dispatcher& dispatcher);

}  // namespace taizhang::projection
