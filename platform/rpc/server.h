// The gRPC server: every service of package taizhang.*, those of operators on an address of their
// own; health and reflection on both. Bounds count the calls of both together.
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
  // Serves from the moment it returns. References must outlive the server. `listen`,
  // `admin_listen`: loopback addresses; port 0: any. INVALID_ARGUMENT: not loopback. UNAVAILABLE:
  // an address cannot be listened on.
  static absl::StatusOr<std::unique_ptr<RpcServer>> start(const std::string& listen,
                                                          const config::v1::Limits& limits,
                                                          const Dispatcher& dispatcher,
                                                          const Callers& callers, Metrics& metrics,
                                                          const std::string& admin_listen);
  // stop()
  ~RpcServer();

  // "127.0.0.1:7610", with the true port.
  const std::string& address() const;
  // The one of package taizhang.admin.
  const std::string& admin_address() const;

  // Health of every service whose full name begins with `prefix`: "taizhang.funds." for one
  // context, "" for all of them and the server as a whole. All serve after start. One thread at a
  // time.
  void set_serving(std::string_view prefix, bool serving);

  // Refuses what is new (UNAVAILABLE, outcome=none), answers every call that was taken, ends the
  // streams after what they have taken; after stop_grace_ms cancels what is left. Waits for calls,
  // not for idle connections. Returns when no call is running any more. Idempotent.
  void stop();

 private:
  struct Impl;
  explicit RpcServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace taizhang
