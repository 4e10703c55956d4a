// All views of the product.
#include "apps/taizhangd/product_views.h"

#include <algorithm>
#include <string>
#include <vector>

#include "platform/projection/views.h"
#include "projections/asset_register/asset_register.h"
#include "projections/duties/duties.h"
#include "projections/fund_execution/fund_execution.h"
#include "projections/history/history.h"
#include "projections/household_file/household_file.h"
#include "projections/ledger/ledger_view.h"
#include "projections/subscriptions/subscriptions_view.h"
#include "taizhang/config/v1/config.pb.h"

namespace taizhang {
namespace {

ledger_view::SubscribeLimits subscribe_limits(const config::v1::Views& settings) {
  ledger_view::SubscribeLimits limits;
  limits.batch_events_max = settings.subscribe_batch_events_max();
  limits.batch_bytes_max = static_cast<size_t>(settings.subscribe_batch_bytes_max());
  limits.tail_events_max = static_cast<size_t>(settings.subscribe_tail_events_max());
  limits.tail_bytes_max = static_cast<size_t>(settings.subscribe_tail_bytes_max());
  return limits;
}

std::vector<View> views_with(const config::v1::Views& settings) {
  return {ledger_view::ledger_view(subscribe_limits(settings)),
          household_file_view(),
          duties_view(),
          fund_execution_view(),
          asset_register_view(),
          history_view(),
          subscriptions_view()};
}

bool is_named(const View& view, const config::v1::Views& settings) {
  return std::find(settings.serve().begin(), settings.serve().end(), view.name()) !=
         settings.serve().end();
}

}  // namespace

std::vector<View> product_views() { return views_with(config::v1::Views::default_instance()); }

absl::Status check_served(const config::v1::Views& settings) {
  const auto views = views_with(settings);
  for (const auto& name : settings.serve()) {
    if (std::any_of(views.begin(), views.end(),
                    [&](const View& view) { return view.name() == name; }))
      continue;
    std::string known;
    for (const auto& view : views) known += (known.empty() ? "" : ", ") + view.name();
    return absl::InvalidArgumentError("views.serve: there is no view \"" + name +
                                      "\"; the views are " + known);
  }
  return absl::OkStatus();
}

void add_product_views(const config::v1::Views& settings, Views& views) {
  for (auto& view : views_with(settings)) {
    const bool holds_events = view.event_lookup() != nullptr;
    if (settings.serve().empty() || holds_events || is_named(view, settings))
      views.add(std::move(view));
  }
}

}  // namespace taizhang
