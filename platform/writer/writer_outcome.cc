// GetOutcome: what became of a request, and cancelling one of which nothing is known.
#include "platform/command/commit.h"
#include "platform/writer/parts.h"
#include "platform/writer/writer.h"
#include "taizhang/common/v1/errors.pb.h"
#include "taizhang/journal/v1/records.pb.h"
#include "taizhang/ledger/v1/ledger.pb.h"
#include "taizhang/platform/state/v1/state.pb.h"

namespace taizhang {

using journal::Draft;
using journal::Kind;
namespace jv1 = journal::v1;
namespace state = platform::state::v1;

namespace {

constexpr int64_t kMicrosPerSecond = 1'000'000;

}  // namespace

bool Writer::may_settle() {
  const int64_t now_us = clock_.boot_us();
  if (now_us - settles_from_us_ >= kMicrosPerSecond) {
    settles_from_us_ = now_us;
    settles_ = 0;
  }
  return settles_++ < settings_.settles_per_s_max;
}

void Writer::process(OutcomeQuestion question) {
  using ledger::v1::GetOutcomeResponse;
  if (clock_.boot_us() > question.deadline_boot_us) return question.done(deadline_passed());
  if (!state_.status().ok()) return question.done(damaged_state());
  const auto* ledger_state = owner_->speculative().ledger(question.ledger);
  auto response = std::make_unique<GetOutcomeResponse>();
  Waiting waiting;
  if (!ledger_state || !ledger_state->open) {
    waiting.answer = error_of(refuse(common::v1::COMMON_REFUSAL_LEDGER_NOT_FOUND, "ledger"));
    waiting.question = std::move(question);
    return answer_when_certain(std::move(waiting));
  }
  Occasion occasion;
  occasion.ledger = question.ledger;
  occasion.context = "platform";
  occasion.actor = &system_actor();
  Ledger view(state_.ledger(question.ledger), occasion);
  const auto* settled = view.find<state::SettledRequest>(question.request_id);
  if (!settled && question.settle) {
    if (!may_settle()) {
      return question.done(failure(
          kResourceExhausted, "SETTLE_RATE", "too many requests are being cancelled",
          {{"limit", "settles_per_s_max"}, {"max", std::to_string(settings_.settles_per_s_max)}},
          kRetryAfterMs));
    }
    jv1::RequestSettled cancelled;
    cancelled.set_ledger(question.ledger);
    cancelled.set_request_id(uuid_bytes(question.request_id));
    cancelled.set_outcome(jv1::RequestSettled::OUTCOME_CANCELLED);
    cancelled.set_recorded_time_us(owner_->next_recorded_time_us(question.ledger));
    auto draft = Draft::of(Kind::kRequestSettled, cancelled);
    state_.begin(owner_->last_appended_n() + 1);
    view.edit<state::SettledRequest>(question.request_id);
    const auto n =
        draft.ok() ? owner_->append(*std::move(draft)) : absl::StatusOr<uint64_t>(draft.status());
    if (!n.ok()) {
      state_.rollback();
      return question.done(error_of_append(n.status()));
    }
    response->set_outcome(GetOutcomeResponse::OUTCOME_CANCELLED);
    waiting.n = *n;
    waiting.wrote = true;
    waiting.answer = std::move(response);
    waiting.question = std::move(question);
    waiting_.push_back(std::move(waiting));
    return;
  }
  if (!settled) {
    response->set_outcome(GetOutcomeResponse::OUTCOME_ABSENT);
  } else if (settled->first_seq() == 0) {
    response->set_outcome(GetOutcomeResponse::OUTCOME_CANCELLED);
  } else {
    const std::string& home = settled->ledger().empty() ? question.ledger : settled->ledger();
    const auto* confirmed = owner_->fold().ledger(home);
    waiting.of_in_flight = !confirmed || settled->last_seq() >= confirmed->next_seq;
    response->set_outcome(GetOutcomeResponse::OUTCOME_COMMITTED);
    auto& receipt = *response->mutable_receipt();
    receipt.set_ledger(home);
    receipt.set_first_seq(settled->first_seq());
    receipt.set_last_seq(settled->last_seq());
    receipt.mutable_recorded_time()->set_seconds(settled->recorded_time_us() / kMicrosPerSecond);
    receipt.mutable_recorded_time()->set_nanos(
        static_cast<int32_t>(settled->recorded_time_us() % kMicrosPerSecond * 1'000));
    for (int64_t seq = settled->first_seq(); seq <= settled->last_seq(); ++seq) {
      receipt.add_event_ids(home + "/" + std::to_string(seq));
    }
  }
  waiting.answer = std::move(response);
  waiting.question = std::move(question);
  answer_when_certain(std::move(waiting));
}

}  // namespace taizhang
