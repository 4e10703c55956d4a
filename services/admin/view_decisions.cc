// Which version of a view answers, and which events a view passes over.
//
// Which views and versions there are is not known here: it differs from process to process while an
// upgrade goes on. A process follows what it can and tells the rest.
#include "services/admin/view_decisions.h"

#include "platform/command/registry.h"
#include "taizhang/admin/state/v1/state.pb.h"
#include "taizhang/admin/v1/commands.pb.h"
#include "taizhang/admin/v1/errors.pb.h"
#include "taizhang/admin/v1/events.pb.h"

namespace taizhang {
namespace {

using admin::state::v1::LiveView;
using admin::state::v1::SkippedViewEvent;
using admin::v1::SkipViewEventRequest;
using admin::v1::SwitchViewRequest;
using admin::v1::ViewEventSkipped;
using admin::v1::ViewSwitched;

template <class Row>
Unchanged as_before(const Row& row) {
  return {row.version(), row.version(), row.recorded_time_us()};
}

Decision decide_switch(const Ledger& ledger, const SwitchViewRequest& command) {
  const auto* live = ledger.find<LiveView>(command.view());
  if (live && live->view_version() == command.view_version()) return as_before(*live);
  return emit(copy_inputs<ViewSwitched>(command));
}

void evolve_switched(Ledger& ledger, const ViewSwitched& event) {
  auto& row = ledger.edit<LiveView>(event.view());
  row.set_view_version(event.view_version());
  row.set_recorded_time_us(ledger.recorded_time_us());
}

Decision decide_skip(const Ledger& ledger, const SkipViewEventRequest& command) {
  if (command.seq() > ledger.named_seq())
    return refuse(admin::v1::ADMIN_REFUSAL_SEQ_NOT_REACHED, "seq");
  const auto* skipped = ledger.find<SkippedViewEvent>(command.view(), command.view_version(),
                                                      command.ledger(), command.seq());
  if (skipped) return as_before(*skipped);
  auto event = copy_inputs<ViewEventSkipped>(command);
  event.set_ledger(command.ledger());
  return emit(std::move(event));
}

void evolve_skipped(Ledger& ledger, const ViewEventSkipped& event) {
  ledger.edit<SkippedViewEvent>(event.view(), event.view_version(), event.ledger(), event.seq())
      .set_recorded_time_us(ledger.recorded_time_us());
}

}  // namespace

void register_view_decisions(Registry& registry) {
  registry.command<SwitchViewRequest>(decide_switch)
      .event<ViewSwitched>(evolve_switched)
      .command<SkipViewEventRequest>(decide_skip)
      .event<ViewEventSkipped>(evolve_skipped);
}

}  // namespace taizhang
