// Claiming a partition: reading to the journal's end, the Genesis, the clock, the claim (design
// §3.2).
#include <algorithm>
#include <cstdlib>
#include <utility>

#include "platform/base/log.h"
#include "platform/journal/owner.h"
#include "platform/journal/owner_inbox.h"
#include "taizhang/journal/v1/records.pb.h"

namespace taizhang::journal {
namespace {

constexpr size_t kAttemptsMax = 64;

}  // namespace

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
  if (absl::Status status = resume(); !status.ok()) return status;
  if (!cursor_) cursor_ = log_.read(fold_.offset());
  return absl::OkStatus();
}

absl::Status Owner::resume() {
  if (resumed_) return absl::OkStatus();
  const absl::Status status = fold_.check_resume(log_);
  resumed_ = status.ok();
  return status;
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
  for (int64_t waited_us = 0;; waited_us += kOwnerWaitSliceUs) {
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
    log_.wait_beyond(fold_.offset(), absl::Microseconds(kOwnerWaitSliceUs));
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
        with_prefix("offset " + std::to_string(record.offset) + ": ", folded.status());
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
  served_ = owner_;
  return absl::OkStatus();
}

}  // namespace taizhang::journal
