// Voiding a record that was wrong. Visits only: a pairing is ended in error, an issue is resolved.
#include "domain/dates.h"
#include "platform/command/registry.h"
#include "services/assistance/aggregates.h"
#include "services/common/parameters.h"
#include "services/common/same_actor.h"
#include "taizhang/assistance/state/v1/state.pb.h"
#include "taizhang/assistance/v1/commands.pb.h"
#include "taizhang/assistance/v1/errors.pb.h"
#include "taizhang/assistance/v1/events.pb.h"
#include "taizhang/common/v1/errors.pb.h"

namespace taizhang::assistance {
namespace {

using state::v1::Issue;
using state::v1::Pairing;
using state::v1::Visit;
using state::v1::VisitKey;
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
    case common::v1::SUBJECT_KIND_PAIRING: return ledger.has<Pairing>(record.id());
    case common::v1::SUBJECT_KIND_ISSUE: return ledger.has<Issue>(record.id());
    default: return false;
  }
}

Decision decide(const Ledger& ledger, const VoidRecordRequest& command) {
  const auto* visit = command.record().kind() == common::v1::SUBJECT_KIND_VISIT
                          ? ledger.find<Visit>(command.record().id())
                          : nullptr;
  if (!visit) {
    return known_but_kept(ledger, command.record())
               ? refuse(v1::ASSISTANCE_REFUSAL_RECORD_NOT_VOIDABLE, "record")
               : refuse(v1::ASSISTANCE_REFUSAL_RECORD_NOT_FOUND, "record");
  }
  if (visit->voided()) return refuse(v1::ASSISTANCE_REFUSAL_ALREADY_VOIDED, "record");
  if (auto no = version_mismatch(ledger, visit->version())) return *no;
  if (ledger.effective_day() < visit->day()) {
    return refuse(common::v1::COMMON_REFUSAL_DATE_ORDER_INVALID, "context.effective_date");
  }
  const auto limit = governing(ledger, "void.second_person_after_days", {{"kind", "VISIT"}},
                               ledger.effective_day());
  if (!limit.decided()) return parameter_missing(limit, "record");
  // No right overrides this: the recorder may not void what is old alone.
  const int32_t age_days = days_between(visit->day(), ledger.effective_day());
  if (limit.has_rule() && age_days > limit.value().days() &&
      same_person(ledger.actor(), visit->recorder())) {
    return refuse(v1::ASSISTANCE_REFUSAL_SECOND_PERSON_REQUIRED, "record");
  }
  auto event = copy_inputs<RecordVoided>(command);
  limit.copy_uses(event.mutable_parameters_used());
  return emit(std::move(event));
}

void evolve(Ledger& ledger, const RecordVoided& event) {
  auto& visit = ledger.edit<Visit>(event.record().id());
  visit.set_voided(true);
  if (visit.visited().kind() == common::v1::SUBJECT_KIND_HOUSEHOLD) {
    ledger.erase<VisitKey>(visit.visited().id(), visit.day(), visit.channel(),
                           visit.lead_worker_id());
  }
}

}  // namespace

void register_void_record(Registry& registry) {
  registry.command<VoidRecordRequest>(decide)
      .validate<VoidRecordRequest>(validate)
      .event<RecordVoided>(evolve);
}

}  // namespace taizhang::assistance
