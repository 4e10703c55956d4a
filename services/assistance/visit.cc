// Visits of workers to households, villages, organisations and workers, and the issues noted there.
#include <utility>
#include <vector>

#include "domain/dates.h"
#include "platform/command/registry.h"
#include "services/assistance/aggregates.h"
#include "services/common/names.h"
#include "services/common/references.h"
#include "taizhang/assistance/state/v1/state.pb.h"
#include "taizhang/assistance/v1/commands.pb.h"
#include "taizhang/assistance/v1/errors.pb.h"
#include "taizhang/assistance/v1/events.pb.h"
#include "taizhang/common/v1/errors.pb.h"
#include "taizhang/registry/state/v1/state.pb.h"

namespace taizhang::assistance {
namespace {

using registry::state::v1::Household;
using registry::state::v1::Worker;
using state::v1::Issue;
using state::v1::Visit;
using state::v1::VisitKey;
using v1::IssueRaised;
using v1::RecordVisitRequest;
using v1::VisitRecorded;

std::string request_path(int index, std::string_view field) {
  return "requests[" + std::to_string(index) + "]." + std::string(field);
}

void validate(const RecordVisitRequest& command, Violations& found) {
  for (int i = 0; i < command.requests_size(); ++i) {
    const auto& request = command.requests(i);
    if (request.has_due_date() && command.has_date() &&
        day_of(request.due_date()) < day_of(command.date())) {
      found.add(common::v1::COMMON_REFUSAL_DATE_ORDER_INVALID, request_path(i, "due_date"),
                "must not be before date");
    }
  }
}

// What any command says of ids, for those the platform does not look up: a known issue id is taken,
// a visited village or organisation has no refusal of its own.
std::optional<Refusal> check_ids(const Ledger& ledger, const RecordVisitRequest& command) {
  for (int i = 0; i < command.requests_size(); ++i) {
    if (ledger.has<Issue>(command.requests(i).issue_id())) {
      return refuse(common::v1::COMMON_REFUSAL_ID_TAKEN, request_path(i, "issue_id"));
    }
  }
  const auto& visited = command.visited();
  if (visited.kind() == common::v1::SUBJECT_KIND_VILLAGE ||
      visited.kind() == common::v1::SUBJECT_KIND_ORGANISATION) {
    switch (standing_of(ledger, visited.kind(), visited.id(), ledger.effective_day())) {
      case Standing::kUnknown:
        return refuse(common::v1::COMMON_REFUSAL_SUBJECT_NOT_FOUND, "visited.id");
      case Standing::kNotActive:
        return refuse(common::v1::COMMON_REFUSAL_SUBJECT_NOT_ACTIVE, "visited.id");
      case Standing::kActive: break;
    }
  }
  return std::nullopt;
}

std::optional<Refusal> check_household(const Ledger& ledger,
                                       const common::v1::SubjectRef& visited) {
  if (visited.kind() != common::v1::SUBJECT_KIND_HOUSEHOLD) return std::nullopt;
  const auto* household = ledger.find<Household>(visited.id());
  if (!household) return refuse(v1::ASSISTANCE_REFUSAL_HOUSEHOLD_NOT_FOUND, "visited.id");
  if (household->from_day() > ledger.effective_day()) {
    return refuse(v1::ASSISTANCE_REFUSAL_HOUSEHOLD_NOT_ACTIVE, "visited.id");
  }
  return std::nullopt;
}

// The visited worker, when it is one, then the visitors; all are sought before any is asked for the
// day.
std::optional<Refusal> check_workers(const Ledger& ledger, const RecordVisitRequest& command) {
  std::vector<std::pair<std::string_view, std::string>> named;  // id, path
  if (command.visited().kind() == common::v1::SUBJECT_KIND_WORKER) {
    named.emplace_back(command.visited().id(), "visited.id");
  }
  for (int i = 0; i < command.visitors_size(); ++i) {
    named.emplace_back(command.visitors(i), "visitors[" + std::to_string(i) + "]");
  }
  for (const auto& [worker_id, path] : named) {
    if (!ledger.has<Worker>(worker_id))
      return refuse(v1::ASSISTANCE_REFUSAL_WORKER_NOT_FOUND, path);
  }
  for (const auto& [worker_id, path] : named) {
    if (ledger.get<Worker>(worker_id).from_day() > ledger.effective_day()) {
      return refuse(v1::ASSISTANCE_REFUSAL_WORKER_NOT_ACTIVE, path);
    }
  }
  return std::nullopt;
}

std::optional<Refusal> check_repeated(const Ledger& ledger, const RecordVisitRequest& command) {
  if (command.visited().kind() != common::v1::SUBJECT_KIND_HOUSEHOLD) return std::nullopt;
  const auto* known = ledger.find<VisitKey>(command.visited().id(), ledger.effective_day(),
                                            command.channel(), command.visitors(0));
  if (!known) return std::nullopt;
  return refuse(v1::ASSISTANCE_REFUSAL_VISIT_REPEATED, "visited.id",
                {{"visit_id", known->visit_id()}});
}

std::optional<Refusal> check_categories(const Ledger& ledger, const RecordVisitRequest& command) {
  for (int i = 0; i < command.requests_size(); ++i) {
    const auto& request = command.requests(i);
    const auto* category =
        code_at(ledger, "issue_category", request.category(), ledger.effective_day());
    if (category && !category->class_().empty() &&
        category->class_() != short_name(request.kind())) {
      return refuse(v1::ASSISTANCE_REFUSAL_CATEGORY_KIND_MISMATCH, request_path(i, "category"),
                    {{"kind_of_category", category->class_()}});
    }
  }
  return std::nullopt;
}

std::string rank_on(const Worker& worker, int32_t day) {
  for (const auto& posting : worker.postings()) {
    if (posting.from_day() <= day && (posting.to_day() == 0 || day <= posting.to_day()))
      return posting.rank();
  }
  return "";
}

Decision decide(const Ledger& ledger, const RecordVisitRequest& command) {
  if (auto no = check_ids(ledger, command)) return *no;
  if (auto no = check_household(ledger, command.visited())) return *no;
  if (auto no = check_workers(ledger, command)) return *no;
  if (auto no = check_repeated(ledger, command)) return *no;
  if (auto no = check_categories(ledger, command)) return *no;

  auto visit = copy_inputs<VisitRecorded>(command);
  visit.set_leader_rank(rank_on(ledger.get<Worker>(command.visitors(0)), ledger.effective_day()));
  Events events = emit(std::move(visit));
  for (const auto& request : command.requests()) {
    auto issue = copy_inputs<IssueRaised>(request);
    *issue.mutable_subject() = command.visited();
    issue.set_found_by(command.visitors(0));
    issue.set_visit_id(command.visit_id());
    events.add(std::move(issue));
  }
  return events;
}

void evolve(Ledger& ledger, const VisitRecorded& event) {
  auto& visit = ledger.edit<Visit>(event.visit_id());
  *visit.mutable_visited() = event.visited();
  visit.set_day(ledger.effective_day());
  visit.set_channel(event.channel());
  visit.set_lead_worker_id(event.visitors(0));
  visit.mutable_recorder()->set_subject(ledger.actor().subject());
  visit.mutable_recorder()->set_worker_id(ledger.actor().worker_id());
  if (event.visited().kind() == common::v1::SUBJECT_KIND_HOUSEHOLD) {
    ledger.edit<VisitKey>(event.visited().id(), visit.day(), event.channel(), event.visitors(0))
        .set_visit_id(event.visit_id());
  }
}

}  // namespace

void register_visit(Registry& registry) {
  registry.command<RecordVisitRequest>(decide)
      .validate<RecordVisitRequest>(validate)
      .event<VisitRecorded>(evolve);
}

}  // namespace taizhang::assistance
