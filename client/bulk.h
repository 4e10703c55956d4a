// The bulk stream of a taizhangd: many commands per message, answered in order.
//
// A stream is used by one thread. Client::execute() opens one; it may outlive the client.
#pragma once

#include <memory>

#include "client/client.h"

namespace google::protobuf {
class Descriptor;
}

namespace google::rpc {
class Status;
}

namespace taizhang::ledger::v1 {
class ExecuteRequest;
class ExecuteResponse;
}  // namespace taizhang::ledger::v1

namespace taizhang::client {

// The bulk stream takes commands of that request type.
bool in_bulk(const google::protobuf::Descriptor& request);
// Appends a copy of a command for which in_bulk() holds.
void add_command(const google::protobuf::Message& request, ledger::v1::ExecuteRequest& message);
// A refusal of one command.
CallError error_of(const google::rpc::Status& status);

class BulkStream {
 public:
  virtual ~BulkStream() = default;
  // False: the stream is broken; finish() says why.
  virtual bool write(const ledger::v1::ExecuteRequest& message) = 0;
  // The answer to the oldest message that has none yet; waits for it. False: there is none.
  virtual bool read(ledger::v1::ExecuteResponse& message) = 0;
  // Waits for the end; answers that were not read are lost. Once, last.
  virtual CallError finish() = 0;
};

}  // namespace taizhang::client
