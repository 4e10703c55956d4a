// The deciding loop: leading, following, taking work.
#include "platform/writer/writer.h"

#include <algorithm>
#include <limits>

#include "platform/base/log.h"
#include "platform/command/ledgers.h"
#include "platform/writer/parts.h"
#include "taizhang/journal/v1/records.pb.h"

namespace taizhang {

using journal::Draft;
using journal::Kind;
namespace jv1 = journal::v1;

namespace {

// A turn stays short, so that a command that comes meanwhile does not wait behind a whole import.
constexpr size_t kInteractiveTurn = 1'024;
constexpr size_t kBulkTurn = 256;
constexpr size_t kFollowTurn = 4'096;
constexpr absl::Duration kIdleWait = absl::Milliseconds(20);
constexpr int64_t kReleaseUsMax = 10'000'000;

}  // namespace

Writer::Writer(journal::Log& log, Clock& clock, Random& random, const Registry& registry,
               State& state, const BlindIndex& blind_index, std::string key_id,
               WriterSettings settings, journal::Fold fold, WriterHooks hooks)
    : log_(log),
      clock_(clock),
      random_(random),
      registry_(registry),
      state_(state),
      blind_index_(blind_index),
      key_id_(std::move(key_id)),
      system_ledger_(system_ledger(fold.partition())),
      settings_(std::move(settings)),
      hooks_(std::move(hooks)),
      fresh_fold_(std::move(fold)),
      sender_(journal::id_of(random.bytes(journal::kIdBytes))),
      queue_(settings_.queued_commands_max, settings_.queued_commands_per_ledger_max),
      commits_in_journal_(log) {}

Writer::~Writer() { stop(); }

// --- Starting and stopping

absl::Status Writer::restore() {
  auto stored = state_.stored_fold();
  if (!stored.ok()) {
    return absl::Status(stored.status().code(), "partition " +
                                                    std::to_string(fresh_fold_.partition()) + ": " +
                                                    std::string(stored.status().message()));
  }
  journal::Fold fold = *stored ? std::move(**stored) : std::move(fresh_fold_);
  if (hooks_.on_ledger) {
    for (const auto& [code, ledger] : fold.ledgers()) {
      if (ledger.open) hooks_.on_ledger(code, true);
    }
  }
  journal::OwnerSettings settings = settings_.owner;
  settings.keep_waiting = [this] {
    beat();
    return !stopping_;
  };
  journal::OwnerListener& listener = *this;
  owner_ = std::make_unique<journal::Owner>(log_, clock_, random_, listener, std::move(fold),
                                            std::move(settings), [this] { queue_.wake(); });
  const absl::Status same = owner_->resume();
  if (!absl::IsDataLoss(same)) return same;
  return absl::Status(same.code(), "the writer does not continue partition " +
                                       std::to_string(owner_->fold().partition()) +
                                       " of this journal: " + std::string(same.message()));
}

absl::Status Writer::claim(std::optional<journal::Id128> only_after) {
  if (auto claimed = owner_->claim(only_after); !claimed.ok()) {
    next_claim_us_ = clock_.boot_us() + claim_pause_us_;
    // A wrong clock: the claim was made and given back, two records for ever.
    if (absl::IsFailedPrecondition(claimed))
      claim_pause_us_ = std::min(2 * claim_pause_us_, settings_.claim_retry_us_max);
    return claimed;
  }
  claim_pause_us_ = settings_.claim_retry_us;
  serving_ = true;
  ++epochs_;
  role_ = Role::kLeading;
  resolve_doubts();
  need_directory_ = owner_->fold().partition() == 0;
  return absl::OkStatus();
}

absl::Status Writer::start() {
  if (auto restored = restore(); !restored.ok()) return restored;
  if (auto claimed = claim(std::nullopt); !claimed.ok()) return claimed;
  return found_directory();
}

absl::Status Writer::start_following() {
  role_ = Role::kFollowing;
  if (auto restored = restore(); !restored.ok()) return restored;
  publish(false);
  return absl::OkStatus();
}

void Writer::run() {
  thread_ = std::thread([this] { loop(); });
}

void Writer::stop() {
  if (stopping_.exchange(true)) return;
  queue_.close();
  if (thread_.joinable()) thread_.join();
  if (!owner_) return;
  while (step()) {
  }
  if (owner_->serving()) {
    const auto released = owner_->release(absl::Microseconds(kReleaseUsMax));
    if (!released.ok())
      log(LogLevel::kWarning, "release_failed", {{"why", std::string(released.message())}});
    owner_->poll();
  }
  deliver();
  // Also after a failure: how far the journal was read is what a cut one is found by at the next
  // start.
  if (!state_behind_ && state_.status().ok()) {
    const auto flushed = state_.flush(owner_->fold(), owner_->take_touched_ledgers());
    if (!flushed.ok())
      log(LogLevel::kWarning, "state_flush_failed", {{"why", std::string(flushed.message())}});
  }
  serving_ = false;
}

void Writer::stop_for_good(const absl::Status& why) {
  log(LogLevel::kError, "writer_failed", {{"why", std::string(why.message())}});
  failed_ = true;
  const std::lock_guard lock(mutex_);
  standing_.failed = true;
  standing_.failure = std::string(why.message());
}

// --- The loop

void Writer::loop() {
  while (true) {
    if (step()) continue;
    // Work often comes within microseconds of the last answer; sleeping and waking costs more than
    // looking for it.
    const int64_t give_up_us = clock_.boot_us() + settings_.spin_us;
    bool found = false;
    while (!found && clock_.boot_us() < give_up_us) found = queue_.woken();
    if (stopping_ && done()) return;
    if (found) continue;
    if (role_ == Role::kFollowing && !failed_) {
      // New records matter here, and commands are only turned away.
      log_.wait_beyond(owner_->fold().offset(), kIdleWait);
    } else {
      queue_.wait(kIdleWait);
    }
  }
}

bool Writer::done() const {
  return failed_ || (queue_.empty() && waiting_.empty() && doubtful_.empty());
}

bool Writer::step() {
  if (failed_) {
    expire_doubts();
    answer_queued(std::numeric_limits<int64_t>::max());
    return false;
  }
  take_orders();
  if (failed_) return true;
  if (role_ == Role::kFollowing) return follow_step();
  if (!owner_->serving()) return claim_again();
  return lead_step();
}

bool Writer::follow_step() {
  const auto ended = owner_->follow(kFollowTurn);
  if (!ended.ok()) {
    if (absl::IsUnavailable(ended.status())) return false;
    stop_for_good(ended.status());
    return true;
  }
  publish(*ended);
  beat();
  // Behind another's claim nothing of ours can become valid any more; before it, it still may.
  if (*ended && owner_->held_by_another()) resolve_doubts();
  expire_doubts();
  answer_queued(std::numeric_limits<int64_t>::max());
  deliver();
  write_state(false);
  // What is not read yet the next process reads.
  return !*ended && !stopping_;
}

bool Writer::lead_step() {
  if (const absl::Status damage = log_.damage(); !damage.ok()) {
    owner_->abandon(damage);
    return true;
  }
  if (need_directory_) need_directory_ = !found_directory().ok();
  if (!need_directory_) decide_doubts();
  const bool took = !need_directory_ && take_work();
  if (need_barrier_) append_barrier();
  if (owner_->in_flight_records() > 0) owner_->flush(queue_.idle());
  const size_t confirmed = owner_->poll();
  in_flight_ = owner_->in_flight_records();
  void_records_ = static_cast<uint64_t>(owner_->fold().void_count());
  foreign_records_ = static_cast<uint64_t>(owner_->fold().foreign_count());
  if (!state_.status().ok() && !damaged_) {
    damaged_ = true;
    log(LogLevel::kError, "state_damaged", {{"why", std::string(state_.status().message())}});
  }
  if (of_in_flight_ > 0) expire_questions();
  deliver();
  beat();
  if (confirmed > 0 || !took) publish(true);
  const bool wrote = write_state(false);
  return took || confirmed > 0 || wrote;
}

// The epoch ended while this process leads.
bool Writer::claim_again() {
  expire_doubts();
  answer_queued(clock_.boot_us());
  if (clock_.boot_us() < next_claim_us_ || stopping_) {
    if (stopping_) answer_queued(std::numeric_limits<int64_t>::max());
    return false;
  }
  std::optional<journal::Id128> only_after;
  if (settings_.follow_when_deposed) {
    const auto ended = owner_->follow(SIZE_MAX);
    if (!ended.ok() && !absl::IsUnavailable(ended.status())) {
      stop_for_good(ended.status());
      return true;
    }
    if (!ended.ok()) {
      next_claim_us_ = clock_.boot_us() + settings_.claim_retry_us;
      return false;
    }
    publish(true);
    if (owner_->held_by_another()) {
      log(LogLevel::kWarning, "deposed",
          {{"partition", uint64_t{owner_->fold().partition()}},
           {"by", owner_->fold().owner_address()}});
      role_ = Role::kFollowing;
      return true;
    }
    only_after = owner_->fold().owner();
  }
  const auto claimed = claim(only_after);
  if (!claimed.ok()) {
    log(LogLevel::kWarning, "claim_failed", {{"why", std::string(claimed.message())}});
    if (absl::IsDataLoss(claimed) || absl::IsUnimplemented(claimed)) stop_for_good(claimed);
    return false;
  }
  publish(true);
  return true;
}

// --- Taking work

void Writer::append_barrier() {
  jv1::Barrier barrier;
  barrier.set_recorded_time_us(owner_->next_recorded_time_us(""));
  auto draft = Draft::of(Kind::kBarrier, barrier);
  // Without room the waiters stay, and the next turn tries again.
  need_barrier_ = draft.ok() && !owner_->append(*std::move(draft)).ok();
}

void Writer::mark_state() {
  if (commits_since_mark_ < settings_.state_mark_commits || owner_->in_flight_records() > 0) return;
  const auto digest = state_.digest();
  jv1::StateMark mark;
  mark.set_fold_version(kStateFoldVersion);
  mark.set_digest(std::string(digest.begin(), digest.end()));
  auto draft = Draft::of(Kind::kStateMark, mark);
  if (draft.ok() && owner_->append(*std::move(draft)).ok()) commits_since_mark_ = 0;
}

// Interactive commands first; bulk only while it holds less than its share of what is in flight.
bool Writer::take_work() {
  const size_t bulk_room =
      settings_.bulk_in_flight_max - std::min(settings_.bulk_in_flight_max, bulk_appends_.size());
  auto turn = queue_.take(kInteractiveTurn, std::min(bulk_room, kBulkTurn));
  bool worked = !turn.empty();
  mark_state();
  // While a mark is due nothing new is decided until what is in flight is confirmed.
  const auto hold = [&] {
    return !owner_->serving() || state_.must_wait() || absl::IsResourceExhausted(owner_->room()) ||
           (commits_since_mark_ >= settings_.state_mark_commits && owner_->in_flight_records() > 0);
  };
  while (!turn.commands.empty()) {
    if (hold()) {
      if (!owner_->serving()) break;
      if (owner_->in_flight_records() > 0) {
        owner_->flush(false);
        worked = false;  // room comes with the next confirmations, which wake the loop
        break;
      }
      const bool tables_wait = state_.must_wait();
      if (tables_wait && write_state(true)) break;
      turn.commands.front().done(
          error_of_append(tables_wait ? absl::ResourceExhaustedError("state") : owner_->room()));
      turn.commands.pop_front();
      continue;
    }
    Submission next = std::move(turn.commands.front());
    turn.commands.pop_front();
    process(std::move(next));
  }
  while (!turn.questions.empty() && owner_->serving()) {
    process(std::move(turn.questions.front()));
    turn.questions.pop_front();
  }
  if (!turn.empty()) queue_.put_back(std::move(turn));
  return worked;
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
  stats.queued = queue_.commands();
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
