// Heartbeats of processes that are one process: for tests.
#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "platform/journal/heartbeat.h"

namespace taizhang::journal {

class MemoryHeartbeats {
 public:
  std::unique_ptr<HeartbeatChannel> channel() { return std::make_unique<Channel>(log_); }
  // Nothing is heard of any more, as when the broker is down.
  void cut(bool off) {
    const std::lock_guard lock(log_->mutex);
    log_->cut = off;
  }

 private:
  struct BeatLog {
    std::mutex mutex;
    std::vector<Heartbeat> beats;
    bool cut = false;
  };
  class Channel : public HeartbeatChannel {
   public:
    explicit Channel(std::shared_ptr<BeatLog> log) : log_(std::move(log)) {
      const std::lock_guard lock(log_->mutex);
      next_ = log_->beats.size();
    }
    void send(const Heartbeat& beat) override {
      const std::lock_guard lock(log_->mutex);
      if (!log_->cut) log_->beats.push_back(beat);
    }
    std::vector<Heartbeat> poll() override {
      const std::lock_guard lock(log_->mutex);
      std::vector<Heartbeat> fresh(log_->beats.begin() + static_cast<ptrdiff_t>(next_),
                                   log_->beats.end());
      next_ = log_->beats.size();
      return fresh;
    }

   private:
    std::shared_ptr<BeatLog> log_;
    size_t next_ = 0;
  };

  std::shared_ptr<BeatLog> log_ = std::make_shared<BeatLog>();
};

}  // namespace taizhang::journal
