// The ledger view of a log behind a port, in this process: what subscribers of the benchmark
// follow.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "platform/command/dispatcher.h"
#include "platform/journal/log.h"
#include "platform/projection/views.h"
#include "platform/rpc/callers.h"
#include "platform/rpc/metrics.h"
#include "platform/rpc/server.h"
#include "taizhang/config/v1/config.pb.h"

namespace taizhang::bench {

class EventsNode {
 public:
  // Lets so many streams be open at once. Everything that the log holds is in the view before it
  // returns; a failure ends the process.
  EventsNode(journal::Log& log, const std::filesystem::path& folder, int streams_max);
  ~EventsNode();

  // Until the view holds all of the log.
  void catch_up();
  const std::string& address() const { return server_->address(); }
  static const char* token();

 private:
  std::unique_ptr<Views> views_;
  Dispatcher dispatcher_;
  std::unique_ptr<Callers> callers_;
  config::v1::Limits limits_;
  Metrics metrics_;
  std::unique_ptr<RpcServer> server_;
};

}  // namespace taizhang::bench
