// The shared newest records of a partition.
#include "platform/journal/kafka/tail.h"

#include <algorithm>
#include <utility>

namespace taizhang::journal::kafka {

void Tail::begin_at(int64_t offset) {
  const std::lock_guard lock(mutex_);
  next_.store(offset, std::memory_order_release);
}

void Tail::push(BlockPtr block) {
  {
    const std::lock_guard lock(mutex_);
    // Reports may have been quicker than the fetch.
    if (block->end() <= next()) return;
    push_locked(std::move(block));
    judge_probe_locked();
  }
  grown_.notify_all();
}

void Tail::push_locked(BlockPtr block) {
  const int64_t end = block->end();
  bytes_ += block->bytes();
  blocks_.push_back(std::move(block));
  while (bytes_ > bytes_max_ && blocks_.size() > 1) {
    bytes_ -= blocks_.front()->bytes();
    blocks_.pop_front();
  }
  next_.store(end, std::memory_order_release);
  advance_locked(end);
}

void Tail::feed(std::vector<OwnRecord> records, const Route& route) {
  const int64_t begin = records.front().offset;
  const int64_t end = records.back().offset + 1;
  {
    const std::lock_guard lock(mutex_);
    advance_locked(end);
    if (trusted_ != route) {
      if (!probe_ || probe_->route != route) probe_ = Probe{route, std::move(records.back())};
      judge_probe_locked();
      if (end > next()) wake_();
      return;
    }
    if (begin > next()) return wake_();
    if (end <= next()) return;
    fed_.fetch_add(records.size(), std::memory_order_acq_rel);
    push_locked(std::make_shared<const Block>(std::move(records)));
  }
  grown_.notify_all();
}

// The probe was read: the same bytes at the same place mean the same log.
void Tail::judge_probe_locked() {
  if (!probe_ || probe_->record.offset >= next()) return;
  if (const BlockPtr block = find_locked(probe_->record.offset)) {
    const LogRecord read = block->record(block->index_of(probe_->record.offset));
    if (read.offset == probe_->record.offset && read.bytes == probe_->record.bytes) {
      trusted_ = probe_->route;
    }
  }
  probe_.reset();
}

void Tail::on_gap(std::function<void()> wake) {
  const std::lock_guard lock(mutex_);
  wake_ = std::move(wake);
}

void Tail::advance(int64_t end) {
  if (end <= this->end()) return;
  const std::lock_guard lock(mutex_);
  advance_locked(end);
}

// Nobody is woken: the follower does it when it has read that far, and what it has not read nobody
// could take from here.
void Tail::advance_locked(int64_t end) {
  if (end > this->end() && end > empty_until_) end_.store(end, std::memory_order_release);
}

void Tail::mark_empty(int64_t from, int64_t until) {
  const std::lock_guard lock(mutex_);
  if (end() > until || from >= until) return;
  empty_until_ = until;
  end_.store(from, std::memory_order_release);
}

void Tail::fail(const absl::Status& damage) {
  {
    const std::lock_guard lock(mutex_);
    if (!damage_.ok()) return;
    damage_ = damage;
    failed_.store(true, std::memory_order_release);
  }
  grown_.notify_all();
}

void Tail::close() {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }
  grown_.notify_all();
}

absl::Status Tail::damage() const {
  if (!failed_.load(std::memory_order_acquire)) return absl::OkStatus();
  const std::lock_guard lock(mutex_);
  return damage_;
}

BlockPtr Tail::find(int64_t offset) const {
  const std::lock_guard lock(mutex_);
  return find_locked(offset);
}

BlockPtr Tail::find_locked(int64_t offset) const {
  if (blocks_.empty() || offset < blocks_.front()->begin()) return nullptr;
  const auto found =
      std::upper_bound(blocks_.begin(), blocks_.end(), offset,
                       [](int64_t at, const BlockPtr& block) { return at < block->end(); });
  return found == blocks_.end() ? nullptr : *found;
}

BlockPtr Tail::newest() const {
  const std::lock_guard lock(mutex_);
  return blocks_.empty() ? nullptr : blocks_.back();
}

int64_t Tail::wait_beyond(int64_t offset, absl::Duration timeout) {
  std::unique_lock lock(mutex_);
  grown_.wait_for(lock, absl::ToChronoMicroseconds(timeout),
                  [&] { return end() > offset || closed_ || !damage_.ok(); });
  return end();
}

bool Tail::wait_read(int64_t offset, absl::Duration timeout) {
  std::unique_lock lock(mutex_);
  grown_.wait_for(lock, absl::ToChronoMicroseconds(timeout),
                  [&] { return next() > offset || closed_ || !damage_.ok(); });
  return next() > offset;
}

}  // namespace taizhang::journal::kafka
