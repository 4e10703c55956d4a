// When and how callers are answered.
//
// Why an answer is certain: every answer waits for the confirmation of the last append made before
// it was decided (answer_when_certain), so it never rests on a state that the log may not hold;
// where the engine has no exclusive lock a refusal also waits for an append made after it, which a
// deposed writer cannot get confirmed.
#include <algorithm>

#include "platform/command/commit.h"
#include "platform/writer/parts.h"
#include "platform/writer/writer.h"
#include "taizhang/journal/v1/records.pb.h"
#include "taizhang/ledger/v1/ledger.pb.h"

namespace taizhang {

using google::protobuf::Message;

namespace {

// A question that has to wait longer is told that its request is pending this long before its
// deadline, so that the answer still arrives.
constexpr int64_t kAnswerBeforeDeadlineUs = 20'000;

}  // namespace

Error Writer::unavailable(const char* outcome) const {
  Error error = failure(kUnavailable, "WRITER_UNAVAILABLE",
                        "the ledger's writer cannot answer now", {{"outcome", outcome}},
                        kRetryAfterMs);
  if (owner_ && owner_->held_by_another() && !owner_->fold().owner_address().empty()) {
    error.message = "another process is the ledger's writer";
    error.metadata.emplace_back("owner", owner_->fold().owner_address());
  }
  return error;
}

// --- Taking calls in

void Writer::submit(Submission submission) {
  const auto full = [&](const char* limit, const char* message) {
    submission.done(failure(kResourceExhausted, "QUEUE_FULL", message,
                            {{"outcome", "none"}, {"limit", limit}}, kRetryAfterMs));
  };
  switch (queue_.put(submission)) {
    case CommandQueue::Put::kTaken: return;
    case CommandQueue::Put::kFull:
      return full("queued_commands_max", "too many commands are waiting");
    case CommandQueue::Put::kLedgerFull:
      return full("queued_commands_per_ledger_max", "too many commands of this ledger are waiting");
    case CommandQueue::Put::kClosed:
      return submission.done(error_of_append(absl::UnavailableError("stopping")));
  }
}

void Writer::ask(OutcomeQuestion question) {
  if (queue_.put(question) == CommandQueue::Put::kTaken) return;
  question.done(error_of_append(absl::UnavailableError("stopping, or too many questions")));
}

// --- Waiting for certainty

void Writer::answer_when_certain(Waiting waiting) {
  waiting.n = owner_->last_appended_n();
  if (owner_->refusal_needs_append()) {
    ++waiting.n;
    need_barrier_ = true;
  }
  if (waiting.n <= owner_->last_confirmed_n()) {
    ready_.push_back(std::move(waiting));
  } else {
    if (waiting.of_in_flight) ++of_in_flight_;
    waiting_.push_back(std::move(waiting));
  }
}

// The append failed and ended the epoch: the command is decided again, from what the log then
// holds.
void Writer::decide_again(Submission submission) {
  Waiting waiting;
  waiting.n = owner_->last_appended_n() + 1;  // never confirmed in this epoch
  waiting.submission = std::move(submission);
  waiting_.push_back(std::move(waiting));
}

void Writer::reply_refusal(Submission submission, const Refusal& refusal) {
  ++refusals_;
  Waiting waiting;
  waiting.answer = error_of(refusal);
  if (submission.validate_only) {
    submission.done(std::move(waiting.answer));
    return;
  }
  waiting.submission = std::move(submission);
  answer_when_certain(std::move(waiting));
}

Answer Writer::rebuild_answer(const Submission& submission, const Receipt& receipt) {
  const auto lost = [] {
    return failure(kDataLoss, "JOURNAL_UNREADABLE",
                   "the commit of the first answer cannot be read");
  };
  const auto offset = state_.offset_of(receipt.ledger, receipt.first_seq);
  if (!offset.ok() || !*offset) return lost();
  const auto commit = commits_in_journal_.read(**offset, receipt.ledger, receipt.first_seq);
  // A broker that is away: the request was decided, the next sending hears how.
  if (absl::IsUnavailable(commit.status())) return unavailable("unknown");
  if (!commit.ok()) return lost();
  const auto events = parse_events(registry_, **commit);
  if (!events.ok()) return lost();
  std::vector<const Message*> list;
  for (const auto& event : *events) list.push_back(event.get());
  ReceiptFields fields;
  fields.ledger = receipt.ledger;
  fields.first_seq = receipt.first_seq;
  fields.last_seq = receipt.last_seq;
  fields.recorded_time_us = receipt.recorded_time_us;
  fields.duplicate = receipt.duplicate;
  fields.unchanged = receipt.unchanged;
  return make_response(*submission.type->response, fields, list);
}

void Writer::answer(Waiting& waiting, Answer with) {
  auto& done = waiting.submission ? waiting.submission->done : waiting.question->done;
  done(std::move(with));
}

void Writer::deliver() {
  for (auto& certain : ready_) {
    if (certain.forward) {
      hooks_.forward(*certain.forward, std::move(*certain.submission));
      continue;
    }
    if (certain.rebuild) certain.answer = rebuild_answer(*certain.submission, *certain.rebuild);
    answer(certain, std::move(certain.answer));
  }
  ready_.clear();
}

// --- What cannot be answered as hoped

// The log has been read up to a later claim: what it holds of the ended epoch is all there will
// ever be. What is there is answered; the rest was never written: decide_doubts() takes it, or it is
// given back where another process decides now.
void Writer::resolve_doubts() {
  std::deque<Waiting> unanswered;
  unanswered.swap(doubtful_);
  for (auto& doubt : unanswered) {
    // Not by request id: another process may have decided the same request, at the same seq.
    if (doubt.wrote && doubt.n <= recovered_n_) {
      ready_.push_back(std::move(doubt));
    } else if (role_ == Role::kFollowing) {
      answer(doubt, unavailable("none"));
    } else {
      doubt.wrote = false;
      doubtful_.push_back(std::move(doubt));
    }
  }
}

void Writer::decide_doubts() {
  while (!doubtful_.empty() && owner_->serving()) {
    Waiting doubt = std::move(doubtful_.front());
    doubtful_.pop_front();
    if (doubt.question) {
      process(std::move(*doubt.question));
    } else {
      process(std::move(*doubt.submission));
    }
  }
}

// Commands and questions that wait to be decided, and were never written.
void Writer::answer_queued(int64_t late_boot_us) {
  if (queue_.empty()) return;
  auto late = queue_.take_late(late_boot_us);
  for (auto& submission : late.commands) submission.done(unavailable("none"));
  for (auto& question : late.questions) question.done(unavailable("none"));
}

void Writer::expire_doubts() {
  const int64_t now_us = clock_.boot_us();
  std::erase_if(doubtful_, [&](Waiting& doubt) {
    const int64_t deadline_us =
        doubt.submission ? doubt.submission->deadline_boot_us : doubt.question->deadline_boot_us;
    if (!failed_ && !stopping_ && now_us < deadline_us) return false;
    answer(doubt, unavailable(doubt.wrote ? "unknown" : "none"));
    return true;
  });
}

// A journal that stalls keeps questions waiting; those about a request that is written and not
// confirmed have an answer.
void Writer::expire_questions() {
  const int64_t now_us = clock_.boot_us();
  if (now_us < next_expiry_us_) return;
  next_expiry_us_ = now_us + kAnswerBeforeDeadlineUs / 2;
  const int64_t late_us = now_us + kAnswerBeforeDeadlineUs;
  std::erase_if(waiting_, [&](Waiting& waiting) {
    if (!waiting.of_in_flight || waiting.question->deadline_boot_us > late_us) return false;
    auto pending = std::make_unique<ledger::v1::GetOutcomeResponse>();
    pending->set_outcome(ledger::v1::GetOutcomeResponse::OUTCOME_PENDING);
    answer(waiting, std::move(pending));
    --of_in_flight_;
    return true;
  });
}

}  // namespace taizhang
