// What the journal tells the writer: records that were read, appends confirmed, an epoch that
// ended.
//
// When an epoch ends, the overlay is discarded whole and everything unanswered is looked up in the
// log, then decided again (the claim was had again) or given back as never written (another process
// has the partition).
#include "platform/base/log.h"
#include "platform/command/commit.h"
#include "platform/writer/parts.h"
#include "platform/writer/writer.h"
#include "taizhang/common/v1/request.pb.h"
#include "taizhang/journal/v1/records.pb.h"
#include "taizhang/platform/state/v1/state.pb.h"

namespace taizhang {

namespace jv1 = journal::v1;
namespace state = platform::state::v1;

absl::Status Writer::apply_commit(const jv1::Commit& commit, int64_t offset) {
  auto events = parse_events(registry_, commit);
  if (!events.ok()) return events.status();
  Rows& rows = state_.ledger(commit.ledger());
  const auto* ledger_state = owner_->fold().ledger(commit.ledger());
  Occasion occasion;
  occasion.ledger = commit.ledger();
  occasion.kind = ledger_state ? ledger_state->kind : 0;
  occasion.recorded_time_us = commit.recorded_time_us();
  size_t next = 0;
  const auto apply = [&](size_t count, const common::v1::Actor& actor) {
    occasion.actor = &actor;
    for (size_t end = next + count; next < end; ++next) {
      const auto& stored = commit.events(static_cast<int>(next));
      occasion.seq = commit.first_seq() + static_cast<int64_t>(next);
      occasion.effective_day = stored.effective_date();
      apply_event(registry_, rows, occasion, stored.type(), *(*events)[next]);
    }
  };
  for (const auto& request : commit.requests()) {
    const size_t first = next;
    if (first + request.events() > events->size() || request.events() == 0) {
      return absl::DataLossError("commit's requests do not add up to its events");
    }
    apply(request.events(), request.actor());
    const std::string id = uuid_text(request.request_id());
    Rows* named = request.ledger().empty() ? nullptr : &state_.ledger(request.ledger());
    apply_request(rows, occasion,
                  {id, request.fingerprint(), request.creating_fingerprint(), named},
                  commit.first_seq() + static_cast<int64_t>(first),
                  commit.first_seq() + static_cast<int64_t>(next) - 1, *(*events)[first]);
  }
  apply(events->size() - next, system_actor());
  state_.note_offset(commit.ledger(), commit.first_seq(), offset);
  return absl::OkStatus();
}

absl::Status Writer::apply_record(const journal::Folded& record) {
  if (record.commit) return apply_commit(*record.commit, record.offset);
  Occasion occasion;
  occasion.ledger = record.request_settled->ledger();
  occasion.context = "platform";
  Ledger(state_.ledger(occasion.ledger), occasion)
      .edit<state::SettledRequest>(uuid_text(record.request_settled->request_id()));
  return absl::OkStatus();
}

absl::Status Writer::on_record(const journal::Folded& record) {
  const absl::Status kept = keep(record);
  state_behind_ |= !kept.ok();
  return kept;
}

absl::Status Writer::keep(const journal::Folded& record) {
  // n ascends without gaps, so everything before it is there too.
  if (record.header.owner == owner_->own_last()) recovered_n_ = record.header.n;
  if (hooks_.on_ledger && record.ledger_opened) {
    hooks_.on_ledger(record.ledger_opened->ledger(), true);
  }
  if (hooks_.on_ledger && record.ledger_closed) {
    hooks_.on_ledger(record.ledger_closed->ledger(), false);
  }
  if (record.state_mark && record.state_mark->fold_version() == kStateFoldVersion) {
    const auto digest = state_.digest();
    if (record.state_mark->digest() != std::string(digest.begin(), digest.end())) {
      return absl::DataLossError("state differs from the journal's mark at offset " +
                                 std::to_string(record.offset) +
                                 ": drop the state tables and start again");
    }
  }
  if (!record.commit && !record.request_settled) return absl::OkStatus();
  state_.begin(1);
  if (const absl::Status applied = apply_record(record); !applied.ok()) {
    state_.rollback();
    return absl::Status(applied.code(), "offset " + std::to_string(record.offset) + ": " +
                                            std::string(applied.message()));
  }
  state_.confirm(1);
  if (!state_.status().ok()) return state_.status();
  if (state_.unwritten_rows() >= settings_.state_write_rows) {
    return state_.write(owner_->fold(), owner_->take_touched_ledgers());
  }
  return absl::OkStatus();
}

void Writer::on_confirmed(uint64_t n, int64_t offset) {
  state_.confirm(n);
  if (const auto commit = commit_at_.find(n); commit != commit_at_.end()) {
    state_.note_offset(commit->second.ledger, commit->second.first_seq, offset);
    commit_at_.erase(commit);
    ++commits_;
    ++commits_since_mark_;
  }
  if (const auto opened = opened_at_.find(n); opened != opened_at_.end()) {
    if (hooks_.on_ledger) hooks_.on_ledger(opened->second, true);
    opened_at_.erase(opened);
  }
  while (!bulk_appends_.empty() && bulk_appends_.front() <= n) bulk_appends_.pop_front();
  while (!waiting_.empty() && waiting_.front().n <= n) {
    if (waiting_.front().of_in_flight) --of_in_flight_;
    ready_.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
  }
}

void Writer::on_epoch_ended(const absl::Status& why) {
  log(LogLevel::kWarning, "epoch_ended", {{"why", std::string(why.message())}});
  serving_ = false;
  in_flight_ = 0;
  state_.discard();
  commit_at_.clear();
  opened_at_.clear();
  bulk_appends_.clear();
  need_barrier_ = false;
  for (auto& unanswered : waiting_) doubtful_.push_back(std::move(unanswered));
  waiting_.clear();
  of_in_flight_ = 0;
  recovered_n_ = 0;
  if (absl::IsDataLoss(why)) stop_for_good(why);
}

}  // namespace taizhang
