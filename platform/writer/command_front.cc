// Commands and GetOutcome, from the dispatcher to what decides.
#include "platform/writer/command_front.h"

#include "taizhang/common/v1/enums.pb.h"
#include "taizhang/common/v1/errors.pb.h"
#include "taizhang/common/v1/request.pb.h"
#include "taizhang/ledger/v1/ledger.pb.h"

namespace taizhang {

using google::protobuf::Message;

namespace {

void take_command(const CommandType& type, const Fingerprinter& fingerprinter, CommandIntake& intake,
                  const Call& call, std::shared_ptr<const Message> request, Done done) {
  Violations found;
  check_stateless(type, *request, found);
  if (!found.empty()) return done(error_of(found));
  auto references = type.plan->references(*request);
  if (const auto no = check_authority(type, *request, references, *call.caller))
    return done(error_of(*no));
  const auto& context = type.context_of(*request);
  Submission submission;
  submission.type = &type;
  submission.caller = call.caller;
  submission.deadline_boot_us = call.deadline_boot_us;
  submission.ledger = type.ledger_of(*request);
  submission.request_id = context.request_id();
  submission.fingerprints = fingerprinter.of(type, *request);
  submission.validate_only = context.validate_only();
  submission.bulk = call.bulk;
  submission.references = std::move(references);
  submission.request = std::move(request);
  submission.done = std::move(done);
  intake.submit(std::move(submission));
}

void take_question(CommandIntake& intake, const Call& call, const Message& message, Done done) {
  const auto& request = static_cast<const ledger::v1::GetOutcomeRequest&>(message);
  const bool may_settle = call.caller->has_role(common::v1::ROLE_MAKER) ||
                          call.caller->has_role(common::v1::ROLE_CHECKER) ||
                          call.caller->has_role(common::v1::ROLE_OPERATOR);
  if (request.settle() && !may_settle) {
    return done(error_of(
        refuse(common::v1::COMMON_REFUSAL_NOT_AUTHORISED, "settle", {{"missing", "role"}})));
  }
  intake.ask({request.ledger(), request.request_id(), request.settle(), call.deadline_boot_us,
              std::move(done)});
}

}  // namespace

void serve_commands(const CommandCatalogue& catalogue, const Fingerprinter& fingerprinter,
                    CommandIntake& intake, Dispatcher& dispatcher) {
  for (const auto& [method, type] : catalogue.all()) {
    dispatcher.handle(
        method, [&type = type, &fingerprinter, &intake](
                    const Call& call, std::shared_ptr<const Message> request, Done done) {
          take_command(type, fingerprinter, intake, call, std::move(request), std::move(done));
        });
  }
  dispatcher.handle("taizhang.ledger.v1.LedgerService.GetOutcome",
                    [&intake](const Call& call, std::shared_ptr<const Message> request, Done done) {
                      take_question(intake, call, *request, std::move(done));
                    });
}

}  // namespace taizhang
