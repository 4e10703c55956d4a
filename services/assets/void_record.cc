// Voiding a record that was wrong. Checks only: an asset ends by disposal, an offer by its answer.
#include <algorithm>

#include "domain/dates.h"
#include "platform/command/registry.h"
#include "services/assets/aggregates.h"
#include "services/common/parameters.h"
#include "services/common/same_actor.h"
#include "taizhang/assets/state/v1/state.pb.h"
#include "taizhang/assets/v1/commands.pb.h"
#include "taizhang/assets/v1/errors.pb.h"
#include "taizhang/assets/v1/events.pb.h"
#include "taizhang/common/v1/errors.pb.h"

namespace taizhang::assets {
namespace {

using state::v1::Asset;
using state::v1::Check;
using state::v1::Offer;
using v1::RecordVoided;
using v1::VoidRecordRequest;

void validate(const VoidRecordRequest& command, Violations& found) {
  if (!command.replaced_by().empty() && command.replaced_by() == command.record().id()) {
    found.add(common::v1::COMMON_REFUSAL_FIELD_INVALID, "replaced_by",
              "must not be the record itself");
  }
}

bool known_but_kept(const Ledger& ledger, const common::v1::SubjectRef& record) {
  switch (record.kind()) {
    case common::v1::SUBJECT_KIND_ASSET: return ledger.has<Asset>(record.id());
    case common::v1::SUBJECT_KIND_OFFER: return ledger.has<Offer>(record.id());
    default: return false;
  }
}

// A title rests on a check made by its day: without this one there would be none.
bool title_rests_on(const Asset& asset, const Check& check) {
  if (!asset.has_owner()) return false;
  return std::none_of(asset.checks().begin(), asset.checks().end(), [&](const Asset::Check& other) {
    return other.check_id() != check.check_id() && other.day() <= asset.title_day();
  });
}

Decision decide(const Ledger& ledger, const VoidRecordRequest& command) {
  const auto* check = command.record().kind() == common::v1::SUBJECT_KIND_CHECK
                          ? ledger.find<Check>(command.record().id())
                          : nullptr;
  if (!check) {
    return known_but_kept(ledger, command.record())
               ? refuse(v1::ASSETS_REFUSAL_RECORD_NOT_VOIDABLE, "record")
               : refuse(v1::ASSETS_REFUSAL_RECORD_NOT_FOUND, "record");
  }
  if (title_rests_on(ledger.get<Asset>(check->asset_id()), *check)) {
    return refuse(v1::ASSETS_REFUSAL_RECORD_NOT_VOIDABLE, "record");
  }
  if (check->voided()) return refuse(v1::ASSETS_REFUSAL_ALREADY_VOIDED, "record");
  if (auto no = version_mismatch(ledger, check->version())) return *no;
  if (ledger.effective_day() < check->check_day()) {
    return refuse(common::v1::COMMON_REFUSAL_DATE_ORDER_INVALID, "context.effective_date");
  }
  const auto limit = governing(ledger, "void.second_person_after_days", {{"kind", "CHECK"}},
                               ledger.effective_day());
  if (!limit.decided()) return parameter_missing(limit, "record");
  if (limit.has_rule() &&
      days_between(check->check_day(), ledger.effective_day()) > limit.value().days() &&
      same_person(ledger.actor(), check->recorder())) {
    return refuse(v1::ASSETS_REFUSAL_SECOND_PERSON_REQUIRED, "record");
  }
  auto event = copy_inputs<RecordVoided>(command);
  event.set_asset_id(check->asset_id());
  limit.copy_uses(event.mutable_parameters_used());
  return emit(std::move(event));
}

void evolve(Ledger& ledger, const RecordVoided& event) {
  if (event.record().kind() != common::v1::SUBJECT_KIND_CHECK) return;
  ledger.edit<Check>(event.record().id()).set_voided(true);
  auto& asset = ledger.edit<Asset>(event.asset_id());
  auto& checks = *asset.mutable_checks();
  checks.erase(std::remove_if(checks.begin(), checks.end(),
                              [&](const Asset::Check& check) {
                                return check.check_id() == event.record().id();
                              }),
               checks.end());
  if (checks.empty() && asset.state() == state::v1::ASSET_STATE_CHECKED) {
    asset.set_state(state::v1::ASSET_STATE_FORMED);
  }
}

}  // namespace

void register_void_record(Registry& registry) {
  registry.command<VoidRecordRequest>(decide)
      .validate<VoidRecordRequest>(validate)
      .event<RecordVoided>(evolve);
}

}  // namespace taizhang::assets
