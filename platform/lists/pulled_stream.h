// What the streams of this folder have in common: asked for one message at a time, answered once,
// ended by the caller at any moment.
#pragma once

#include <memory>
#include <mutex>
#include <utility>

#include "platform/command/dispatcher.h"

namespace taizhang::lists {

// The work behind a stream. It may outlive the stream while a view still answers it.
class StreamWork : public std::enable_shared_from_this<StreamWork> {
 public:
  virtual ~StreamWork() = default;

  void next(Done ready) {
    {
      const std::lock_guard lock(mutex_);
      pending_ = std::move(ready);
    }
    go_on();
  }
  void cancel() { tell(failure(kCancelled, "CANCELLED", "the caller ended the stream")); }

 protected:
  // Works towards the next message and ends in one tell(), now or when a view has answered. One
  // thread at a time: next() calls it, and then only the one answer that it waits for.
  virtual void go_on() = 0;
  // False: the caller ended the stream, nobody waits for what is worked on.
  bool is_wanted() {
    const std::lock_guard lock(mutex_);
    return pending_ != nullptr;
  }
  // Answers the pending next(); nothing happens when it was cancelled meanwhile.
  void tell(Answer answer) {
    Done ready;
    {
      const std::lock_guard lock(mutex_);
      ready = std::exchange(pending_, nullptr);
    }
    if (ready) ready(std::move(answer));
  }

 private:
  std::mutex mutex_;
  Done pending_;
};

class PulledStream : public ServerStream {
 public:
  // `slot` is held as long as the stream is open.
  PulledStream(std::shared_ptr<StreamWork> work, std::shared_ptr<void> slot)
      : work_(std::move(work)), slot_(std::move(slot)) {}
  ~PulledStream() override { work_->cancel(); }
  void next(Done ready) override { work_->next(std::move(ready)); }
  void cancel() override { work_->cancel(); }

 private:
  const std::shared_ptr<StreamWork> work_;
  const std::shared_ptr<void> slot_;
};

}  // namespace taizhang::lists
