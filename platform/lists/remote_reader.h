// Port to another server that answers queries of ledgers which this process does not hold.
#pragma once

#include <string>

#include "platform/command/answer.h"
#include "platform/command/caller.h"

namespace google::protobuf {
class MethodDescriptor;
}

namespace taizhang::lists {

// Thread-safe.
class RemoteReader {
 public:
  virtual ~RemoteReader() = default;
  // As settings and answers name it.
  virtual const std::string& name() const = 0;
  // One unary call for `asker`, with the caller's own token. `done` is called once, on any
  // thread, at the deadline of the call or of the reader at the latest. UNAVAILABLE,
  // READER_UNREACHABLE: there is no connection. DEADLINE_EXCEEDED, READER_SLOW: no answer in time.
  // READER_FAILED: it does not know the method, or the like. Other errors are those of the reader;
  // all of them name it in their metadata.
  virtual void call(const google::protobuf::MethodDescriptor& method,
                    const google::protobuf::Message& request, const Call& asker, Done done) = 0;
  // Cancels what runs and waits for it; from then on calls are answered UNAVAILABLE at once. Comes
  // before its end, since what was asked may ask on.
  virtual void stop() = 0;
};

}  // namespace taizhang::lists
