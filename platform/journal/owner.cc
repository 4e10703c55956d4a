// Appending to a partition and knowing what is confirmed (design §3.2, §3.3).
#include "platform/journal/owner.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "platform/base/log.h"
#include "platform/journal/owner_inbox.h"
#include "taizhang/journal/v1/records.pb.h"

namespace taizhang::journal {
namespace {

// A record whose report says it is stored becomes readable within this.
constexpr int64_t kReadableUsMax = 5'000'000;

}  // namespace

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
      waited_us += kOwnerWaitSliceUs;
      log_.wait_beyond(fold_.offset(), absl::Microseconds(kOwnerWaitSliceUs));
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
  for (int64_t waited_us = 0;; waited_us += kOwnerWaitSliceUs) {
    const size_t confirmed = poll();
    if (phase_ != Phase::kServing) return ended_;
    if (pending_.empty()) break;
    if (confirmed > 0) waited_us = 0;
    // By both, because a simulated clock may stand still.
    if (clock_.boot_us() >= deadline_us || absl::Microseconds(waited_us) >= timeout) {
      return absl::DeadlineExceededError("the release was not confirmed in time");
    }
    inbox_->wait(absl::Microseconds(kOwnerWaitSliceUs));
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
