// Orders from the process around, signs of life, and where the partition stands.
#include <utility>

#include "platform/base/log.h"
#include "platform/writer/writer.h"

namespace taizhang {

void Writer::lead(const journal::Id128& only_after) {
  {
    const std::lock_guard lock(mutex_);
    lead_after_ = only_after;
    standing_.claiming = true;
  }
  queue_.wake();
}

void Writer::follow() {
  {
    const std::lock_guard lock(mutex_);
    follow_asked_ = true;
    if (std::exchange(lead_after_, std::nullopt)) standing_.claiming = false;
  }
  queue_.wake();
}

void Writer::probe() {
  {
    const std::lock_guard lock(mutex_);
    probe_asked_ = true;
  }
  queue_.wake();
}

void Writer::take_orders() {
  std::optional<journal::Id128> lead_after;
  bool let_go = false;
  {
    const std::lock_guard lock(mutex_);
    if (clock_.boot_us() >= next_claim_us_) lead_after.swap(lead_after_);
    let_go = std::exchange(follow_asked_, false);
    need_barrier_ |= std::exchange(probe_asked_, false) && owner_->serving();
  }
  if (let_go && role_ == Role::kLeading) {
    owner_->abandon(absl::AbortedError("this process no longer leads"));
    role_ = Role::kFollowing;
  }
  if (!lead_after) return;
  const auto claimed = role_ == Role::kLeading ? absl::OkStatus() : claim(lead_after);
  publish(true);
  {
    const std::lock_guard lock(mutex_);
    standing_.claiming = false;
  }
  if (claimed.ok()) return;
  log(LogLevel::kWarning, "claim_failed",
      {{"partition", uint64_t{owner_->fold().partition()}},
       {"why", std::string(claimed.message())}});
  if (absl::IsDataLoss(claimed) || absl::IsUnimplemented(claimed)) stop_for_good(claimed);
}

void Writer::beat() {
  if (!hooks_.beat) return;
  const auto [epoch, owner] = owner_->claimed();
  const int64_t now_us = clock_.boot_us();
  if (epoch == 0 || now_us < next_beat_us_) return;
  next_beat_us_ = now_us + settings_.heartbeat_us;
  journal::Heartbeat beat;
  beat.journal = owner_->fold().uuid();
  beat.sender = sender_;
  beat.partition = owner_->fold().partition();
  beat.epoch = epoch;
  beat.owner = owner;
  beat.progress = owner_->last_confirmed_n();
  beat.waiting = owner_->in_flight_records() > 0 || !queue_.idle();
  hooks_.beat(beat);
}

void Writer::publish(bool at_end) {
  const auto& fold = owner_->fold();
  const std::lock_guard lock(mutex_);
  standing_.leading = owner_->serving();
  standing_.following = role_ == Role::kFollowing;
  standing_.at_end = at_end;
  standing_.own_claim = owner_->abandoned_claim_is_current();
  standing_.confirmed = owner_->last_confirmed_n();
  standing_.offset = fold.offset();
  standing_.end = log_.end();
  if (standing_.epoch == fold.epoch() && standing_.owner == fold.owner() &&
      standing_.has_genesis == fold.has_genesis()) {
    return;
  }
  standing_.has_genesis = fold.has_genesis();
  standing_.uuid = fold.uuid();
  standing_.partition_count = fold.partition_count();
  standing_.epoch = fold.epoch();
  standing_.owner = fold.owner();
  standing_.owner_address = fold.owner_address();
}

Writer::Standing Writer::standing() const {
  const std::lock_guard lock(mutex_);
  return standing_;
}

}  // namespace taizhang
