// Load over gRPC: a fixed number of callers, each sends its next request when the last is answered,
// or later where a pace is given.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace taizhang::bench {

struct LoadResult {
  double per_second = 0;
  double p50_us = 0;
  double p99_us = 0;
  int64_t calls = 0;
  int64_t errors = 0;
  std::string first_error;
};

struct LoadOptions {
  std::string address;
  std::string method;  // "/taizhang.ledger.v1.CommandService/Execute"
  std::string token;   // empty: none
  int callers = 1;
  double seconds = 5;
  // Bulk: this many messages; 0: until the time is over.
  int64_t messages = 0;
  // Unary: the method of a request by its index, where they differ.
  std::function<std::string(int64_t index)> method_of;
  // Unary: so many requests a second from all callers together, as far as answers come in time; 0:
  // as many as they can.
  double per_second = 0;
};

// Serialised request number `index`; called from several threads.
using MakeRequest = std::function<std::string(int64_t index)>;

LoadResult unary_load(const LoadOptions& options, const MakeRequest& make);

// One bidirectional stream, `callers` messages in flight; `per_message` commands each. per_second
// and calls count commands, latencies are of messages. `count_refusals` looks into a response.
LoadResult bulk_load(const LoadOptions& options, int per_message, const MakeRequest& make,
                     const std::function<int64_t(const std::string&)>& count_refusals);

// One connection for calls one after the other.
class Connection {
 public:
  explicit Connection(const std::string& address);
  ~Connection();
  // Waits for the answer. Empty: it went well, and `response` has it; else the error.
  std::string call(const std::string& method, const std::string& token, const std::string& request,
                   std::string* response = nullptr);

 private:
  struct Stub;
  std::unique_ptr<Stub> stub_;
};

}  // namespace taizhang::bench
