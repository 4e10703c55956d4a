// The gRPC server: every service of package taizhang.*, health and reflection, on one address.
//
// Built from the descriptors: a new rpc needs its proto and a handler in the dispatcher, nothing
// here.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace taizhang {

class Callers;
class Dispatcher;
class Metrics;

namespace config::v1 {
class Limits;
}

class RpcServer {
 public:
  // Serves from the moment it returns. References must outlive the server. `listen`: a loopback
  // address; port 0: any. INVALID_ARGUMENT: not loopback. UNAVAILABLE: the address cannot be
  // listened on.
  static absl::StatusOr<std::unique_ptr<RpcServer>> start(const std::string& listen,
                                                          const config::v1::Limits& limits,
                                                          const Dispatcher& dispatcher,
                                                          const Callers& callers, Metrics& metrics);
  // stop()
  ~RpcServer();

  // "127.0.0.1:7610", with the true port.
  const std::string& address() const;

  // Health of every service whose full name begins with `prefix`: "taizhang.funds." for one
  // context, "" for all of them and the server as a whole. All serve after start. One thread at a
  // time.
  void set_serving(std::string_view prefix, bool serving);

  // Takes nothing new, answers every call that was taken, ends the streams after what they have
  // taken; after stop_grace_ms cancels what is left. Returns when no call is running any more.
  // Idempotent.
  void stop();

 private:
  struct Impl;
  explicit RpcServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace taizhang
