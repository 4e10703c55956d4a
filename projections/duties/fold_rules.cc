// The parameters that judge visits; others are not kept here.
#include "domain/parameter.h"
#include "projections/duties/judge.h"
#include "projections/duties/parts.h"
#include "taizhang/duties/state/v1/state.pb.h"
#include "taizhang/rules/v1/events.pb.h"

namespace taizhang::duties {
namespace {

using rules::v1::ParameterDefined;
using rules::v1::ParameterSet;
using state::v1::Rule;

bool judges_visits(std::string_view key) { return key == kFrequencyKey || key == kChannelsKey; }

void fold(Ledger& rows, const EventMeta&, const ParameterDefined& event) {
  if (!judges_visits(event.key())) return;
  apply_parameter_defined(*rows.edit<Rule>(event.key()).mutable_parameter(), event);
}

void fold(Ledger& rows, const EventMeta& meta, const ParameterSet& event) {
  if (!judges_visits(event.key())) return;
  apply_parameter_set(*rows.edit<Rule>(event.key()).mutable_parameter(), event, meta.seq,
                      meta.recorded_time_us);
}

}  // namespace

void take_rules(View& view) { view.on<ParameterDefined>(fold).on<ParameterSet>(fold); }

}  // namespace taizhang::duties
