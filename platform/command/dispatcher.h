// The one way in: unary RPCs, the bulk stream, validate_only and tests all go through it.
//
// Commands go to the writer of their ledger, queries to the view that registered them, by method.
// Transport-free.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "platform/command/answer.h"
#include "platform/command/caller.h"

namespace google::protobuf {
class MethodDescriptor;
}

namespace taizhang {

// A server stream being written. The transport asks for messages one by one; thread-safe.
class ServerStream {
 public:
  virtual ~ServerStream() = default;
  // Asks for the next message: `ready` is called exactly once, on any thread, with a message, with
  // an Error that ends the stream, or with a null message: the stream ended well.
  virtual void next(Done ready) = 0;
  // The caller is gone: a pending next() is answered CANCELLED soon.
  virtual void cancel() = 0;
  // Up to where everything before the message handed out last had been told, in the stream's own
  // terms ("seq 12"): for a caller who is ended because it does not read. Empty: there is no such
  // place.
  virtual std::string position() const { return {}; }
};

class Dispatcher {
 public:
  using Unary =
      std::function<void(const Call&, std::shared_ptr<const google::protobuf::Message>, Done)>;
  using Streaming = std::function<std::variant<std::unique_ptr<ServerStream>, Error>(
      const Call&, std::shared_ptr<const google::protobuf::Message>)>;

  // Handlers are added before serving; at most one per method, by full name
  // "taizhang.funds.v1.FundsService.SpendDirectly".
  void handle(std::string method, Unary handler);
  void handle_stream(std::string method, Streaming handler);

  // Authorises by the method's (command) or (query) option and validates statelessly (all
  // violations at once), then hands over. `done` is called exactly once. A method nobody handles:
  // UNIMPLEMENTED.
  void unary(const google::protobuf::MethodDescriptor& method, const Call& call,
             std::shared_ptr<const google::protobuf::Message> request, Done done) const;
  std::variant<std::unique_ptr<ServerStream>, Error> stream(
      const google::protobuf::MethodDescriptor& method, const Call& call,
      std::shared_ptr<const google::protobuf::Message> request) const;

  // What unary() and stream() check of a query before they hand it over: who may ask, and whether the
  // request is well formed. For handlers that ask another query on a caller's behalf.
  static std::optional<Error> check_query(const google::protobuf::MethodDescriptor& method,
                                          const Call& call,
                                          const google::protobuf::Message& request);

  bool handles(std::string_view method) const;

 private:
  std::unordered_map<std::string, Unary> unary_;
  std::unordered_map<std::string, Streaming> streaming_;
};

}  // namespace taizhang
