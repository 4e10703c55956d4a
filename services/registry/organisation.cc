// Organisations: governments, pairing units, enterprises, schools, branches …
#include "domain/credit_code.h"
#include "domain/org_id.h"
#include "platform/command/registry.h"
#include "services/registry/aggregates.h"
#include "taizhang/common/v1/errors.pb.h"
#include "taizhang/registry/state/v1/state.pb.h"
#include "taizhang/registry/v1/commands.pb.h"
#include "taizhang/registry/v1/errors.pb.h"
#include "taizhang/registry/v1/events.pb.h"

namespace taizhang::registry {
namespace {

using state::v1::Organisation;
using state::v1::OrganisationByCreditCode;
using v1::OrganisationRegistered;
using v1::RegisterOrganisationRequest;

void validate(const RegisterOrganisationRequest& command, Violations& found) {
  const auto code = credit_code_of_org_id(command.org_id());
  if (code && *code != command.credit_code()) {
    found.add(common::v1::COMMON_REFUSAL_FIELD_INVALID, "credit_code",
              "must be the code that org_id is made of");
  }
}

Decision decide(const Ledger& ledger, const RegisterOrganisationRequest& command) {
  if (!command.credit_code().empty()) {
    if (!is_credit_code(command.credit_code())) {
      return refuse(v1::REGISTRY_REFUSAL_CREDIT_CODE_INVALID, "credit_code");
    }
    if (const auto* known = ledger.find<OrganisationByCreditCode>(command.credit_code())) {
      return refuse(v1::REGISTRY_REFUSAL_CREDIT_CODE_TAKEN, "credit_code",
                    {{"org_id", known->org_id()}});
    }
  }
  if (command.parent_org_id() == command.org_id())
    return refuse(v1::REGISTRY_REFUSAL_PARENT_CYCLE, "parent_org_id");
  return emit(copy_inputs<OrganisationRegistered>(command));
}

void evolve(Ledger& ledger, const OrganisationRegistered& event) {
  auto& organisation = ledger.edit<Organisation>(event.org_id());
  organisation.set_kind(event.kind());
  organisation.set_level(event.level());
  organisation.set_region(event.region());
  organisation.set_parent_org_id(event.parent_org_id());
  organisation.set_from_day(ledger.effective_day());
  if (!event.credit_code().empty()) {
    ledger.edit<OrganisationByCreditCode>(event.credit_code()).set_org_id(event.org_id());
  }
}

}  // namespace

void register_organisation(Registry& registry) {
  registry.command<RegisterOrganisationRequest>(decide)
      .validate<RegisterOrganisationRequest>(validate)
      .event<OrganisationRegistered>(evolve);
}

}  // namespace taizhang::registry
