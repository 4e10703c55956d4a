// Pairings (包保、结对): who helps whom, of which kind, from when to when.
#include <algorithm>

#include "domain/dates.h"
#include "domain/region.h"
#include "platform/command/registry.h"
#include "services/assistance/aggregates.h"
#include "services/common/names.h"
#include "services/common/parameters.h"
#include "services/common/references.h"
#include "taizhang/assistance/state/v1/state.pb.h"
#include "taizhang/assistance/v1/commands.pb.h"
#include "taizhang/assistance/v1/errors.pb.h"
#include "taizhang/assistance/v1/events.pb.h"
#include "taizhang/common/v1/errors.pb.h"
#include "taizhang/registry/state/v1/state.pb.h"

namespace taizhang::assistance {
namespace {

using common::v1::AdminLevel;
using common::v1::SubjectKind;
using common::v1::SubjectRef;
using registry::state::v1::HouseholdStatus;
using registry::state::v1::Organisation;
using registry::v1::OrganisationKind;
using state::v1::Pairing;
using state::v1::PairingByHelped;
using state::v1::PairingByHelper;
using v1::EndPairingRequest;
using v1::PairingEnded;
using v1::PairingKind;
using v1::PairingStarted;
using v1::StartPairingRequest;

// Which organisations may stand on one side.
enum class Organisations { kNone, kUnit, kEnterprise, kBranch, kSchool };

struct Side {
  SubjectKind kind;
  Organisations organisations = Organisations::kNone;
  AdminLevel level = common::v1::ADMIN_LEVEL_UNSPECIFIED;  // of a region
};

struct Sides {
  Side helper;
  Side helped;
};

Sides sides_of(PairingKind kind) {
  constexpr Side kUnit{common::v1::SUBJECT_KIND_ORGANISATION, Organisations::kUnit};
  constexpr Side kEnterprise{common::v1::SUBJECT_KIND_ORGANISATION, Organisations::kEnterprise};
  constexpr Side kBranch{common::v1::SUBJECT_KIND_ORGANISATION, Organisations::kBranch};
  constexpr Side kSchool{common::v1::SUBJECT_KIND_ORGANISATION, Organisations::kSchool};
  constexpr Side kWorker{common::v1::SUBJECT_KIND_WORKER};
  constexpr Side kPerson{common::v1::SUBJECT_KIND_PERSON};
  constexpr Side kHousehold{common::v1::SUBJECT_KIND_HOUSEHOLD};
  constexpr Side kVillage{common::v1::SUBJECT_KIND_VILLAGE, Organisations::kNone,
                          common::v1::ADMIN_LEVEL_VILLAGE};
  constexpr Side kTownship{common::v1::SUBJECT_KIND_REGION, Organisations::kNone,
                           common::v1::ADMIN_LEVEL_TOWNSHIP};
  constexpr Side kGroup{common::v1::SUBJECT_KIND_REGION, Organisations::kNone,
                        common::v1::ADMIN_LEVEL_GROUP};
  switch (kind) {
    case v1::PAIRING_KIND_UNIT_VILLAGE: return {kUnit, kVillage};
    case v1::PAIRING_KIND_UNIT_TOWNSHIP: return {kUnit, kTownship};
    case v1::PAIRING_KIND_LEADER_VILLAGE: return {kWorker, kVillage};
    case v1::PAIRING_KIND_CADRE_HOUSEHOLD:
    case v1::PAIRING_KIND_TEACHER_HOUSEHOLD:
    case v1::PAIRING_KIND_LIAISON_HOUSEHOLD: return {kWorker, kHousehold};
    case v1::PAIRING_KIND_CADRE_GROUP: return {kWorker, kGroup};
    case v1::PAIRING_KIND_ENTERPRISE_VILLAGE: return {kEnterprise, kVillage};
    case v1::PAIRING_KIND_ENTERPRISE_HOUSEHOLD: return {kEnterprise, kHousehold};
    case v1::PAIRING_KIND_BRANCH_VILLAGE: return {kBranch, kVillage};
    case v1::PAIRING_KIND_STAFF_SCHOOL: return {kWorker, kSchool};
    case v1::PAIRING_KIND_HEAD_TEACHER: return {kWorker, kWorker};
    case v1::PAIRING_KIND_TEACHER_STUDENT: return {kWorker, kPerson};
    default: return {};
  }
}

bool fits(Organisations wanted, OrganisationKind kind) {
  switch (wanted) {
    case Organisations::kUnit:
      return kind != registry::v1::ORGANISATION_KIND_BRANCH &&
             kind != registry::v1::ORGANISATION_KIND_ENTERPRISE;
    case Organisations::kEnterprise: return kind == registry::v1::ORGANISATION_KIND_ENTERPRISE;
    case Organisations::kBranch: return kind == registry::v1::ORGANISATION_KIND_BRANCH;
    case Organisations::kSchool: return kind == registry::v1::ORGANISATION_KIND_SCHOOL;
    default: return true;
  }
}

bool fits(const Ledger& ledger, const Side& side, const SubjectRef& subject) {
  if (subject.kind() != side.kind) return false;
  const bool region = side.level != common::v1::ADMIN_LEVEL_UNSPECIFIED;
  if (region) return level_of_region(subject.id()) == side.level;
  if (side.organisations == Organisations::kNone) return true;
  // Of an unknown organisation nothing can be said here: it is refused as not active.
  const auto* organisation = ledger.find<Organisation>(subject.id());
  return !organisation || fits(side.organisations, organisation->kind());
}

bool same(const SubjectRef& a, const SubjectRef& b) {
  return a.kind() == b.kind() && a.id() == b.id();
}

// A pairing of the same three whose days reach into the new, open one; null: none. One ended in
// error has no days.
const Pairing* overlapping(const Ledger& ledger, const StartPairingRequest& command) {
  const Pairing* found = nullptr;
  ledger.scan<PairingByHelped>(
      [&](const PairingByHelped& entry) {
        const auto& pairing = ledger.get<Pairing>(entry.pairing_id());
        const bool has_days = pairing.to_day() == 0 || pairing.to_day() >= pairing.from_day();
        const bool reaches = pairing.to_day() == 0 || pairing.to_day() >= ledger.effective_day();
        if (pairing.kind() == command.kind() && same(pairing.helper(), command.helper()) &&
            has_days && reaches) {
          found = &pairing;
        }
        return !found;
      },
      command.helped().kind(), command.helped().id());
  return found;
}

Decision decide_start(const Ledger& ledger, const StartPairingRequest& command) {
  const auto sides = sides_of(command.kind());
  if (!fits(ledger, sides.helper, command.helper())) {
    return refuse(v1::ASSISTANCE_REFUSAL_HELPER_KIND_MISMATCH, "helper");
  }
  if (!fits(ledger, sides.helped, command.helped())) {
    return refuse(v1::ASSISTANCE_REFUSAL_HELPED_KIND_MISMATCH, "helped");
  }
  if (!is_active(ledger, command.helper(), ledger.effective_day())) {
    return refuse(v1::ASSISTANCE_REFUSAL_HELPER_NOT_ACTIVE, "helper");
  }
  if (!is_active(ledger, command.helped(), ledger.effective_day())) {
    return refuse(v1::ASSISTANCE_REFUSAL_HELPED_NOT_ACTIVE, "helped");
  }
  if (const auto* known = overlapping(ledger, command)) {
    return refuse(v1::ASSISTANCE_REFUSAL_PAIRING_EXISTS, "helped",
                  {{"pairing_id", known->pairing_id()}});
  }
  return emit(copy_inputs<PairingStarted>(command));
}

std::optional<Refusal> check_end_date(const EndPairingRequest& command, const Pairing& pairing) {
  const int32_t to_day = day_of(command.to_date());
  const bool right = command.cause() == v1::PAIRING_END_CAUSE_IN_ERROR
                         ? to_day == add_days(pairing.from_day(), -1)
                         : to_day >= pairing.from_day();
  if (right) return std::nullopt;
  return refuse(common::v1::COMMON_REFUSAL_DATE_ORDER_INVALID, "to_date");
}

// The household helped has a status of class LIFTED on the day.
bool is_lifted(const Ledger& ledger, const SubjectRef& helped, int32_t day) {
  if (helped.kind() != common::v1::SUBJECT_KIND_HOUSEHOLD) return false;
  for (const auto& period : ledger.get<HouseholdStatus>(helped.id()).periods()) {
    if (period.from_day() > day || (period.to_day() != 0 && period.to_day() < day)) continue;
    const auto* status = code_at(ledger, "household_status", period.status(), day);
    return status && status->class_() == "LIFTED";
  }
  return false;
}

// Whether the cause is true and suffices for what pairing.end_requires asks: any one of its
// members; none asked: any cause.
bool may_end(const Ledger& ledger, const EndPairingRequest& command, const Pairing& pairing,
             const rules::v1::EnumSet& required) {
  const auto asks = [&](std::string_view member) {
    return std::find(required.members().begin(), required.members().end(), member) !=
           required.members().end();
  };
  const bool lifted = is_lifted(ledger, pairing.helped(), ledger.effective_day());
  const bool nothing_asked = required.members().empty();
  const bool lifted_suffices = lifted && (nothing_asked || asks("LIFTED"));
  switch (command.cause()) {
    case v1::PAIRING_END_CAUSE_LIFTED: return lifted_suffices;
    case v1::PAIRING_END_CAUSE_SUCCEEDED:
      return nothing_asked || asks("SUCCESSOR") || lifted_suffices;
    default: return nothing_asked;  // TERM_ENDED
  }
}

std::optional<Refusal> check_successor(const EndPairingRequest& command, const Pairing& pairing,
                                       const Pairing& successor) {
  const bool matches = same(successor.helped(), pairing.helped()) &&
                       successor.kind() == pairing.kind() &&
                       successor.pairing_id() != pairing.pairing_id() &&
                       successor.end_cause() != v1::PAIRING_END_CAUSE_IN_ERROR;
  if (!matches) return refuse(v1::ASSISTANCE_REFUSAL_SUCCESSOR_MISMATCH, "successor_pairing_id");
  if (successor.from_day() > add_days(day_of(command.to_date()), 1)) {
    return refuse(v1::ASSISTANCE_REFUSAL_SUCCESSOR_GAP, "successor_pairing_id");
  }
  return std::nullopt;
}

Decision decide_end(const Ledger& ledger, const EndPairingRequest& command) {
  const auto* pairing = ledger.find<Pairing>(command.pairing_id());
  if (!pairing) return refuse(v1::ASSISTANCE_REFUSAL_PAIRING_NOT_FOUND, "pairing_id");
  const Pairing* successor = nullptr;
  if (command.cause() == v1::PAIRING_END_CAUSE_SUCCEEDED) {
    successor = ledger.find<Pairing>(command.successor_pairing_id());
    if (!successor) return refuse(v1::ASSISTANCE_REFUSAL_PAIRING_NOT_FOUND, "successor_pairing_id");
  }
  if (pairing->to_day() != 0)
    return refuse(v1::ASSISTANCE_REFUSAL_PAIRING_ALREADY_ENDED, "pairing_id");
  if (auto no = version_mismatch(ledger, pairing->version())) return *no;
  if (auto no = check_end_date(command, *pairing)) return *no;

  auto event = copy_inputs<PairingEnded>(command);
  switch (command.cause()) {
    case v1::PAIRING_END_CAUSE_LIFTED:
    case v1::PAIRING_END_CAUSE_SUCCEEDED:
    case v1::PAIRING_END_CAUSE_TERM_ENDED: {
      const auto rule = governing(ledger, "pairing.end_requires",
                                  {{"kind", short_name(pairing->kind())}}, ledger.effective_day());
      if (!rule.decided()) return parameter_missing(rule, "cause");
      const auto& required =
          rule.has_rule() ? rule.value().enum_set() : rules::v1::EnumSet::default_instance();
      if (!may_end(ledger, command, *pairing, required)) {
        return refuse(v1::ASSISTANCE_REFUSAL_NOT_LIFTED, "cause");
      }
      rule.copy_uses(event.mutable_parameters_used());
      break;
    }
    // Nobody leaves the book in this slice: the helped and the helper are there for good.
    case v1::PAIRING_END_CAUSE_HELPED_GONE:
    case v1::PAIRING_END_CAUSE_REGION_MERGED:
      return refuse(v1::ASSISTANCE_REFUSAL_HELPED_STILL_ACTIVE, "cause");
    case v1::PAIRING_END_CAUSE_HELPER_DIED:
      return refuse(v1::ASSISTANCE_REFUSAL_HELPER_STILL_ACTIVE, "cause");
    default: break;  // IN_ERROR asks no rule
  }
  if (successor) {
    if (auto no = check_successor(command, *pairing, *successor)) return *no;
  }
  return emit(std::move(event));
}

void evolve_started(Ledger& ledger, const PairingStarted& event) {
  auto& pairing = ledger.edit<Pairing>(event.pairing_id());
  pairing.set_kind(event.kind());
  *pairing.mutable_helper() = event.helper();
  *pairing.mutable_helped() = event.helped();
  pairing.set_role(event.role());
  pairing.set_from_day(day_of(event.from_date()));
  ledger.edit<PairingByHelped>(event.helped().kind(), event.helped().id(), event.pairing_id());
  ledger.edit<PairingByHelper>(event.helper().kind(), event.helper().id(), event.pairing_id());
}

void evolve_ended(Ledger& ledger, const PairingEnded& event) {
  auto& pairing = ledger.edit<Pairing>(event.pairing_id());
  pairing.set_to_day(day_of(event.to_date()));
  pairing.set_end_cause(event.cause());
}

}  // namespace

void register_pairing(Registry& registry) {
  registry.command<StartPairingRequest>(decide_start)
      .command<EndPairingRequest>(decide_end)
      .event<PairingStarted>(evolve_started)
      .event<PairingEnded>(evolve_ended);
}

}  // namespace taizhang::assistance
