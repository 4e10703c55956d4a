// Closed-loop load over gRPC: a fixed number of callers, each sends its next request when the last
// is answered.
#pragma once

#include <cstdint>
#include <functional>
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
};

// Serialised request number `index`; called from several threads.
using MakeRequest = std::function<std::string(int64_t index)>;

LoadResult unary_load(const LoadOptions& options, const MakeRequest& make);

// One bidirectional stream, `callers` messages in flight; `per_message` commands each. per_second
// and calls count commands, latencies are of messages. `count_refusals` looks into a response.
LoadResult bulk_load(const LoadOptions& options, int per_message, const MakeRequest& make,
                     const std::function<int64_t(const std::string&)>& count_refusals);

// One call, for setting up. Empty: it went well; else the error.
std::string call_once(const LoadOptions& options, const std::string& request);

}  // namespace taizhang::bench
