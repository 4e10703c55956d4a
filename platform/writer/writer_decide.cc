// From a command to an append.
#include <algorithm>

#include "platform/base/log.h"
#include "platform/command/commit.h"
#include "platform/command/ledgers.h"
#include "platform/writer/parts.h"
#include "platform/writer/writer.h"
#include "taizhang/admin/v1/commands.pb.h"
#include "taizhang/admin/v1/errors.pb.h"
#include "taizhang/common/v1/errors.pb.h"
#include "taizhang/common/v1/request.pb.h"
#include "taizhang/journal/v1/records.pb.h"
#include "taizhang/ledger/state/v1/state.pb.h"
#include "taizhang/ledger/v1/events.pb.h"
#include "taizhang/platform/state/v1/state.pb.h"

namespace taizhang {

using google::protobuf::Message;
using journal::Draft;
using journal::Kind;
using PlacedLedger = ledger::state::v1::PlacedLedger;
namespace jv1 = journal::v1;
namespace state = platform::state::v1;

namespace {

constexpr std::string_view kSelfApprove = "SELF_APPROVE";

// A commit without events; its one request tells everything but the outcome.
jv1::Commit commit_of(const Submission& submission, std::string_view ledger,
                      const Occasion& occasion, const std::string& key_id) {
  const auto& context = submission.type->context_of(*submission.request);
  jv1::Commit commit;
  commit.set_ledger(std::string(ledger));
  commit.set_first_seq(occasion.seq);
  commit.set_recorded_time_us(occasion.recorded_time_us);
  auto& stored = *commit.add_requests();
  stored.set_request_id(uuid_bytes(submission.request_id));
  stored.set_fingerprint(submission.fingerprints.request);
  stored.set_key_id(key_id);
  stored.set_command(submission.type->name);
  *stored.mutable_actor() = *occasion.actor;
  *stored.mutable_source() = context.source();
  stored.set_reason(context.reason());
  stored.set_correlation_id(context.correlation_id());
  if (submission.type->options->system()) stored.set_ledger(submission.ledger);
  return commit;
}

}  // namespace

const std::string& Writer::home_of(const Submission& submission) const {
  return submission.type->options->system() ? system_ledger_ : submission.ledger;
}

Occasion Writer::occasion_for(const Submission& submission, int kind,
                              const common::v1::Actor* actor) const {
  Occasion occasion;
  occasion.ledger = home_of(submission);
  occasion.kind = kind;
  occasion.recorded_time_us = owner_->next_recorded_time_us(occasion.ledger);
  occasion.effective_day = submission.type->effective_day(*submission.request);
  occasion.actor = actor;
  occasion.may_self_approve = submission.caller->has_right(std::string(kSelfApprove));
  occasion.expected_version = submission.type->context_of(*submission.request).expected_version();
  occasion.blind_index = &blind_index_;
  const auto* ledger_state = owner_->speculative().ledger(occasion.ledger);
  occasion.seq = ledger_state ? ledger_state->next_seq : 1;
  return occasion;
}

void Writer::process(Submission submission) {
  if (clock_.boot_us() > submission.deadline_boot_us) return submission.done(deadline_passed());
  // A row that could not be read counts as absent from then on, so nothing may be decided any more.
  if (!state_.status().ok()) return submission.done(damaged_state());
  const bool opening = submission.type->name == kOpenLedger;
  const auto* ledger_state = owner_->speculative().ledger(submission.ledger);
  const bool open = ledger_state && ledger_state->open;
  if (!open && !opening) {
    return reply_refusal(std::move(submission),
                         refuse(common::v1::COMMON_REFUSAL_LEDGER_NOT_FOUND, "ledger"));
  }
  int kind =
      opening ? static_cast<const admin::v1::OpenLedgerRequest&>(*submission.request).kind()
              : ledger_state->kind;
  if (auto no = check_kind(*submission.type, kind))
    return reply_refusal(std::move(submission), *no);

  const bool on_system = submission.type->options->system();
  if (on_system) kind = common::v1::LEDGER_KIND_SYSTEM;
  const common::v1::Actor actor = actor_of(*submission.caller);
  Occasion occasion = occasion_for(submission, kind, &actor);
  if (on_system)
    occasion.named_seq = owner_->speculative().ledger(submission.ledger)->next_seq - 1;
  const Ledger view(state_.ledger(occasion.ledger), occasion);
  // A request id belongs to the ledger that was named, wherever the command is decided.
  const Ledger named(state_.ledger(submission.ledger), occasion);
  if (const auto* settled = named.find<state::SettledRequest>(submission.request_id)) {
    if (settled->first_seq() == 0) {
      return reply_refusal(
          std::move(submission),
          refuse(common::v1::COMMON_REFUSAL_REQUEST_CANCELLED, "context.request_id"));
    }
    if (settled->fingerprint() != submission.fingerprints.request) {
      return reply_refusal(
          std::move(submission),
          refuse(common::v1::COMMON_REFUSAL_REQUEST_ID_REUSED, "context.request_id"));
    }
    ++duplicates_;
    Waiting waiting;
    waiting.rebuild = Receipt{settled->ledger().empty() ? submission.ledger : settled->ledger(),
                              settled->first_seq(), settled->last_seq(),
                              settled->recorded_time_us(), true, false};
    waiting.submission = std::move(submission);
    return answer_when_certain(std::move(waiting));
  }

  Decision decision = decide_command(registry_, *submission.type, view, *submission.request,
                                     submission.references, submission.fingerprints.creating);
  if (!state_.status().ok()) return submission.done(damaged_state());
  if (const auto* refusal = decision.refusal())
    return reply_refusal(std::move(submission), *refusal);
  if (const auto* same = decision.unchanged()) {
    Waiting waiting;
    waiting.rebuild = Receipt{occasion.ledger, same->first_seq,
                              std::max(same->last_seq, same->first_seq), same->recorded_time_us,
                              false, true};
    waiting.submission = std::move(submission);
    return answer_when_certain(std::move(waiting));
  }
  if (submission.validate_only) {
    std::vector<const Message*> events;
    for (const auto& emitted : decision.events()->list()) events.push_back(emitted.event.get());
    ReceiptFields receipt;
    receipt.ledger = occasion.ledger;
    receipt.decided_on_seq = occasion.seq - 1;
    return submission.done(make_response(*submission.type->response, receipt, events));
  }
  if (opening) {
    std::optional<Error> error;
    switch (open_ledger(submission, error)) {
      case Opening::kOpened: break;
      case Opening::kForwarded: return;
      case Opening::kPlacedOtherwise:
        return reply_refusal(std::move(submission),
                             refuse(admin::v1::ADMIN_REFUSAL_LEDGER_EXISTS, "ledger"));
      case Opening::kFailed:
        if (!owner_->serving()) return decide_again(std::move(submission));
        return submission.done(std::move(*error));
    }
  }
  if (on_system) {
    const auto founded = found_by_itself(system_ledger_, kind, "system");
    if (!founded.ok() && !owner_->serving()) return decide_again(std::move(submission));
    if (!founded.ok()) return submission.done(error_of_append(founded));
    occasion.seq = owner_->speculative().ledger(system_ledger_)->next_seq;
  }
  // Opening a ledger moved its time: accept() takes it anew.
  accept(std::move(submission), occasion, *decision.events());
}

void Writer::accept(Submission submission, const Occasion& decided_on, Events& events) {
  Occasion occasion = decided_on;
  occasion.recorded_time_us =
      std::max(decided_on.recorded_time_us, owner_->next_recorded_time_us(occasion.ledger));
  jv1::Commit commit = commit_of(submission, occasion.ledger, occasion, key_id_);
  auto& stored = *commit.mutable_requests(0);
  stored.set_creating_fingerprint(submission.fingerprints.creating);
  for (const auto& right : events.rights_used()) {
    stored.mutable_actor()->add_rights_used(right);
    if (right == kSelfApprove) stored.set_self_approved(true);
  }
  stored.set_events(static_cast<uint32_t>(events.list().size()));
  add_events(events.list(), occasion.effective_day, commit);

  occasion.actor = &stored.actor();
  const auto n = append_commit(commit, events.list(), &submission, occasion);
  if (!n.ok() && !owner_->serving()) return decide_again(std::move(submission));
  if (!n.ok()) return submission.done(error_of_append(n.status()));

  std::vector<const Message*> emitted;
  for (const auto& one : events.list()) emitted.push_back(one.event.get());
  ReceiptFields receipt;
  receipt.ledger = occasion.ledger;
  receipt.first_seq = occasion.seq;
  receipt.last_seq = occasion.seq + static_cast<int64_t>(emitted.size()) - 1;
  receipt.recorded_time_us = occasion.recorded_time_us;
  Waiting waiting;
  waiting.n = *n;
  waiting.answer = make_response(*submission.type->response, receipt, emitted);
  waiting.wrote = true;
  if (submission.bulk) bulk_appends_.push_back(*n);
  waiting.submission = std::move(submission);
  waiting_.push_back(std::move(waiting));
}

// Applies the commit to the overlay and appends it. The rows are edited first: their tag is the n
// that append() gives.
absl::StatusOr<uint64_t> Writer::append_commit(const jv1::Commit& commit,
                                               const std::vector<Emitted>& events,
                                               const Submission* submission,
                                               const Occasion& occasion) {
  auto draft = Draft::of(Kind::kCommit, commit);
  if (!draft.ok()) return draft.status();
  const uint64_t expected_n = owner_->last_appended_n() + 1;
  state_.begin(expected_n);
  Rows& rows = state_.ledger(commit.ledger());
  Occasion at = occasion;
  for (size_t i = 0; i < events.size(); ++i) {
    const auto& stored = commit.events(static_cast<int>(i));
    at.seq = commit.first_seq() + static_cast<int64_t>(i);
    at.effective_day = stored.effective_date();
    apply_event(registry_, rows, at, stored.type(), *events[i].event);
  }
  if (submission) {
    const auto& request = commit.requests(0);
    Rows* named = request.ledger().empty() ? nullptr : &state_.ledger(request.ledger());
    apply_request(
        rows, at,
        {submission->request_id, request.fingerprint(), request.creating_fingerprint(), named},
        commit.first_seq(), commit.first_seq() + commit.events_size() - 1, *events.front().event);
  }
  if (!state_.status().ok()) {
    state_.rollback();
    return absl::DataLossError("state tables are damaged");
  }
  const auto n = owner_->append(*std::move(draft));
  if (!n.ok()) {
    state_.rollback();
    return n;
  }
  if (*n != expected_n) broken_invariant("append got another n than its rows");
  commit_at_[*n] = {commit.ledger(), commit.first_seq()};
  return n;
}

// --- Ledgers

// A new journal: the directory ledger is there before any command.
absl::Status Writer::found_directory() {
  return found_by_itself(kDirectory, common::v1::LEDGER_KIND_DIRECTORY, "directory");
}

// A ledger that the platform opens and founds by itself, unless that was done before.
absl::Status Writer::found_by_itself(std::string_view ledger_code, int kind, const char* name) {
  const auto* known = owner_->speculative().ledger(ledger_code);
  if (!known || !known->open) {
    if (auto opened = append_ledger_opened(ledger_code, kind); !opened.ok()) return opened;
    known = owner_->speculative().ledger(ledger_code);
  }
  if (known->next_seq > 1) return absl::OkStatus();
  auto founded = std::make_unique<ledger::v1::LedgerFounded>();
  founded->set_ledger(std::string(ledger_code));
  founded->set_kind(static_cast<common::v1::LedgerKind>(kind));
  founded->set_name(name);
  std::vector<Emitted> events;
  events.push_back({std::move(founded), 0});
  Occasion occasion;
  occasion.ledger = ledger_code;
  occasion.kind = kind;
  occasion.actor = &system_actor();
  occasion.recorded_time_us = owner_->next_recorded_time_us(ledger_code);
  jv1::Commit commit;
  commit.set_ledger(occasion.ledger);
  commit.set_first_seq(1);
  commit.set_recorded_time_us(occasion.recorded_time_us);
  add_events(events, 0, commit);
  return append_commit(commit, events, nullptr, occasion).status();
}

absl::Status Writer::append_ledger_opened(std::string_view ledger_code, int kind) {
  const auto* known = owner_->speculative().ledger(ledger_code);
  jv1::LedgerOpened opened;
  opened.set_ledger(std::string(ledger_code));
  opened.set_generation((known ? std::max(known->generation, known->closed_generation) : 0) + 1);
  opened.set_next_seq(1);
  opened.set_kind(static_cast<common::v1::LedgerKind>(kind));
  opened.set_recorded_time_us(owner_->next_recorded_time_us(ledger_code));
  auto draft = Draft::of(Kind::kLedgerOpened, opened);
  if (!draft.ok()) return draft.status();
  const auto n = owner_->append(*std::move(draft));
  if (!n.ok()) return n.status();
  opened_at_[*n] = opened.ledger();
  return absl::OkStatus();
}

uint32_t Writer::partition_with_fewest(const Ledger& directory) const {
  std::vector<size_t> ledgers(owner_->fold().partition_count());
  directory.scan<PlacedLedger>([&](const PlacedLedger& placed) {
    if (placed.partition() < ledgers.size()) ++ledgers[placed.partition()];
  });
  return static_cast<uint32_t>(std::min_element(ledgers.begin(), ledgers.end()) - ledgers.begin());
}

// Places the ledger in the directory, which lives in partition 0, and opens it in the partition it
// was placed in; each step is left out when it was done before. A ledger of another partition is
// opened there, once its placement is certain.
Writer::Opening Writer::open_ledger(Submission& submission, std::optional<Error>& error) {
  const auto& request = static_cast<const admin::v1::OpenLedgerRequest&>(*submission.request);
  const auto open_here = [&] {
    const auto* known = owner_->speculative().ledger(request.ledger());
    if (known && known->open) return Opening::kOpened;
    if (auto opened = append_ledger_opened(request.ledger(), request.kind()); !opened.ok()) {
      error = error_of_append(opened);
      return Opening::kFailed;
    }
    return Opening::kOpened;
  };
  // Forwarded by the writer of partition 0, which has checked and placed it.
  const uint32_t here = owner_->fold().partition();
  if (here != 0) return open_here();

  const common::v1::Actor actor = actor_of(*submission.caller);
  Occasion occasion = occasion_for(submission, common::v1::LEDGER_KIND_DIRECTORY, &actor);
  occasion.ledger = kDirectory;
  occasion.seq = owner_->speculative().ledger(kDirectory)->next_seq;
  occasion.recorded_time_us = owner_->next_recorded_time_us(kDirectory);
  const Ledger directory(state_.ledger(kDirectory), occasion);
  uint32_t partition = 0;
  if (const auto* placed = directory.find<PlacedLedger>(request.ledger())) {
    if (placed->kind() != request.kind() || placed->name() != request.name())
      return Opening::kPlacedOtherwise;
    partition = placed->partition();
  } else {
    partition = partition_with_fewest(directory);
    auto event = std::make_unique<ledger::v1::LedgerPlaced>();
    event->set_ledger(request.ledger());
    event->set_kind(request.kind());
    event->set_name(request.name());
    event->set_partition(partition);
    event->set_generation(1);
    std::vector<Emitted> events;
    events.push_back({std::move(event), 0});
    jv1::Commit commit = commit_of(submission, kDirectory, occasion, key_id_);
    commit.mutable_requests(0)->set_events(1);
    add_events(events, occasion.effective_day, commit);
    if (auto n = append_commit(commit, events, &submission, occasion); !n.ok()) {
      error = error_of_append(n.status());
      return Opening::kFailed;
    }
  }
  if (partition == here) return open_here();
  Waiting waiting;
  waiting.forward = partition;
  waiting.submission = std::move(submission);
  answer_when_certain(std::move(waiting));
  return Opening::kForwarded;
}

}  // namespace taizhang
