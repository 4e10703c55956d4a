// Workers: whoever visits, helps, checks or answers for something, with the posts they held.
#include "domain/region.h"
#include "platform/command/registry.h"
#include "services/registry/aggregates.h"
#include "services/registry/citizen.h"
#include "taizhang/common/v1/errors.pb.h"
#include "taizhang/registry/state/v1/state.pb.h"
#include "taizhang/registry/v1/commands.pb.h"
#include "taizhang/registry/v1/errors.pb.h"
#include "taizhang/registry/v1/events.pb.h"

namespace taizhang::registry {
namespace {

using state::v1::Worker;
using state::v1::WorkerByCitizen;
using v1::RegisterWorkerRequest;
using v1::WorkerRegistered;

void validate(const RegisterWorkerRequest& command, Violations& found) {
  if (!command.village().empty() &&
      level_of_region(command.village()) != common::v1::ADMIN_LEVEL_VILLAGE) {
    found.add(common::v1::COMMON_REFUSAL_FIELD_INVALID, "village", "must be a village");
  }
}

Decision decide(const Ledger& ledger, const RegisterWorkerRequest& command) {
  auto event = copy_inputs<WorkerRegistered>(command);
  if (const auto& number = command.identity().citizen_number(); !number.empty()) {
    const auto citizen = check_citizen_number(ledger, number);
    if (!citizen)
      return refuse(v1::REGISTRY_REFUSAL_CITIZEN_NUMBER_INVALID, "identity.citizen_number");
    if (const auto* known = ledger.find<WorkerByCitizen>(citizen->index)) {
      return refuse(v1::REGISTRY_REFUSAL_CITIZEN_NUMBER_TAKEN, "identity.citizen_number",
                    {{"worker_id", known->worker_id()}});
    }
    event.set_citizen_index(citizen->index);
  }
  return emit(std::move(event));
}

void evolve(Ledger& ledger, const WorkerRegistered& event) {
  auto& worker = ledger.edit<Worker>(event.worker_id());
  worker.set_from_day(ledger.effective_day());
  worker.set_person_id(event.person_id());
  auto& posting = *worker.add_postings();
  posting.set_org_id(event.org_id());
  posting.set_rank(event.rank());
  posting.set_post(event.post());
  posting.set_from_day(ledger.effective_day());
  if (!event.citizen_index().empty()) {
    ledger.edit<WorkerByCitizen>(event.citizen_index()).set_worker_id(event.worker_id());
  }
}

}  // namespace

void register_worker(Registry& registry) {
  registry.command<RegisterWorkerRequest>(decide)
      .validate<RegisterWorkerRequest>(validate)
      .event<WorkerRegistered>(evolve);
}

}  // namespace taizhang::registry
