// What every call passes, whatever its shape: who calls, until when, how much at once; and what is
// counted and logged.
//
// Private to platform/rpc: it names gRPC. Thread-safe.
#pragma once

#include <google/protobuf/arena.h>
#include <google/protobuf/message.h>
#include <grpcpp/alarm.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/impl/codegen/server_callback_handlers.h>
#include <grpcpp/impl/service_type.h>
#include <grpcpp/support/proto_buffer_reader.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <vector>

#include "platform/base/clock.h"
#include "platform/command/dispatcher.h"
#include "platform/rpc/callers.h"
#include "platform/rpc/metrics.h"
#include "taizhang/config/v1/config.pb.h"

namespace taizhang {

// One rpc of a proto service. Lives as long as the server.
struct Method {
  const google::protobuf::MethodDescriptor* descriptor = nullptr;
  const google::protobuf::Message* request = nullptr;  // prototype
  std::string path;  // "/taizhang.funds.v1.FundsService/SpendDirectly"
  // Request field `context` of type common.v1.RequestContext; null: none.
  const google::protobuf::FieldDescriptor* context = nullptr;
};

// Every rpc of every service in package taizhang.*, in a fixed order.
std::vector<Method> all_methods();

// A message on an arena of its own: one allocation holds the arena and its first block.
class ParsedMessage {
 public:
  ParsedMessage();
  // False: not a serialised message of that type.
  bool parse(const google::protobuf::Message& prototype, const grpc::ByteBuffer& bytes);
  // After parse() only.
  const google::protobuf::Message& message() const { return *message_; }

 private:
  alignas(8) char first_block_[2048];
  google::protobuf::Arena arena_;
  google::protobuf::Message* message_ = nullptr;
};

// One slice, written once.
grpc::ByteBuffer serialised(const google::protobuf::Message& message);

grpc::Status status_of(const Error& error);

// As long as the context; empty: it carries none of a form that we know.
std::string_view bearer_token(const grpc::CallbackServerContext& context);

// A stream that is open, so that a stop can end it.
class OpenStream {
 public:
  virtual ~OpenStream() = default;
  // Ends the stream as soon as what it has taken is answered.
  virtual void end(const Error& error) = 0;
  // Called every now and then, by one thread: looks whether the caller still takes what it is sent.
  virtual void look(int64_t /*now_us*/) {}
};

// A call whose status is not with gRPC yet. A stop waits until there is none; it may outlive the
// gate.
class Unanswered {
 public:
  Unanswered() = default;
  explicit Unanswered(std::shared_ptr<std::atomic<int>> count) : count_(std::move(count)) {
    count_->fetch_add(1);
  }
  Unanswered(Unanswered&&) = default;
  Unanswered& operator=(Unanswered&& other) noexcept {
    std::swap(count_, other.count_);
    return *this;
  }
  ~Unanswered() {
    if (count_) count_->fetch_sub(1);
  }

 private:
  std::shared_ptr<std::atomic<int>> count_;
};

class Gate;

// A call that was let in: holds its place among the calls in flight until it is destroyed or
// released.
class Ticket {
 public:
  Ticket() = default;
  Ticket(const Ticket&) = delete;
  Ticket& operator=(const Ticket&) = delete;
  ~Ticket() { release(); }

  const Call& call() const { return call_; }
  // The deadline was beyond the cap: nobody but the server ends the call at it.
  bool capped() const { return capped_; }
  std::chrono::microseconds remaining() const { return remaining_; }
  void release();
  // To be dropped once the call's status is with gRPC.
  Unanswered take_unanswered() { return std::move(unanswered_); }

 private:
  friend class Gate;
  Gate* gate_ = nullptr;
  bool stream_ = false;
  bool capped_ = false;
  std::chrono::microseconds remaining_{0};
  Call call_;
  Unanswered unanswered_;
};

class Gate {
 public:
  // References must outlive the gate.
  Gate(const config::v1::Limits& limits, const Dispatcher& dispatcher, const Callers& callers,
       Metrics& metrics, std::vector<Method> methods);
  ~Gate();  // close()

  const std::vector<Method>& methods() const { return methods_; }
  const Dispatcher& dispatcher() const { return dispatcher_; }
  const config::v1::Limits& limits() const { return limits_; }

  // Checks in this order: caller, deadline, not closed, room. `stream`: counts as an open stream of
  // its caller. `ticket`: an empty one; it names the caller as soon as that is known, also when the
  // call is not let in.
  std::optional<Error> admit(const grpc::CallbackServerContext& context, bool stream,
                             Ticket& ticket);
  // Size, then form.
  std::optional<Error> parse(const Method& method, const grpc::ByteBuffer& bytes,
                             ParsedMessage& out) const;

  // When the call came in; for finished().
  static int64_t now_us();
  // Counts the answer.
  void count(const Method& method, int code, int64_t start_us);
  // Writes the line of the request log. `request` null: it was not read.
  void log_call(const Method& method, const Caller* caller,
                const google::protobuf::Message* request, int code, std::string_view reason,
                int64_t start_us);

  // Method of a command by the type of its request; null: no such command.
  const Method* by_request(const google::protobuf::Descriptor& request) const;

  // An open stream, which is looked at from now on. Ends it at once when the gate is closing.
  void opened(const std::shared_ptr<OpenStream>& stream);
  // Lets no new call in and ends the open streams.
  void close();
  // Waits until every call that was let in is answered. False: `timeout` passed before.
  bool wait_answered(std::chrono::milliseconds timeout) const;

 private:
  friend class Ticket;
  // Counters of one method by status code, made at the first such answer.
  struct Outcomes {
    static constexpr size_t kCodes = 17;
    std::atomic<Counter*> counters[kCodes] = {};
    std::unique_ptr<Histogram> latency;
  };

  std::optional<Error> authenticate(const grpc::CallbackServerContext& context, Call& call) const;
  std::optional<Error> check_deadline(const grpc::CallbackServerContext& context, bool stream,
                                      Ticket& ticket) const;
  Counter& counter(const Method& method, size_t code);
  // Looks at the open streams until the gate closes.
  void watch_streams();

  const config::v1::Limits limits_;
  const Dispatcher& dispatcher_;
  const Callers& callers_;
  Metrics& metrics_;
  const std::vector<Method> methods_;
  std::unordered_map<const google::protobuf::Descriptor*, const Method*> by_request_;
  std::vector<Outcomes> outcomes_;
  std::mutex counters_mutex_;
  std::list<Counter> counters_;

  // Shared with the gauge, which may be read after the gate is gone.
  std::shared_ptr<std::atomic<int>> calls_in_flight_ = std::make_shared<std::atomic<int>>(0);
  std::shared_ptr<std::atomic<int>> streams_open_ = std::make_shared<std::atomic<int>>(0);
  std::unordered_map<const Caller*, std::atomic<int>> streams_of_;
  std::atomic<uint64_t> calls_logged_{0};

  // Sequentially consistent with `closed_`: a call is refused, or the stop sees it.
  std::shared_ptr<std::atomic<int>> unanswered_ = std::make_shared<std::atomic<int>>(0);
  std::atomic<bool> closed_{false};

  std::mutex streams_mutex_;
  std::condition_variable streams_closing_;
  bool closing_ = false;
  std::vector<std::weak_ptr<OpenStream>> streams_;
  std::thread watching_;
};

Error server_stopping();

}  // namespace taizhang
