// Claiming a partition, appending to it and knowing what is confirmed (design §3.2, §3.3).
#include "platform/journal/owner.h"

#include <algorithm>
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <utility>

#include "platform/base/log.h"
#include "taizhang/journal/v1/records.pb.h"

namespace taizhang::journal {
namespace {

// Waiting is counted in slices, not by a clock: a simulated engine returns at once, and the wait
// still ends.
constexpr int64_t kWaitSliceUs = 50'000;
// A record whose report says it is stored becomes readable within this.
constexpr int64_t kReadableUsMax = 5'000'000;
constexpr size_t kAttemptsMax = 64;

absl::Status with_prefix(const char* what, const absl::Status& status) {
  return absl::Status(status.code(), what + std::string(status.message()));
}

}  // namespace

// Reports wait here between the engine's thread and poll(). Shared with the engine's sink, so that
// a report that comes while the Owner dies finds something alive.
struct Owner::Inbox {
  std::mutex mutex;
  std::condition_variable arrived;
  std::vector<AppendReport> reports;
  std::function<void()> waker;

  void put(AppendReport report) {
    const std::lock_guard lock(mutex);
    reports.push_back(std::move(report));
    // One wake per batch: poll() takes everything.
    if (reports.size() > 1) return;
    arrived.notify_one();
    if (waker) waker();
  }
  void wait(absl::Duration timeout) {
    std::unique_lock lock(mutex);
    arrived.wait_for(lock, absl::ToChronoMicroseconds(timeout),
                     [this] { return !reports.empty(); });
  }
  std::vector<AppendReport> take() {
    const std::lock_guard lock(mutex);
    return std::exchange(reports, {});
  }
};

Owner::Owner(Log& log, Clock& clock, Random& random, OwnerListener& listener, Fold fold,
             OwnerSettings settings, std::function<void()> waker)
    : log_(log),
      clock_(clock),
      random_(random),
      listener_(listener),
      settings_(std::move(settings)),
      inbox_(std::make_shared<Inbox>()),
      fold_(std::move(fold)) {
  inbox_->waker = std::move(waker);
  log_.set_report_sink([inbox = inbox_](AppendReport report) { inbox->put(std::move(report)); });
}

Owner::~Owner() {
  log_.set_report_sink([](AppendReport) {});
  const std::lock_guard lock(inbox_->mutex);
  inbox_->waker = nullptr;
}

// From whatever was before to idle: nothing held, the cursor where the fold stands.
absl::Status Owner::leave_epoch() {
  if (phase_ == Phase::kStopped) return ended_;
  if (phase_ == Phase::kServing) return absl::FailedPreconditionError("the claim is held already");
  if (std::exchange(end_to_tell_, false)) listener_.on_epoch_ended(ended_);
  phase_ = Phase::kIdle;
  pending_.clear();
  in_flight_bytes_ = 0;
  speculative_.reset();
  confirmed_n_ = 0;
  if (!resumed_) {
    if (absl::Status status = fold_.check_resume(log_); !status.ok()) return status;
    resumed_ = true;
  }
  if (!cursor_) cursor_ = log_.read(fold_.offset());
  return absl::OkStatus();
}

absl::StatusOr<bool> Owner::follow(size_t records_max) {
  if (absl::Status status = leave_epoch(); !status.ok()) return status;
  return fold_available(records_max);
}

absl::Status Owner::claim(std::optional<Id128> only_after) {
  if (absl::Status status = leave_epoch(); !status.ok()) return status;
  if (const auto folded = fold_available(); !folded.ok()) return folded.status();
  if (only_after && fold_.owner() != *only_after && !claim_is_current()) {
    return absl::AbortedError("another process claimed the partition meanwhile: epoch " +
                              std::to_string(fold_.epoch()) + ", " + fold_.owner_address());
  }
  if (!fold_.has_genesis()) {
    if (absl::Status status = write_genesis(); !status.ok()) return status;
  }
  if (const std::string uuid = log_.uuid(); !uuid.empty() && uuid != bytes_of(fold_.uuid())) {
    return absl::FailedPreconditionError("the journal's store is " + hex(uuid) +
                                         ", its Genesis says " + hex(bytes_of(fold_.uuid())));
  }
  if (absl::Status status = check_clock_before_claim(); !status.ok()) return status;

  // An earlier attempt whose wait ran out may have become valid since: then it is served from, or
  // it would be a claim that nobody holds.
  if (!claim_is_current()) {
    const Id128 attempt = id_of(random_.bytes(kIdBytes));
    const absl::StatusOr<uint64_t> tag = produce_claim(attempt);
    if (!tag.ok()) return tag.status();
    const auto judged = [&] {
      return claim_is_current() ||
             std::find(attempts_.begin(), attempts_.end(), attempt) == attempts_.end();
    };
    if (absl::Status status = await(*tag, judged); !status.ok()) return status;
    if (!claim_is_current()) {
      return absl::AbortedError("another process claimed the partition first: epoch " +
                                std::to_string(fold_.epoch()) + ", " + fold_.owner_address());
    }
  }
  return serve();
}

absl::Status Owner::write_genesis() {
  if (!settings_.create) {
    return absl::FailedPreconditionError(
        "the journal is empty and this process was not told to create one");
  }
  RecordHeader header;
  header.kind = Kind::kGenesis;
  header.partition = fold_.partition();
  const std::string store = log_.uuid();
  header.uuid = fold_.expected() ? fold_.expected()->uuid
                                 : id_of(store.empty() ? random_.bytes(kIdBytes) : store);
  v1::Genesis genesis;
  genesis.set_journal_uuid(std::string(bytes_of(header.uuid)));
  genesis.set_partition_count(settings_.partition_count);
  genesis.set_rule_version(settings_.rule_version);
  genesis.set_created_time_us(clock_.wall_us());
  const uint64_t tag = next_tag_++;
  if (absl::Status status = log_.produce(encode_record(header, genesis.SerializeAsString()), tag);
      !status.ok()) {
    return with_prefix("writing the Genesis: ", status);
  }
  log_.flush(/*inline_ok=*/true);
  return await(tag, [this] { return fold_.has_genesis(); });
}

absl::Status Owner::check_clock_before_claim() const {
  // Only the owner of an exclusive journal has nobody else to compare its clock with.
  if (!log_.exclusive() || fold_.closed_time_us() == 0) return absl::OkStatus();
  const int64_t ahead_us = clock_.wall_us() - fold_.closed_time_us();
  if (-ahead_us > settings_.clock_behind_us_max && !settings_.clock_behind_confirmed) {
    return absl::FailedPreconditionError(
        "the clock is " + std::to_string(-ahead_us / 1'000'000) +
        " s behind the last recorded time; set it right, or confirm it");
  }
  if (ahead_us > settings_.clock_ahead_us_max && !settings_.clock_ahead_confirmed) {
    return absl::FailedPreconditionError(
        "the clock is " + std::to_string(ahead_us / 86'400'000'000) +
        " days ahead of the last recorded time; recorded times never go back, so "
        "confirm that it is right");
  }
  return absl::OkStatus();
}

absl::StatusOr<uint64_t> Owner::produce_claim(const Id128& attempt) {
  RecordHeader header;
  header.kind = Kind::kClaim;
  header.uuid = fold_.uuid();
  header.partition = fold_.partition();
  header.epoch = fold_.epoch() + 1;
  header.owner = attempt;
  v1::Claim claim;
  claim.set_replaces_epoch(fold_.epoch());
  if (fold_.has_owner()) claim.set_replaces_owner(std::string(bytes_of(fold_.owner())));
  claim.set_rule_version(std::max(settings_.rule_version, fold_.rule_version()));
  claim.set_address(settings_.address);
  const uint64_t tag = next_tag_++;
  if (settings_.on_attempt) settings_.on_attempt(attempt);
  attempts_.push_back(attempt);
  // A claim that was lost on its way never shows up. One that is forgotten and still does is
  // another's claim that nobody serves from: found dead, and claimed over.
  if (attempts_.size() > kAttemptsMax) attempts_.erase(attempts_.begin());
  const absl::Status status = log_.produce(encode_record(header, claim.SerializeAsString()), tag);
  if (!status.ok()) {
    // Without room nothing was queued; after any other failure the claim may still appear.
    if (absl::IsResourceExhausted(status)) attempts_.pop_back();
    return with_prefix("claiming: ", status);
  }
  log_.flush(/*inline_ok=*/true);
  return tag;
}

// Folds what comes until `done`, or the append with this tag is known to have failed where that is
// known for sure.
absl::Status Owner::await(uint64_t tag, const std::function<bool()>& done) {
  for (int64_t waited_us = 0;; waited_us += kWaitSliceUs) {
    if (const auto folded = fold_available(); !folded.ok()) return folded.status();
    if (done()) return absl::OkStatus();
    if (settings_.keep_waiting && !settings_.keep_waiting()) {
      return absl::CancelledError("no longer waiting for the own record");
    }
    for (const AppendReport& report : inbox_->take()) {
      if (report.tag == tag && !report.offset.ok() && log_.exclusive())
        return report.offset.status();
    }
    if (waited_us >= settings_.claim_us_max) {
      return absl::DeadlineExceededError("own record was not read back within " +
                                         std::to_string(settings_.claim_us_max / 1'000'000) + " s");
    }
    log_.wait_beyond(fold_.offset(), absl::Microseconds(kWaitSliceUs));
  }
}

// True: up to the end of what can be read now.
absl::StatusOr<bool> Owner::fold_available(size_t records_max) {
  for (size_t i = 0; i < records_max; ++i) {
    const auto record = cursor_->next();
    if (!record.ok()) {
      cursor_.reset();
      return record.status();
    }
    if (!*record) return true;
    const absl::StatusOr<bool> valid = fold_record(**record);
    if (!valid.ok()) return valid.status();
  }
  return false;
}

std::pair<uint64_t, Id128> Owner::claimed() const {
  if (phase_ == Phase::kServing) return {epoch_, owner_};
  if (claim_is_current()) return {fold_.epoch(), fold_.owner()};
  if (!attempts_.empty()) return {fold_.epoch() + 1, attempts_.back()};
  return {};
}

absl::StatusOr<bool> Owner::fold_record(const LogRecord& record) {
  const absl::StatusOr<Folded> folded = fold_.apply(record.offset, record.bytes);
  if (!folded.ok()) {
    absl::Status why =
        with_prefix(("offset " + std::to_string(record.offset) + ": ").c_str(), folded.status());
    stop(why);
    return why;
  }
  if (folded->verdict == Verdict::kForeign) {
    log(LogLevel::kWarning, "journal_foreign_record", {{"offset", record.offset}});
    return false;
  }
  if (folded->kind() == Kind::kClaim) {
    const auto own = std::find(attempts_.begin(), attempts_.end(), folded->header.owner);
    if (own != attempts_.end()) {
      attempts_.erase(own);
      if (folded->valid()) claim_seen_ = SeenClaim{folded->header.owner, record.stored_time_us};
    }
  }
  if (!folded->valid()) return false;
  // The record of an own pending append is told by on_confirmed() instead.
  if (!pending_.empty() && folded->header.owner == owner_ && folded->header.epoch == epoch_ &&
      folded->header.n == pending_.front().header.n &&
      folded->kind() == pending_.front().header.kind) {
    return true;
  }
  if (absl::Status status = listener_.on_record(*folded); !status.ok()) {
    stop(status);
    return status;
  }
  return true;
}

absl::Status Owner::serve() {
  const SeenClaim claim = *std::exchange(claim_seen_, std::nullopt);
  cursor_.reset();
  epoch_ = fold_.epoch();
  owner_ = fold_.owner();
  speculative_ = fold_.clone();
  wall_at_claim_us_ = clock_.wall_us();
  boot_at_claim_us_ = clock_.boot_us();
  ended_ = absl::OkStatus();
  phase_ = Phase::kServing;
  const int64_t off_us = std::abs(claim.stored_time_us - wall_at_claim_us_);
  if (claim.stored_time_us != 0 && off_us > settings_.clock_step_us_max) {
    // Given back at once: a writer with a wrong clock must not keep the partition from one with a
    // right one.
    const absl::StatusOr<Draft> release = Draft::of(Kind::kRelease, v1::Release());
    if (release.ok() && produce(*release).ok()) log_.flush(/*inline_ok=*/true);
    phase_ = Phase::kEnded;
    ended_ =
        absl::FailedPreconditionError("the clock differs by " + std::to_string(off_us / 1'000'000) +
                                      " s from the time the journal stored the claim at");
    return ended_;
  }
  return absl::OkStatus();
}

absl::Status Owner::room() const {
  if (phase_ != Phase::kServing) return absl::UnavailableError("the partition is not held");
  if (pending_.size() >= settings_.in_flight_records_max ||
      in_flight_bytes_ + kRecordBytesMax > settings_.in_flight_bytes_max) {
    return absl::ResourceExhaustedError("too much in flight: " + std::to_string(pending_.size()) +
                                        " records, " + std::to_string(in_flight_bytes_) + " bytes");
  }
  return log_.room();
}

absl::StatusOr<uint64_t> Owner::append(Draft draft) {
  const Kind kind = draft.effect.kind;
  if (kind == Kind::kGenesis || kind == Kind::kClaim || kind == Kind::kRelease) {
    return absl::InvalidArgumentError(std::string(name_of(kind)) + " is not appended by a caller");
  }
  return produce(std::move(draft));
}

absl::StatusOr<uint64_t> Owner::append(Kind kind, std::string_view body) {
  absl::StatusOr<Draft> draft = Draft::parse(kind, body);
  if (!draft.ok()) return draft.status();
  return append(*std::move(draft));
}

absl::StatusOr<uint64_t> Owner::produce(Draft draft) {
  if (phase_ != Phase::kServing) return absl::UnavailableError("the partition is not held");
  const size_t bytes = draft.bytes.size();
  if (bytes > kRecordBytesMax) {
    return absl::InvalidArgumentError("record of " + std::to_string(bytes) +
                                      " bytes is above the bound of " +
                                      std::to_string(kRecordBytesMax));
  }
  if (pending_.size() >= settings_.in_flight_records_max ||
      in_flight_bytes_ + bytes > settings_.in_flight_bytes_max) {
    return absl::ResourceExhaustedError("too much in flight");
  }
  // A record that breaks a rule while its prev holds stops every reader for ever: it must not leave
  // this process.
  if (absl::Status status = speculative_->check(draft.effect); !status.ok()) return status;

  Pending pending;
  pending.header.kind = draft.effect.kind;
  pending.header.uuid = fold_.uuid();
  pending.header.partition = fold_.partition();
  pending.header.body_bytes = static_cast<uint32_t>(bytes - kRecordHeaderBytes);
  pending.header.epoch = epoch_;
  pending.header.owner = owner_;
  pending.header.n = speculative_->n() + 1;
  pending.header.prev = prev_of(speculative_->head());
  encode_header(pending.header, draft.bytes.data());
  pending.hash =
      record_hash(std::string_view(draft.bytes).substr(0, kRecordHeaderBytes), draft.body_hash);
  pending.head = next_head(speculative_->head(), pending.hash);
  pending.tag = next_tag_++;
  pending.bytes = bytes;
  pending.produced_boot_us = clock_.boot_us();
  if (absl::Status status = log_.produce(std::move(draft.bytes), pending.tag); !status.ok()) {
    // Without room nothing was queued, so this n was never given to anybody and the next append may
    // have it.
    if (absl::IsResourceExhausted(status)) return status;
    phase_ = Phase::kEnded;
    ended_ = with_prefix("append failed: ", status);
    end_to_tell_ = true;
    return absl::UnavailableError(std::string(ended_.message()));
  }
  const uint64_t n = pending.header.n;
  pending.effect = std::move(draft.effect);
  const absl::Status moved = speculative_->apply_own(speculative_->offset(), pending.header,
                                                     pending.effect, pending.hash, pending.head);
  if (!moved.ok()) broken_invariant(moved.ToString());
  in_flight_bytes_ += bytes;
  pending_.push_back(std::move(pending));
  return n;
}

size_t Owner::poll() {
  confirmed_in_poll_ = 0;
  if (std::exchange(end_to_tell_, false)) listener_.on_epoch_ended(ended_);
  for (const AppendReport& report : inbox_->take()) handle(report);
  check_clock_and_stall();
  return confirmed_in_poll_;
}

void Owner::handle(const AppendReport& report) {
  // Reports of claims, of epochs that ended, and of appends the fold has confirmed already say
  // nothing new.
  if (phase_ != Phase::kServing || pending_.empty() || report.tag < pending_.front().tag) return;
  if (report.tag > pending_.front().tag) {
    end_epoch(absl::UnavailableError("the report of append " +
                                     std::to_string(pending_.front().header.n) + " is missing"));
    return;
  }
  if (!report.offset.ok()) {
    end_epoch(with_prefix("append failed: ", report.offset.status()));
    return;
  }
  const int64_t offset = *report.offset;
  const int64_t expected = fold_.offset();
  if (offset < 0) {
    end_epoch(absl::UnavailableError("append reported without an offset"));
  } else if (offset < expected) {
    stop(absl::DataLossError("append reported at offset " + std::to_string(offset) + ", below " +
                             std::to_string(expected) + ": the journal was rewound or recreated"));
  } else if (offset == expected) {
    confirm_front(offset);
  } else if (absl::Status status = fold_up_to(offset); !status.ok()) {
    if (phase_ == Phase::kServing) end_epoch(status);
  } else if (!epoch_is_current()) {
    end_epoch(absl::AbortedError("another process claimed the partition: epoch " +
                                 std::to_string(fold_.epoch())));
  } else if (!pending_.empty() && pending_.front().tag <= report.tag) {
    end_epoch(absl::UnavailableError("append " + std::to_string(pending_.front().header.n) +
                                     " is in the journal but not valid there"));
  }
}

void Owner::confirm_front(int64_t offset) {
  Pending& pending = pending_.front();
  const absl::Status status =
      fold_.apply_own(offset, pending.header, pending.effect, pending.hash, pending.head);
  if (!status.ok()) broken_invariant(status.ToString());
  const uint64_t n = pending.header.n;
  in_flight_bytes_ -= pending.bytes;
  pending_.pop_front();
  confirmed_n_ = n;
  ++confirmed_in_poll_;
  listener_.on_confirmed(n, offset);
}

// Something else stands between the last confirmed append and this one: the fold decides what
// (design §3.2, larger offset). What it finds valid of ours is confirmed, because it is in the log,
// whatever its report will say.
absl::Status Owner::fold_up_to(int64_t offset) {
  const std::unique_ptr<Cursor> cursor = log_.read(fold_.offset());
  int64_t waited_us = 0;
  while (fold_.offset() <= offset && epoch_is_current()) {
    const auto record = cursor->next();
    if (!record.ok()) return record.status();
    if (!*record) {
      if (waited_us >= kReadableUsMax) {
        return absl::UnavailableError("offset " + std::to_string(offset) +
                                      " was reported but cannot be read");
      }
      waited_us += kWaitSliceUs;
      log_.wait_beyond(fold_.offset(), absl::Microseconds(kWaitSliceUs));
      continue;
    }
    if ((*record)->offset > offset) break;
    const absl::StatusOr<bool> valid = fold_record(**record);
    if (!valid.ok()) return valid.status();
    if (*valid && !pending_.empty() && fold_.n() == pending_.front().header.n &&
        epoch_is_current()) {
      if (fold_.head() != pending_.front().head) {
        broken_invariant("owner: a record of ours has other bytes than were produced");
      }
      confirmed_n_ = fold_.n();
      in_flight_bytes_ -= pending_.front().bytes;
      pending_.pop_front();
      ++confirmed_in_poll_;
      listener_.on_confirmed(confirmed_n_, (*record)->offset);
    }
  }
  return absl::OkStatus();
}

void Owner::end_epoch(absl::Status why) {
  if (phase_ != Phase::kServing) return;
  phase_ = Phase::kEnded;
  ended_ = std::move(why);
  pending_.clear();
  in_flight_bytes_ = 0;
  log(LogLevel::kWarning, "journal_epoch_ended", {{"epoch", epoch_}, {"why", ended_.ToString()}});
  listener_.on_epoch_ended(ended_);
}

void Owner::stop(absl::Status why) {
  const bool serving = phase_ == Phase::kServing;
  phase_ = Phase::kStopped;
  ended_ = std::move(why);
  pending_.clear();
  in_flight_bytes_ = 0;
  log(LogLevel::kError, "journal_partition_stopped", {{"why", ended_.ToString()}});
  if (serving) listener_.on_epoch_ended(ended_);
}

void Owner::check_clock_and_stall() {
  if (phase_ != Phase::kServing) return;
  const int64_t step_us = clock_.wall_us() - now_us();
  if (std::abs(step_us) > settings_.clock_step_us_max) {
    end_epoch(absl::FailedPreconditionError("the clock stepped by " +
                                            std::to_string(step_us / 1'000'000) + " s"));
    return;
  }
  if (!pending_.empty() &&
      clock_.boot_us() - pending_.front().produced_boot_us > settings_.stall_us_max) {
    end_epoch(absl::DeadlineExceededError("append " + std::to_string(pending_.front().header.n) +
                                          " was not reported in time"));
  }
}

absl::Status Owner::release(absl::Duration timeout) {
  if (phase_ != Phase::kServing) return absl::OkStatus();
  const absl::StatusOr<Draft> release = Draft::of(Kind::kRelease, v1::Release());
  if (!release.ok()) return release.status();
  if (const auto n = produce(*release); !n.ok()) return n.status();
  log_.flush(/*inline_ok=*/true);
  const int64_t deadline_us = clock_.boot_us() + absl::ToInt64Microseconds(timeout);
  // The reports are waited for, not the log's end: records are readable a moment before they are
  // reported.
  for (int64_t waited_us = 0;; waited_us += kWaitSliceUs) {
    const size_t confirmed = poll();
    if (phase_ != Phase::kServing) return ended_;
    if (pending_.empty()) break;
    if (confirmed > 0) waited_us = 0;
    // By both, because a simulated clock may stand still.
    if (clock_.boot_us() >= deadline_us || absl::Microseconds(waited_us) >= timeout) {
      return absl::DeadlineExceededError("the release was not confirmed in time");
    }
    inbox_->wait(absl::Microseconds(kWaitSliceUs));
  }
  phase_ = Phase::kIdle;
  return absl::OkStatus();
}

int64_t Owner::now_us() const { return wall_at_claim_us_ + (clock_.boot_us() - boot_at_claim_us_); }

int64_t Owner::next_recorded_time_us(std::string_view ledger) const {
  int64_t time_us = std::max(now_us(), speculative_->closed_time_us() + 1);
  if (const LedgerState* state = ledger.empty() ? nullptr : speculative_->ledger(ledger)) {
    time_us = std::max(time_us, state->last_recorded_us + 1);
  }
  return time_us;
}

}  // namespace taizhang::journal
