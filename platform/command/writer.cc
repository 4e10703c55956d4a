// The writer of one partition.
//
// Why an answer is certain: every answer waits for the confirmation of the last append made before
// it was decided (answer_when_certain), so it never rests on a state that the log may not hold;
// where the engine has no exclusive lock a refusal also waits for an append made after it, which a
// deposed writer cannot get confirmed. When an epoch ends, the overlay is discarded whole and
// everything unanswered is looked up in the log or decided again.
#include "platform/command/writer.h"

#include <algorithm>
#include <chrono>

#include "platform/base/log.h"
#include "platform/command/commit.h"
#include "platform/command/ledgers.h"
#include "taizhang/admin/v1/commands.pb.h"
#include "taizhang/admin/v1/errors.pb.h"
#include "taizhang/common/v1/errors.pb.h"
#include "taizhang/common/v1/request.pb.h"
#include "taizhang/journal/v1/records.pb.h"
#include "taizhang/ledger/state/v1/state.pb.h"
#include "taizhang/ledger/v1/events.pb.h"
#include "taizhang/ledger/v1/ledger.pb.h"
#include "taizhang/platform/state/v1/state.pb.h"

namespace taizhang {

using google::protobuf::Message;
using journal::Draft;
using journal::Kind;
namespace jv1 = journal::v1;
namespace state = platform::state::v1;

namespace {

constexpr int64_t kRetryAfterMs = 1'000;
constexpr std::string_view kSelfApprove = "SELF_APPROVE";

const common::v1::RequestContext& context_of(const Message& request) {
  const auto* part = request.GetDescriptor()->FindFieldByNumber(1);
  return static_cast<const common::v1::RequestContext&>(
      request.GetReflection()->GetMessage(request, part));
}

common::v1::Actor actor_of(const Caller& caller) {
  common::v1::Actor actor;
  actor.set_subject(caller.subject);
  actor.set_worker_id(caller.worker_id);
  actor.set_org_id(caller.org_id);
  for (const int role : caller.roles) actor.add_roles(static_cast<common::v1::Role>(role));
  for (const auto& region : caller.regions) actor.add_regions(region);
  for (const auto& right : caller.rights) actor.add_rights(right);
  return actor;
}

const common::v1::Actor& system_actor() {
  static const common::v1::Actor actor = [] {
    common::v1::Actor made;
    made.set_subject("taizhang");
    return made;
  }();
  return actor;
}

Error unavailable(const char* outcome) {
  return failure(kUnavailable, "WRITER_UNAVAILABLE", "the ledger's writer cannot answer now",
                 {{"outcome", outcome}}, kRetryAfterMs);
}

Error deadline_passed() {
  return failure(kDeadlineExceeded, "DEADLINE_EXCEEDED",
                 "the deadline passed before the command was decided", {{"outcome", "none"}});
}

Error damaged_state() {
  return failure(kDataLoss, "STATE_DAMAGED",
                 "the writer's state tables are damaged; they can be rebuilt from the journal",
                 {{"outcome", "none"}});
}

// Why an append was not made. Nothing of it was written.
Error error_of_append(const absl::Status& status) {
  if (absl::IsResourceExhausted(status)) {
    return failure(kResourceExhausted, "NO_ROOM", "no room in the journal now",
                   {{"outcome", "none"}}, kRetryAfterMs);
  }
  if (absl::IsDataLoss(status)) return damaged_state();
  if (absl::IsInvalidArgument(status)) {
    Error error = failure(
        kInvalidArgument, "COMMIT_TOO_LARGE", "the command's events exceed the bound of one commit",
        {{"limit", "journal_record_bytes_max"}, {"max", std::to_string(journal::kRecordBytesMax)}});
    error.zh = "内容过大，请分批提交";
    return error;
  }
  return unavailable("none");
}

}  // namespace

Writer::Writer(journal::Log& log, Clock& clock, Random& random, const Registry& registry,
               State& state, const BlindIndex& blind_index, std::string key_id,
               WriterSettings settings)
    : log_(log),
      clock_(clock),
      registry_(registry),
      state_(state),
      blind_index_(blind_index),
      key_id_(std::move(key_id)),
      settings_(std::move(settings)),
      random_(random) {}

Writer::~Writer() { stop(); }

// --- Starting and stopping
// ------------------------------------------------------------------------------------------

absl::Status Writer::start() {
  auto stored = state_.stored_fold();
  if (!stored.ok()) return stored.status();
  journal::Fold fold = *stored ? std::move(**stored) : journal::Fold(0);
  journal::OwnerListener& listener = *this;
  owner_ = std::make_unique<journal::Owner>(log_, clock_, random_, listener, std::move(fold),
                                            settings_.owner, [this] { wake(); });
  if (auto claimed = owner_->claim(); !claimed.ok()) return claimed;
  serving_ = true;
  ++epochs_;
  if (auto founded = found_directory(); !founded.ok()) return founded;
  return absl::OkStatus();
}

void Writer::run() {
  thread_ = std::thread([this] { loop(); });
}

void Writer::stop() {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return;
    stopping_ = true;
    woken_ = true;
  }
  work_.notify_all();
  if (thread_.joinable()) thread_.join();
  if (!owner_ || failed_) return;
  while (step()) {
  }
  if (owner_->serving()) {
    const auto released = owner_->release(absl::Seconds(10));
    if (!released.ok())
      log(LogLevel::kWarning, "release_failed", {{"why", std::string(released.message())}});
  }
  owner_->poll();
  deliver();
  const auto flushed = state_.flush(owner_->fold(), owner_->take_touched_ledgers());
  if (!flushed.ok())
    log(LogLevel::kWarning, "state_flush_failed", {{"why", std::string(flushed.message())}});
  serving_ = false;
}

// A new journal: the directory ledger is opened and founded by the platform itself.
absl::Status Writer::found_directory() {
  const auto* directory = owner_->fold().ledger(kDirectory);
  if (!directory || !directory->open) {
    if (auto opened = append_ledger_opened(kDirectory, common::v1::LEDGER_KIND_DIRECTORY);
        !opened.ok())
      return opened;
  }
  directory = owner_->speculative().ledger(kDirectory);
  if (directory->next_seq > 1) return absl::OkStatus();
  auto founded = std::make_unique<ledger::v1::LedgerFounded>();
  founded->set_ledger(std::string(kDirectory));
  founded->set_kind(common::v1::LEDGER_KIND_DIRECTORY);
  founded->set_name("directory");
  std::vector<Emitted> events;
  events.push_back({std::move(founded), 0});
  Occasion occasion;
  occasion.ledger = kDirectory;
  occasion.kind = common::v1::LEDGER_KIND_DIRECTORY;
  occasion.actor = &system_actor();
  occasion.recorded_time_us = owner_->next_recorded_time_us(kDirectory);
  jv1::Commit commit;
  commit.set_ledger(std::string(kDirectory));
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
  return owner_->append(*std::move(draft)).status();
}

// --- What the journal tells
// -----------------------------------------------------------------------------------------

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
    apply_request(rows, occasion, {id, request.fingerprint(), request.creating_fingerprint()},
                  commit.first_seq() + static_cast<int64_t>(first),
                  commit.first_seq() + static_cast<int64_t>(next) - 1, *(*events)[first]);
  }
  apply(events->size() - next, system_actor());
  state_.note_offset(commit.ledger(), commit.first_seq(), offset);
  return absl::OkStatus();
}

absl::Status Writer::on_record(const journal::Folded& record) {
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
  absl::Status applied = absl::OkStatus();
  if (record.commit) {
    applied = apply_commit(*record.commit, record.offset);
  } else {
    Occasion occasion;
    occasion.ledger = record.request_settled->ledger();
    occasion.context = "platform";
    Ledger(state_.ledger(occasion.ledger), occasion)
        .edit<state::SettledRequest>(uuid_text(record.request_settled->request_id()));
  }
  if (!applied.ok()) {
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
  const auto commit = commit_at_.find(n);
  if (commit != commit_at_.end()) {
    state_.note_offset(commit->second.first, commit->second.second, offset);
    commit_at_.erase(commit);
    ++commits_;
    ++commits_since_mark_;
  }
  while (!bulk_appends_.empty() && bulk_appends_.front() <= n) bulk_appends_.pop_front();
  while (!waiting_.empty() && waiting_.front().n <= n) {
    ready_.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
  }
}

void Writer::on_epoch_ended(const absl::Status& why) {
  log(LogLevel::kWarning, "epoch_ended", {{"why", std::string(why.message())}});
  serving_ = false;
  state_.discard();
  commit_at_.clear();
  bulk_appends_.clear();
  need_barrier_ = false;
  for (auto& unanswered : waiting_) doubtful_.push_back(std::move(unanswered));
  waiting_.clear();
  if (absl::IsDataLoss(why)) failed_ = true;
}

// --- Taking work
// ----------------------------------------------------------------------------------------------------

void Writer::wake() {
  {
    const std::lock_guard lock(mutex_);
    if (woken_) return;
    woken_ = true;
  }
  work_.notify_one();
}

void Writer::submit(Submission submission) {
  const char* refused = nullptr;
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) {
      refused = "stopping";
    } else if (queue_.size() + bulk_queue_.size() >= settings_.queued_commands_max) {
      refused = "full";
    } else {
      (submission.bulk ? bulk_queue_ : queue_).push_back(std::move(submission));
      ++queued_;
      if (woken_) return;
      woken_ = true;
    }
  }
  if (!refused) {
    work_.notify_one();
  } else if (std::string_view(refused) == "stopping") {
    submission.done(unavailable("none"));
  } else {
    submission.done(failure(kResourceExhausted, "QUEUE_FULL", "too many commands are waiting",
                            {{"outcome", "none"}, {"limit", "queued_commands_max"}},
                            kRetryAfterMs));
  }
}

void Writer::ask(OutcomeQuestion question) {
  {
    const std::lock_guard lock(mutex_);
    if (!stopping_ && questions_.size() < settings_.queued_commands_max) {
      questions_.push_back(std::move(question));
      woken_ = true;
      question.done = nullptr;
    }
  }
  if (question.done) return question.done(unavailable("none"));
  work_.notify_one();
}

void Writer::loop() {
  while (true) {
    if (step()) continue;
    // Work often comes within microseconds of the last answer; sleeping and waking costs more than
    // looking for it.
    const int64_t give_up_us = clock_.boot_us() + settings_.spin_us;
    bool found = false;
    while (!found && clock_.boot_us() < give_up_us) {
      const std::lock_guard lock(mutex_);
      found = woken_;
    }
    std::unique_lock lock(mutex_);
    if (stopping_ && queue_.empty() && bulk_queue_.empty() && questions_.empty() &&
        waiting_.empty() && doubtful_.empty()) {
      return;
    }
    if (failed_ && stopping_) return;
    if (!woken_) work_.wait_for(lock, std::chrono::milliseconds(20));
    woken_ = false;
  }
}

bool Writer::step() {
  if (failed_ || !owner_->serving()) return recover();
  const bool took = take_queue();
  if (need_barrier_) {
    need_barrier_ = false;
    jv1::Barrier barrier;
    barrier.set_recorded_time_us(owner_->next_recorded_time_us(""));
    if (auto draft = Draft::of(Kind::kBarrier, barrier); draft.ok()) {
      // Without room the waiters stay, and the next turn tries again.
      need_barrier_ = !owner_->append(*std::move(draft)).ok();
    }
  }
  bool alone = false;
  {
    const std::lock_guard lock(mutex_);
    alone = queue_.empty() && bulk_queue_.empty();
  }
  if (owner_->in_flight_records() > 0) owner_->flush(alone);
  const size_t confirmed = owner_->poll();
  in_flight_ = owner_->in_flight_records();
  void_records_ = static_cast<uint64_t>(owner_->fold().void_count());
  foreign_records_ = static_cast<uint64_t>(owner_->fold().foreign_count());
  if (!state_.status().ok() && !damaged_) {
    damaged_ = true;
    log(LogLevel::kError, "state_damaged", {{"why", std::string(state_.status().message())}});
  }
  deliver();
  const bool wrote = write_state(false);
  return took || confirmed > 0 || wrote;
}

// Takes what waits, interactive commands first; bulk only while it holds less than its share of
// what is in flight.
bool Writer::take_queue() {
  std::deque<Submission> commands;
  std::deque<Submission> bulk;
  std::deque<OutcomeQuestion> questions;
  {
    const std::lock_guard lock(mutex_);
    woken_ = false;
    commands.swap(queue_);
    questions.swap(questions_);
    size_t bulk_room = bulk_appends_.size() < settings_.bulk_in_flight_max
                           ? settings_.bulk_in_flight_max - bulk_appends_.size()
                           : 0;
    // A turn stays short, so that an interactive command that comes meanwhile does not wait behind
    // a whole import.
    bulk_room = std::min<size_t>(bulk_room, 256);
    while (bulk_room-- > 0 && !bulk_queue_.empty()) {
      bulk.push_back(std::move(bulk_queue_.front()));
      bulk_queue_.pop_front();
    }
  }
  const bool any = !commands.empty() || !bulk.empty() || !questions.empty();
  if (commits_since_mark_ >= settings_.state_mark_commits && owner_->in_flight_records() == 0) {
    const auto digest = state_.digest();
    jv1::StateMark mark;
    mark.set_fold_version(kStateFoldVersion);
    mark.set_digest(std::string(digest.begin(), digest.end()));
    if (auto draft = Draft::of(Kind::kStateMark, mark);
        draft.ok() && owner_->append(*std::move(draft)).ok()) {
      commits_since_mark_ = 0;
    }
  }
  // While a mark is due nothing new is decided until what is in flight is confirmed.
  const auto hold = [&] {
    return !owner_->serving() || state_.must_wait() || absl::IsResourceExhausted(owner_->room()) ||
           (commits_since_mark_ >= settings_.state_mark_commits && owner_->in_flight_records() > 0);
  };
  for (auto* list : {&commands, &bulk}) {
    while (!list->empty()) {
      if (hold()) {
        if (owner_->serving() && owner_->in_flight_records() > 0) {
          owner_->flush(false);
          break;  // room comes with the next confirmations
        }
        if (owner_->serving() && !state_.must_wait()) {
          list->front().done(error_of_append(owner_->room()));
          list->pop_front();
          --queued_;
          continue;
        }
        if (state_.must_wait() && !write_state(true)) {
          list->front().done(error_of_append(absl::ResourceExhaustedError("state")));
          list->pop_front();
          --queued_;
          continue;
        }
        break;
      }
      Submission next = std::move(list->front());
      list->pop_front();
      --queued_;
      process(std::move(next));
    }
  }
  while (!questions.empty() && owner_->serving()) {
    process(std::move(questions.front()));
    questions.pop_front();
  }
  if (!commands.empty() || !bulk.empty() || !questions.empty()) {
    const std::lock_guard lock(mutex_);
    queue_.insert(queue_.begin(), std::make_move_iterator(commands.begin()),
                  std::make_move_iterator(commands.end()));
    bulk_queue_.insert(bulk_queue_.begin(), std::make_move_iterator(bulk.begin()),
                       std::make_move_iterator(bulk.end()));
    questions_.insert(questions_.begin(), std::make_move_iterator(questions.begin()),
                      std::make_move_iterator(questions.end()));
  }
  return any;
}

// --- Deciding
// -------------------------------------------------------------------------------------------------------

Occasion Writer::occasion_for(const Submission& submission, int kind,
                              const common::v1::Actor* actor) const {
  Occasion occasion;
  occasion.ledger = submission.ledger;
  occasion.kind = kind;
  occasion.recorded_time_us = owner_->next_recorded_time_us(submission.ledger);
  occasion.effective_day = submission.type->effective_day(*submission.request);
  occasion.actor = actor;
  occasion.may_self_approve = submission.caller->has_right(std::string(kSelfApprove));
  occasion.expected_version = context_of(*submission.request).expected_version();
  occasion.blind_index = &blind_index_;
  const auto* ledger_state = owner_->speculative().ledger(submission.ledger);
  occasion.seq = ledger_state ? ledger_state->next_seq : 1;
  return occasion;
}

void Writer::answer_when_certain(Waiting waiting) {
  waiting.n = owner_->last_appended_n();
  if (owner_->refusal_needs_append()) {
    ++waiting.n;
    need_barrier_ = true;
  }
  if (waiting.n <= owner_->last_confirmed_n()) {
    ready_.push_back(std::move(waiting));
  } else {
    waiting_.push_back(std::move(waiting));
  }
}

// The append failed and ended the epoch: recover() decides the command again, from what the log
// then holds.
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
  const int kind =
      opening ? static_cast<const admin::v1::OpenLedgerRequest&>(*submission.request).kind()
              : ledger_state->kind;
  if (auto no = check_kind(*submission.type, kind))
    return reply_refusal(std::move(submission), *no);

  const common::v1::Actor actor = actor_of(*submission.caller);
  const Occasion occasion = occasion_for(submission, kind, &actor);
  const Ledger view(state_.ledger(submission.ledger), occasion);
  if (const auto* settled = view.find<state::SettledRequest>(submission.request_id)) {
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
    waiting.rebuild = Receipt{settled->first_seq(), settled->last_seq(),
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
    waiting.rebuild = Receipt{same->first_seq, std::max(same->last_seq, same->first_seq),
                              same->recorded_time_us, false, true};
    waiting.submission = std::move(submission);
    return answer_when_certain(std::move(waiting));
  }
  if (submission.validate_only) {
    std::vector<const Message*> events;
    for (const auto& emitted : decision.events()->list()) events.push_back(emitted.event.get());
    ReceiptFields receipt;
    receipt.ledger = submission.ledger;
    receipt.decided_on_seq = occasion.seq - 1;
    return submission.done(make_response(*submission.type->response, receipt, events));
  }
  if (opening && !open) {
    std::optional<Error> error;
    if (!open_ledger(submission, error)) {
      if (!owner_->serving()) return decide_again(std::move(submission));
      return submission.done(std::move(*error));
    }
  }
  // The occasion again: opening a ledger moved its time and next seq.
  accept(std::move(submission), occasion, *decision.events());
}

// Places the ledger in the directory and opens it in this partition; each step is left out when it
// was done before.
bool Writer::open_ledger(const Submission& submission, std::optional<Error>& error) {
  const auto& request = static_cast<const admin::v1::OpenLedgerRequest&>(*submission.request);
  const common::v1::Actor actor = actor_of(*submission.caller);
  Occasion occasion = occasion_for(submission, common::v1::LEDGER_KIND_DIRECTORY, &actor);
  occasion.ledger = kDirectory;
  occasion.seq = owner_->speculative().ledger(kDirectory)->next_seq;
  occasion.recorded_time_us = owner_->next_recorded_time_us(kDirectory);
  const Ledger directory(state_.ledger(kDirectory), occasion);
  if (const auto* placed = directory.find<ledger::state::v1::PlacedLedger>(request.ledger())) {
    if (placed->kind() != request.kind() || placed->name() != request.name()) {
      error = error_of(refuse(admin::v1::ADMIN_REFUSAL_LEDGER_EXISTS, "ledger"));
      return false;
    }
  } else {
    auto event = std::make_unique<ledger::v1::LedgerPlaced>();
    event->set_ledger(request.ledger());
    event->set_kind(request.kind());
    event->set_name(request.name());
    event->set_partition(owner_->fold().partition());
    event->set_generation(1);
    std::vector<Emitted> events;
    events.push_back({std::move(event), 0});
    jv1::Commit commit;
    commit.set_ledger(std::string(kDirectory));
    commit.set_first_seq(occasion.seq);
    commit.set_recorded_time_us(occasion.recorded_time_us);
    auto& stored = *commit.add_requests();
    stored.set_request_id(uuid_bytes(submission.request_id));
    stored.set_fingerprint(submission.fingerprints.request);
    stored.set_key_id(key_id_);
    stored.set_command(submission.type->name);
    *stored.mutable_actor() = actor;
    *stored.mutable_source() = context_of(request).source();
    stored.set_reason(context_of(request).reason());
    stored.set_correlation_id(context_of(request).correlation_id());
    stored.set_events(1);
    add_events(events, occasion.effective_day, commit);
    if (auto n = append_commit(commit, events, &submission, occasion); !n.ok()) {
      error = error_of_append(n.status());
      return false;
    }
  }
  if (auto opened = append_ledger_opened(request.ledger(), request.kind()); !opened.ok()) {
    error = error_of_append(opened);
    return false;
  }
  return true;
}

void Writer::accept(Submission submission, const Occasion& decided_on, Events& events) {
  Occasion occasion = decided_on;
  occasion.recorded_time_us =
      std::max(decided_on.recorded_time_us, owner_->next_recorded_time_us(submission.ledger));
  const auto& context = context_of(*submission.request);
  jv1::Commit commit;
  commit.set_ledger(submission.ledger);
  commit.set_first_seq(occasion.seq);
  commit.set_recorded_time_us(occasion.recorded_time_us);
  auto& stored = *commit.add_requests();
  stored.set_request_id(uuid_bytes(submission.request_id));
  stored.set_fingerprint(submission.fingerprints.request);
  stored.set_key_id(key_id_);
  stored.set_creating_fingerprint(submission.fingerprints.creating);
  stored.set_command(submission.type->name);
  *stored.mutable_actor() = *occasion.actor;
  for (const auto& right : events.rights_used()) {
    stored.mutable_actor()->add_rights_used(right);
    if (right == kSelfApprove) stored.set_self_approved(true);
  }
  *stored.mutable_source() = context.source();
  stored.set_reason(context.reason());
  stored.set_correlation_id(context.correlation_id());
  stored.set_events(static_cast<uint32_t>(events.list().size()));
  add_events(events.list(), occasion.effective_day, commit);

  occasion.actor = &stored.actor();
  const auto n = append_commit(commit, events.list(), &submission, occasion);
  if (!n.ok() && !owner_->serving()) return decide_again(std::move(submission));
  if (!n.ok()) return submission.done(error_of_append(n.status()));

  std::vector<const Message*> emitted;
  for (const auto& one : events.list()) emitted.push_back(one.event.get());
  ReceiptFields receipt;
  receipt.ledger = submission.ledger;
  receipt.first_seq = occasion.seq;
  receipt.last_seq = occasion.seq + static_cast<int64_t>(emitted.size()) - 1;
  receipt.recorded_time_us = occasion.recorded_time_us;
  Waiting waiting;
  waiting.n = *n;
  waiting.answer = make_response(*submission.type->response, receipt, emitted);
  waiting.wrote_first_seq = receipt.first_seq;
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
    apply_request(
        rows, at, {submission->request_id, request.fingerprint(), request.creating_fingerprint()},
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

// --- GetOutcome
// -----------------------------------------------------------------------------------------------------

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
    response->set_outcome(GetOutcomeResponse::OUTCOME_COMMITTED);
    auto& receipt = *response->mutable_receipt();
    receipt.set_ledger(question.ledger);
    receipt.set_first_seq(settled->first_seq());
    receipt.set_last_seq(settled->last_seq());
    receipt.mutable_recorded_time()->set_seconds(settled->recorded_time_us() / 1'000'000);
    receipt.mutable_recorded_time()->set_nanos(
        static_cast<int32_t>(settled->recorded_time_us() % 1'000'000 * 1'000));
    for (int64_t seq = settled->first_seq(); seq <= settled->last_seq(); ++seq) {
      receipt.add_event_ids(question.ledger + "/" + std::to_string(seq));
    }
  }
  waiting.answer = std::move(response);
  waiting.question = std::move(question);
  answer_when_certain(std::move(waiting));
}

// --- Answering
// ------------------------------------------------------------------------------------------------------

std::unique_ptr<Message> Writer::rebuild_response(const Submission& submission,
                                                  const Receipt& receipt) {
  const auto offset = state_.offset_of(submission.ledger, receipt.first_seq);
  if (!offset.ok() || !*offset) return nullptr;
  const auto cursor = log_.read(**offset);
  const auto record = cursor->next();
  if (!record.ok() || !*record || (*record)->bytes.size() < journal::kRecordHeaderBytes)
    return nullptr;
  jv1::Commit commit;
  const auto body = (*record)->bytes.substr(journal::kRecordHeaderBytes);
  if (!commit.ParseFromArray(body.data(), static_cast<int>(body.size())) ||
      commit.ledger() != submission.ledger || commit.first_seq() != receipt.first_seq) {
    return nullptr;
  }
  const auto events = parse_events(registry_, commit);
  if (!events.ok()) return nullptr;
  std::vector<const Message*> list;
  for (const auto& event : *events) list.push_back(event.get());
  ReceiptFields fields;
  fields.ledger = submission.ledger;
  fields.first_seq = receipt.first_seq;
  fields.last_seq = receipt.last_seq;
  fields.recorded_time_us = receipt.recorded_time_us;
  fields.duplicate = receipt.duplicate;
  fields.unchanged = receipt.unchanged;
  return make_response(*submission.type->response, fields, list);
}

void Writer::deliver() {
  for (auto& certain : ready_) {
    if (certain.rebuild) {
      auto response = rebuild_response(*certain.submission, *certain.rebuild);
      if (response) {
        certain.answer = std::move(response);
      } else {
        certain.answer = failure(kDataLoss, "JOURNAL_UNREADABLE",
                                 "the commit of the first answer cannot be read");
      }
    }
    auto& done = certain.submission ? certain.submission->done : certain.question->done;
    done(std::move(certain.answer));
  }
  ready_.clear();
}

// --- After an epoch ended
// -------------------------------------------------------------------------------------------

// Claims again, then answers what was in doubt: from the log where it is there, by deciding again
// where it is not.
bool Writer::recover() {
  expire("unknown", doubtful_);
  {
    // What is only queued was never written.
    const int64_t now_us = clock_.boot_us();
    std::deque<Submission> late;
    {
      const std::lock_guard lock(mutex_);
      woken_ = false;
      for (auto* list : {&queue_, &bulk_queue_}) {
        for (auto it = list->begin(); it != list->end();) {
          if (failed_ || stopping_ || it->deadline_boot_us < now_us) {
            late.push_back(std::move(*it));
            it = list->erase(it);
            --queued_;
          } else {
            ++it;
          }
        }
      }
    }
    for (auto& submission : late) submission.done(unavailable("none"));
  }
  if (failed_) return false;
  if (clock_.boot_us() < next_claim_us_) return false;
  const auto claimed = owner_->reclaim();
  if (!claimed.ok()) {
    log(LogLevel::kWarning, "claim_failed", {{"why", std::string(claimed.message())}});
    next_claim_us_ = clock_.boot_us() + settings_.claim_retry_us;
    if (absl::IsDataLoss(claimed) || absl::IsUnimplemented(claimed)) failed_ = true;
    return false;
  }
  serving_ = true;
  ++epochs_;
  std::deque<Waiting> unanswered;
  unanswered.swap(doubtful_);
  for (auto& doubt : unanswered) {
    if (doubt.question) {
      process(std::move(*doubt.question));
      continue;
    }
    if (doubt.wrote_first_seq != 0) {
      Occasion occasion;
      occasion.ledger = doubt.submission->ledger;
      const Ledger view(state_.ledger(occasion.ledger), occasion);
      const auto* settled = view.find<state::SettledRequest>(doubt.submission->request_id);
      if (settled && settled->first_seq() == doubt.wrote_first_seq &&
          settled->fingerprint() == doubt.submission->fingerprints.request) {
        answer_when_certain(std::move(doubt));
        continue;
      }
    }
    process(std::move(*doubt.submission));
  }
  return true;
}

void Writer::expire(const char* outcome, std::deque<Waiting>& list) {
  const int64_t now_us = clock_.boot_us();
  for (auto it = list.begin(); it != list.end();) {
    const int64_t deadline_us =
        it->submission ? it->submission->deadline_boot_us : it->question->deadline_boot_us;
    if (!failed_ && !stopping_ && now_us < deadline_us) {
      ++it;
      continue;
    }
    auto& done = it->submission ? it->submission->done : it->question->done;
    done(unavailable(it->wrote_first_seq != 0 ? outcome : "none"));
    it = list.erase(it);
  }
}

bool Writer::write_state(bool force) {
  const size_t rows = state_.unwritten_rows();
  if (rows == 0) return false;
  const int64_t now_us = clock_.boot_us();
  if (!force && rows < settings_.state_write_rows &&
      now_us - last_state_write_us_ < settings_.state_write_us) {
    return false;
  }
  last_state_write_us_ = now_us;
  const auto written = state_.write(owner_->fold(), owner_->take_touched_ledgers());
  if (!written.ok())
    log(LogLevel::kWarning, "state_write_failed", {{"why", std::string(written.message())}});
  return written.ok();
}

Writer::Stats Writer::stats() const {
  Stats stats;
  stats.queued = queued_;
  stats.in_flight = in_flight_;
  stats.commits = commits_;
  stats.refusals = refusals_;
  stats.duplicates = duplicates_;
  stats.epochs = epochs_;
  stats.void_records = void_records_;
  stats.foreign_records = foreign_records_;
  stats.serving = serving_ && !damaged_;
  return stats;
}

}  // namespace taizhang
