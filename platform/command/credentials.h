// What the caller of the call that is being opened showed, for handlers that ask another server on
// the caller's behalf.
#pragma once

#include <string_view>

namespace taizhang {

// Holds for this thread while it lives: the transport opens a stream within one. They do not nest.
class CallCredentials {
 public:
  // `token` must outlive this.
  explicit CallCredentials(std::string_view token);
  ~CallCredentials();
  CallCredentials(const CallCredentials&) = delete;

  // Token of the call that is being opened on this thread; empty: none, or nothing is being opened.
  static std::string_view token();
};

}  // namespace taizhang
