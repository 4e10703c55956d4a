// What operators ask of this process: how it is, and that a view be folded again.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "platform/command/answer.h"

namespace taizhang {

class Dispatcher;
class ProcessJournal;
class Views;
class Writers;

// Rebuilds and comparisons take long: they run one after another on a thread of their own.
class Admin {
 public:
  // Null: this process has no such part. All of them outlive this object.
  Admin(ProcessJournal& journal, const Writers* writers, Views* views, std::string data_dir);
  ~Admin();  // stop()
  Admin(const Admin&) = delete;

  // Before serving; this object outlives the dispatcher's calls.
  void serve(Dispatcher& dispatcher);
  // Ends the work at hand, drops what waits behind it. Idempotent.
  void stop();

 private:
  void later(std::function<void()> work);
  void loop();
  // A stream of one message: the answer may take longer than a unary call may last.
  template <class Request>
  void serve_slowly(Dispatcher& dispatcher, const char* method,
                    Answer (*answer)(Views&, const Request&));

  ProcessJournal& journal_;
  const Writers* const writers_;
  Views* const views_;
  const std::string data_dir_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> waiting_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace taizhang
