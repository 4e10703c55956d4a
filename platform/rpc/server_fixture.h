// For tests of the transport: the server over a real port, a client of raw gRPC, handlers of the
// test's own.
#pragma once

#include <google/protobuf/descriptor.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/impl/client_unary_call.h>
#include <grpcpp/impl/codegen/proto_utils.h>
#include <grpcpp/support/sync_stream.h>
#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <deque>
#include <fstream>
#include <future>
#include <mutex>
#include <random>
#include <thread>

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "grpc/health/v1/health.pb.h"
#include "platform/base/clock.h"
#include "platform/command/dispatcher.h"
#include "platform/rpc/callers.h"
#include "platform/command/error_status.h"
#include "platform/rpc/metrics.h"
#include "platform/rpc/server.h"
#include "taizhang/common/v1/enums.pb.h"
#include "taizhang/config/v1/config.pb.h"
#include "taizhang/ledger/v1/bulk.pb.h"
#include "taizhang/ledger/v1/ledger.pb.h"
#include "taizhang/rules/v1/commands.pb.h"

namespace taizhang::rpc_testing {

using google::protobuf::Message;
using google::protobuf::MessageLite;
using ledger::v1::ExecuteRequest;
using ledger::v1::ExecuteResponse;
using ledger::v1::GetOutcomeRequest;
using ledger::v1::GetOutcomeResponse;
using ledger::v1::SubscribeRequest;
using ledger::v1::SubscribeResponse;

inline constexpr char kGetOutcome[] = "/taizhang.ledger.v1.LedgerService/GetOutcome";
inline constexpr char kSubscribe[] = "/taizhang.ledger.v1.LedgerService/Subscribe";
inline constexpr char kReadEvents[] = "/taizhang.ledger.v1.LedgerService/ReadEvents";
inline constexpr char kExecute[] = "/taizhang.ledger.v1.CommandService/Execute";
inline constexpr char kCreateRegion[] = "/taizhang.rules.v1.RulesService/CreateRegion";
inline constexpr char kCheck[] = "/grpc.health.v1.Health/Check";
inline constexpr char kRequestId[] = "0190a1b2-0000-7000-8000-000000000001";

inline std::string token_of(const std::string& name) { return name + "-token"; }

inline Callers test_callers() {
  std::string text;
  for (const char* name : {"maker", "reader"}) {
    text += "profiles { name: '" + std::string(name) +
            "' subject: 's' roles: ROLE_MAKER roles: ROLE_READER "
            "everywhere: true token_sha256: '" +
            hex(bytes_of(sha256(token_of(name)))) + "' }\n";
  }
  return std::move(*Callers::parse("t", text));
}

// Messages that the test hands out one by one.
class FakeSource : public ServerStream {
 public:
  struct State {
    std::mutex mutex;
    std::deque<Answer> ready;
    Done waiting;
    bool cancelled = false;

    void give(Answer answer) {
      Done done;
      {
        const std::lock_guard lock(mutex);
        if (!waiting) return ready.push_back(std::move(answer));
        done = std::exchange(waiting, nullptr);
      }
      done(std::move(answer));
    }
  };

  explicit FakeSource(std::shared_ptr<State> state) : state_(std::move(state)) {}
  void next(Done done) override {
    std::unique_lock lock(state_->mutex);
    if (state_->ready.empty() && !state_->cancelled) {
      state_->waiting = std::move(done);
      return;
    }
    Answer answer = failure(kCancelled, "CANCELLED", "cancelled");
    if (!state_->ready.empty()) {
      answer = std::move(state_->ready.front());
      state_->ready.pop_front();
    }
    lock.unlock();
    done(std::move(answer));
  }
  void cancel() override {
    Done done;
    {
      const std::lock_guard lock(state_->mutex);
      state_->cancelled = true;
      done = std::exchange(state_->waiting, nullptr);
    }
    if (done) done(failure(kCancelled, "CANCELLED", "cancelled"));
  }

 private:
  std::shared_ptr<State> state_;
};

inline Answer outcome_absent() {
  auto response = std::make_unique<GetOutcomeResponse>();
  response->set_outcome(GetOutcomeResponse::OUTCOME_ABSENT);
  return std::unique_ptr<Message>(std::move(response));
}

inline Answer heartbeat(int64_t seq) {
  auto response = std::make_unique<SubscribeResponse>();
  response->mutable_heartbeat()->set_seq(seq);
  return std::unique_ptr<Message>(std::move(response));
}

inline Answer region_created(int64_t seq) {
  auto response = std::make_unique<rules::v1::CreateRegionResponse>();
  response->mutable_receipt()->set_first_seq(seq);
  response->set_version(seq);
  return std::unique_ptr<Message>(std::move(response));
}

inline GetOutcomeRequest valid_outcome() {
  GetOutcomeRequest request;
  request.set_ledger("990101");
  request.set_request_id(kRequestId);
  return request;
}

// Names commands by their region: the fake handlers see nothing else.
inline ExecuteRequest commands(std::initializer_list<const char*> regions) {
  ExecuteRequest request;
  for (const char* region : regions) {
    auto& command = *request.add_commands()->mutable_rules()->mutable_create_region();
    command.mutable_context()->set_request_id(kRequestId);
    command.set_region(region);
  }
  return request;
}

inline google::rpc::Status details_of(const grpc::Status& status) {
  google::rpc::Status details;
  EXPECT_TRUE(details.ParseFromString(status.error_details()));
  return details;
}

template <class Detail>
Detail detail_of(const grpc::Status& status) {
  Detail detail;
  const auto details = details_of(status);
  for (const auto& any : details.details()) {
    if (any.UnpackTo(&detail)) return detail;
  }
  ADD_FAILURE() << "no " << Detail::descriptor()->full_name() << " in "
                << details.ShortDebugString();
  return detail;
}

inline std::string reason_of(const grpc::Status& status) {
  return detail_of<google::rpc::ErrorInfo>(status).reason();
}

inline int64_t resident_kib() {
  std::ifstream file("/proc/self/status");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("VmRSS:")) return std::stoll(line.substr(6));
  }
  return 0;
}

class Server : public testing::Test {
 protected:
  void SetUp() override {
    limits_.set_stop_grace_ms(5000);
    // What the handlers do is up to each test.
    dispatcher_.handle("taizhang.ledger.v1.LedgerService.GetOutcome",
                       [this](const Call& call, std::shared_ptr<const Message> request, Done done) {
                         on_outcome_(call,
                                     std::static_pointer_cast<const GetOutcomeRequest>(request),
                                     std::move(done));
                       });
    dispatcher_.handle(
        "taizhang.rules.v1.RulesService.CreateRegion",
        [this](const Call&, std::shared_ptr<const Message> request, Done done) {
          on_region_(std::static_pointer_cast<const rules::v1::CreateRegionRequest>(request),
                     std::move(done));
        });
    dispatcher_.handle_stream(
        "taizhang.ledger.v1.LedgerService.Subscribe",
        [this](const Call&, std::shared_ptr<const Message>)
            -> std::variant<std::unique_ptr<ServerStream>, Error> {
          if (on_subscribe_) return on_subscribe_();
          // The test speaks through the first stream; any other ends at once.
          const auto state = streams_++ == 0 ? source_ : std::make_shared<FakeSource::State>();
          if (state != source_) state->give(std::unique_ptr<Message>());
          return std::make_unique<FakeSource>(state);
        });
  }

  void serve() {
    auto server =
        RpcServer::start("127.0.0.1:0", limits_, dispatcher_, callers_, metrics_, "127.0.0.1:0");
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = std::move(*server);
    channel_ = grpc::CreateChannel(server_->address(), grpc::InsecureChannelCredentials());
  }

  static void prepare(grpc::ClientContext& context, const std::string& token = token_of("maker"),
                      int64_t deadline_ms = 120'000) {
    if (!token.empty()) context.AddMetadata("authorization", "Bearer " + token);
    if (deadline_ms > 0) {
      context.set_deadline(std::chrono::system_clock::now() +
                           std::chrono::milliseconds(deadline_ms));
    }
  }

  template <class Request, class Response>
  grpc::Status call(grpc::ClientContext& context, const char* path, const Request& request,
                    Response& response) {
    const grpc::internal::RpcMethod method(path, grpc::internal::RpcMethod::NORMAL_RPC, channel_);
    return grpc::internal::BlockingUnaryCall<Request, Response, MessageLite, MessageLite>(
        channel_.get(), method, &context, request, &response);
  }

  grpc::Status call_bytes(const char* path, std::string_view bytes) {
    grpc::ClientContext context;
    prepare(context);
    const grpc::Slice slice(bytes.data(), bytes.size());
    const grpc::ByteBuffer in(&slice, 1);
    grpc::ByteBuffer out;
    const grpc::internal::RpcMethod method(path, grpc::internal::RpcMethod::NORMAL_RPC, channel_);
    return grpc::internal::BlockingUnaryCall<grpc::ByteBuffer, grpc::ByteBuffer>(
        channel_.get(), method, &context, in, &out);
  }

  grpc::Status get_outcome() {
    grpc::ClientContext context;
    prepare(context);
    GetOutcomeResponse response;
    return call(context, kGetOutcome, valid_outcome(), response);
  }

  std::unique_ptr<grpc::ClientReader<SubscribeResponse>> subscribe(grpc::ClientContext& context) {
    SubscribeRequest request;
    request.set_ledger("990101");
    const grpc::internal::RpcMethod method(kSubscribe, grpc::internal::RpcMethod::SERVER_STREAMING,
                                           channel_);
    return std::unique_ptr<grpc::ClientReader<SubscribeResponse>>(
        grpc::internal::ClientReaderFactory<SubscribeResponse>::Create<MessageLite>(
            channel_.get(), method, &context, request));
  }

  // A stream that is open on both sides: its first message was read.
  std::unique_ptr<grpc::ClientReader<SubscribeResponse>> open_stream(grpc::ClientContext& context) {
    prepare(context);
    auto stream = subscribe(context);
    source_->give(heartbeat(1));
    SubscribeResponse message;
    EXPECT_TRUE(stream->Read(&message));
    return stream;
  }

  std::unique_ptr<grpc::ClientReaderWriter<ExecuteRequest, ExecuteResponse>> execute(
      grpc::ClientContext& context) {
    const grpc::internal::RpcMethod method(kExecute, grpc::internal::RpcMethod::BIDI_STREAMING,
                                           channel_);
    return std::unique_ptr<grpc::ClientReaderWriter<ExecuteRequest, ExecuteResponse>>(
        grpc::internal::ClientReaderWriterFactory<ExecuteRequest, ExecuteResponse>::Create(
            channel_.get(), method, &context));
  }

  grpc::health::v1::HealthCheckResponse::ServingStatus health(const std::string& service) {
    grpc::ClientContext context;
    grpc::health::v1::HealthCheckRequest request;
    request.set_service(service);
    grpc::health::v1::HealthCheckResponse response;
    const auto status = call(context, kCheck, request, response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response.status();
  }

  config::v1::Limits limits_;
  Dispatcher dispatcher_;
  Callers callers_ = test_callers();
  Metrics metrics_;
  std::function<void(const Call&, std::shared_ptr<const GetOutcomeRequest>, Done)> on_outcome_ =
      [](const Call&, const auto&, const Done& done) { done(outcome_absent()); };
  std::function<void(std::shared_ptr<const rules::v1::CreateRegionRequest>, Done)> on_region_ =
      [](const auto& request, const Done& done) {
        if (request->region() == "refused")
          return done(failure(kFailedPrecondition, "REFUSED", "no"));
        done(region_created(std::stoll(request->region())));
      };
  // Instead of `source_`.
  std::function<std::unique_ptr<ServerStream>()> on_subscribe_;
  std::atomic<int> streams_{0};
  std::shared_ptr<FakeSource::State> source_ = std::make_shared<FakeSource::State>();
  std::unique_ptr<RpcServer> server_;
  std::shared_ptr<grpc::Channel> channel_;
};

}  // namespace taizhang::rpc_testing
