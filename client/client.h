// A connection to a taizhangd: calls any method by its name, with messages made from the linked
// descriptors.
//
// Thread-safe after construction; a call blocks its thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace google::protobuf {
class Message;
class MethodDescriptor;
}  // namespace google::protobuf

namespace taizhang::client {

// How a call ended that did not end well: the status and its google.rpc details.
struct CallError {
  struct Violation {
    std::string field;
    std::string description;
  };

  int code = 0;           // gRPC status code; 0: it ended well
  std::string code_name;  // "FAILED_PRECONDITION"
  std::string reason;     // "LINE_NOT_FUNDED"
  std::string message;
  std::string zh;                                             // for a clerk
  std::vector<std::pair<std::string, std::string>> metadata;  // by key
  std::vector<Violation> violations;
  int64_t retry_after_ms = 0;  // 0: not said

  bool ok() const { return code == 0; }
};

// "funds.SpendDirectly", "taizhang.funds.v1.FundsService/SpendDirectly" and
// "taizhang.funds.v1.SpendDirectly" are the same method. Null: there is none, or, of the short
// form, more than one.
const google::protobuf::MethodDescriptor* find_method(std::string_view name);
// Short names of all methods: "admin.OpenLedger" …, ascending.
std::vector<std::string> method_names();
// "funds.SpendDirectly" of the method's full name.
std::string short_name(const google::protobuf::MethodDescriptor& method);

// A new message of a linked type.
std::unique_ptr<google::protobuf::Message> new_message(std::string_view full_name);
std::unique_ptr<google::protobuf::Message> new_request(
    const google::protobuf::MethodDescriptor& method);
std::unique_ptr<google::protobuf::Message> new_response(
    const google::protobuf::MethodDescriptor& method);

class BulkStream;

class Client {
 public:
  // `admin_address`: where the methods of package taizhang.admin are served.
  Client(const std::string& address, const std::string& admin_address);
  ~Client();

  // `response` is of the method's type and is filled when the call ends well. `token` empty: none
  // is sent.
  CallError call(const google::protobuf::MethodDescriptor& method,
                 const google::protobuf::Message& request, google::protobuf::Message& response,
                 const std::string& token, int64_t deadline_ms);
  // A server stream; `each` says whether to go on. Ends well when the server ends it or `each` has
  // enough.
  CallError stream(const google::protobuf::MethodDescriptor& method,
                   const google::protobuf::Message& request, const std::string& token,
                   int64_t deadline_ms,
                   const std::function<bool(const google::protobuf::Message&)>& each);
  // Opens a bulk stream; an error shows at its first use.
  std::unique_ptr<BulkStream> execute(const std::string& token, int64_t deadline_ms);
  // gRPC health of a service, "" for the whole server: "SERVING", "NOT_SERVING" …
  CallError health(const std::string& service, std::string& status, int64_t deadline_ms);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace taizhang::client
