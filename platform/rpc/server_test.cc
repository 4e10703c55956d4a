// The server over a real port: a client of raw gRPC against handlers of the test's own.
#include "platform/rpc/server.h"

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
#include "platform/rpc/error_status.h"
#include "platform/rpc/metrics.h"
#include "taizhang/common/v1/enums.pb.h"
#include "taizhang/config/v1/config.pb.h"
#include "taizhang/ledger/v1/bulk.pb.h"
#include "taizhang/ledger/v1/ledger.pb.h"
#include "taizhang/rules/v1/commands.pb.h"

namespace taizhang {
namespace {

using google::protobuf::Message;
using google::protobuf::MessageLite;
using ledger::v1::ExecuteRequest;
using ledger::v1::ExecuteResponse;
using ledger::v1::GetOutcomeRequest;
using ledger::v1::GetOutcomeResponse;
using ledger::v1::SubscribeRequest;
using ledger::v1::SubscribeResponse;

constexpr char kGetOutcome[] = "/taizhang.ledger.v1.LedgerService/GetOutcome";
constexpr char kSubscribe[] = "/taizhang.ledger.v1.LedgerService/Subscribe";
constexpr char kReadEvents[] = "/taizhang.ledger.v1.LedgerService/ReadEvents";
constexpr char kExecute[] = "/taizhang.ledger.v1.CommandService/Execute";
constexpr char kCreateRegion[] = "/taizhang.rules.v1.RulesService/CreateRegion";
constexpr char kCheck[] = "/grpc.health.v1.Health/Check";
constexpr char kRequestId[] = "0190a1b2-0000-7000-8000-000000000001";

std::string token_of(const std::string& name) { return name + "-token"; }

Callers test_callers() {
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

Answer outcome_absent() {
  auto response = std::make_unique<GetOutcomeResponse>();
  response->set_outcome(GetOutcomeResponse::OUTCOME_ABSENT);
  return std::unique_ptr<Message>(std::move(response));
}

Answer heartbeat(int64_t seq) {
  auto response = std::make_unique<SubscribeResponse>();
  response->mutable_heartbeat()->set_seq(seq);
  return std::unique_ptr<Message>(std::move(response));
}

Answer region_created(int64_t seq) {
  auto response = std::make_unique<rules::v1::CreateRegionResponse>();
  response->mutable_receipt()->set_first_seq(seq);
  response->set_version(seq);
  return std::unique_ptr<Message>(std::move(response));
}

GetOutcomeRequest valid_outcome() {
  GetOutcomeRequest request;
  request.set_ledger("990101");
  request.set_request_id(kRequestId);
  return request;
}

// Names commands by their region: the fake handlers see nothing else.
ExecuteRequest commands(std::initializer_list<const char*> regions) {
  ExecuteRequest request;
  for (const char* region : regions) {
    auto& command = *request.add_commands()->mutable_rules()->mutable_create_region();
    command.mutable_context()->set_request_id(kRequestId);
    command.set_region(region);
  }
  return request;
}

google::rpc::Status details_of(const grpc::Status& status) {
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

std::string reason_of(const grpc::Status& status) {
  return detail_of<google::rpc::ErrorInfo>(status).reason();
}

int64_t resident_kib() {
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
          // The test speaks through the first stream; any other ends at once.
          const auto state = streams_++ == 0 ? source_ : std::make_shared<FakeSource::State>();
          if (state != source_) state->give(std::unique_ptr<Message>());
          return std::make_unique<FakeSource>(state);
        });
  }

  void serve() {
    auto server = RpcServer::start("127.0.0.1:0", limits_, dispatcher_, callers_, metrics_);
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = std::move(*server);
    channel_ = grpc::CreateChannel(server_->address(), grpc::InsecureChannelCredentials());
  }

  static void prepare(grpc::ClientContext& context, const std::string& token = token_of("maker"),
                      int64_t deadline_ms = 10'000) {
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
  std::atomic<int> streams_{0};
  std::shared_ptr<FakeSource::State> source_ = std::make_shared<FakeSource::State>();
  std::unique_ptr<RpcServer> server_;
  std::shared_ptr<grpc::Channel> channel_;
};

TEST_F(Server, AnswersAUnaryCall) {
  std::string seen;
  on_outcome_ = [&](const Call& call, const auto& request, const Done& done) {
    seen = call.caller->profile + " " + request->ledger() + " " + request->request_id();
    done(outcome_absent());
  };
  serve();
  grpc::ClientContext context;
  prepare(context);
  GetOutcomeResponse response;
  const auto status = call(context, kGetOutcome, valid_outcome(), response);
  EXPECT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(response.outcome(), GetOutcomeResponse::OUTCOME_ABSENT);
  EXPECT_EQ(seen, std::string("maker 990101 ") + kRequestId);
}

TEST_F(Server, AnswersFromAnotherThread) {
  std::thread answering;
  on_outcome_ = [&](const Call&, const auto&, Done done) {
    answering = std::thread([done] { done(outcome_absent()); });
  };
  serve();
  EXPECT_TRUE(get_outcome().ok());
  answering.join();
}

TEST_F(Server, AsksForAToken) {
  serve();
  for (const char* path : {kGetOutcome, kSubscribe, kExecute}) {
    grpc::ClientContext context;
    prepare(context, "");
    GetOutcomeResponse response;
    const auto status = call(context, path, valid_outcome(), response);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAUTHENTICATED) << path;
    EXPECT_EQ(reason_of(status), "TOKEN_MISSING") << path;
  }
}

TEST_F(Server, RefusesATokenItDoesNotKnow) {
  serve();
  for (const char* said : {"Bearer nobody", "Bearer ", "Basic maker-token", "maker-token"}) {
    grpc::ClientContext context;
    prepare(context, "");
    context.AddMetadata("authorization", said);
    GetOutcomeResponse response;
    const auto status = call(context, kGetOutcome, valid_outcome(), response);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAUTHENTICATED) << said;
    EXPECT_EQ(reason_of(status), "TOKEN_UNKNOWN") << said;
  }
}

TEST_F(Server, AsksForADeadline) {
  serve();
  grpc::ClientContext context;
  prepare(context, token_of("maker"), 0);
  GetOutcomeResponse response;
  const auto status = call(context, kGetOutcome, valid_outcome(), response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(reason_of(status), "DEADLINE_REQUIRED");
}

TEST_F(Server, CapsADeadline) {
  int64_t left_us = 0;
  on_outcome_ = [&](const Call& call, const auto&, const Done& done) {
    left_us = call.deadline_boot_us - system_clock().boot_us();
    done(outcome_absent());
  };
  limits_.set_deadline_ms_max(2000);
  serve();
  for (const int64_t deadline_ms : {int64_t{1000}, int64_t{3'600'000}, int64_t{3'000'000'000}}) {
    grpc::ClientContext context;
    prepare(context, token_of("maker"), deadline_ms);
    GetOutcomeResponse response;
    EXPECT_TRUE(call(context, kGetOutcome, valid_outcome(), response).ok());
    const int64_t expected_us = std::min<int64_t>(deadline_ms, 2000) * 1000;
    // gRPC rounds a deadline up on its way.
    EXPECT_LE(left_us, expected_us + 100'000);
    EXPECT_GE(left_us, expected_us - 900'000);
  }
}

TEST_F(Server, NamesTheLimitOfARequest) {
  serve();
  auto request = valid_outcome();
  request.mutable_request_id()->resize(600 * 1024, 'x');
  grpc::ClientContext context;
  prepare(context);
  GetOutcomeResponse response;
  const auto status = call(context, kGetOutcome, request, response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(reason_of(status), "LIMIT_EXCEEDED");
  const auto info = detail_of<google::rpc::ErrorInfo>(status);
  EXPECT_EQ(info.metadata().at("limit"), "request_bytes_max");
  EXPECT_EQ(info.metadata().at("max"), "524288");
}

TEST_F(Server, BoundsTheCallsInFlight) {
  limits_.set_calls_in_flight_max(2);
  std::vector<Done> held;
  std::mutex mutex;
  std::condition_variable changed;
  on_outcome_ = [&](const Call&, const auto&, Done done) {
    const std::lock_guard lock(mutex);
    held.push_back(std::move(done));
    changed.notify_all();
  };
  serve();
  auto first = std::async(std::launch::async, [&] { return get_outcome(); });
  auto second = std::async(std::launch::async, [&] { return get_outcome(); });
  {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return held.size() == 2; });
  }
  const auto status = get_outcome();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(detail_of<google::rpc::ErrorInfo>(status).metadata().at("limit"),
            "calls_in_flight_max");
  EXPECT_GT(detail_of<google::rpc::RetryInfo>(status).retry_delay().nanos(), 0);
  for (auto& done : held) done(outcome_absent());
  EXPECT_TRUE(first.get().ok());
  EXPECT_TRUE(second.get().ok());
  on_outcome_ = [](const Call&, const auto&, const Done& done) { done(outcome_absent()); };
  EXPECT_TRUE(get_outcome().ok());
}

TEST_F(Server, BoundsTheOpenStreamsOfACaller) {
  limits_.set_streams_per_caller_max(1);
  serve();
  grpc::ClientContext open_context;
  prepare(open_context);
  auto open = subscribe(open_context);
  source_->give(heartbeat(1));
  SubscribeResponse message;
  ASSERT_TRUE(open->Read(&message));

  grpc::ClientContext second_context;
  prepare(second_context);
  const auto status = subscribe(second_context)->Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(detail_of<google::rpc::ErrorInfo>(status).metadata().at("limit"),
            "streams_per_caller_max");

  // Another caller has room of its own, and so has this one when its stream is closed.
  grpc::ClientContext other_context;
  prepare(other_context, token_of("reader"));
  EXPECT_TRUE(subscribe(other_context)->Finish().ok());
  source_->give(std::unique_ptr<Message>());
  EXPECT_TRUE(open->Finish().ok());
  grpc::ClientContext again_context;
  prepare(again_context);
  EXPECT_TRUE(subscribe(again_context)->Finish().ok());
}

TEST_F(Server, DoesNotKnowAnUnknownMethod) {
  serve();
  for (const char* path :
       {"/taizhang.ledger.v1.LedgerService/Forget", "/no.Service/Method", "/", "nothing"}) {
    EXPECT_EQ(call_bytes(path, "").error_code(), grpc::StatusCode::UNIMPLEMENTED) << path;
  }
}

TEST_F(Server, SaysWhichMethodNobodyServes) {
  serve();
  grpc::ClientContext context;
  prepare(context);
  ledger::v1::ReadEventsResponse response;
  const auto status = call(context, kReadEvents, ledger::v1::ReadEventsRequest(), response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNIMPLEMENTED);
  EXPECT_EQ(reason_of(status), "METHOD_NOT_SERVED");
}

TEST_F(Server, RefusesBytesThatAreNoMessage) {
  serve();
  for (const std::string_view bytes : {std::string_view("\xff\xff\xff\xff"),
                                       std::string_view("\x0a\x05"
                                                        "12",
                                                        4),
                                       std::string_view("\x0a\x02\xc3\x28", 4)}) {
    const auto status = call_bytes(kGetOutcome, bytes);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
    EXPECT_EQ(reason_of(status), "MESSAGE_MALFORMED");
  }
}

TEST_F(Server, RefusesCompressedRequests) {
  serve();
  grpc::ClientContext context;
  prepare(context);
  context.set_compression_algorithm(GRPC_COMPRESS_GZIP);
  auto request = valid_outcome();
  request.mutable_request_id()->resize(100'000, 'x');
  GetOutcomeResponse response;
  EXPECT_EQ(call(context, kGetOutcome, request, response).error_code(),
            grpc::StatusCode::UNIMPLEMENTED);
}

TEST_F(Server, CarriesEveryDetailOfAnError) {
  on_outcome_ = [](const Call&, const auto&, const Done& done) {
    Error error =
        failure(kNotFound, "LEDGER_NOT_FOUND", "no such ledger", {{"ledger", "990101"}}, 250);
    error.zh = "台账尚未建立";
    error.resource_type = "ledger";
    error.resource_name = "990101";
    error.precondition_subject = "ledger";
    error.violations = {{"ledger", "is not open", "LEDGER_NOT_FOUND"}};
    done(std::move(error));
  };
  serve();
  const auto status = get_outcome();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(status.error_message(), "no such ledger");
  EXPECT_EQ(details_of(status).code(), 5);
  EXPECT_EQ(detail_of<google::rpc::ErrorInfo>(status).domain(), "taizhang");
  EXPECT_EQ(detail_of<google::rpc::BadRequest>(status).field_violations(0).field(), "ledger");
  EXPECT_EQ(detail_of<google::rpc::PreconditionFailure>(status).violations(0).subject(), "ledger");
  EXPECT_EQ(detail_of<google::rpc::ResourceInfo>(status).resource_name(), "990101");
  EXPECT_EQ(detail_of<google::rpc::RetryInfo>(status).retry_delay().nanos(), 250'000'000);
  EXPECT_EQ(detail_of<google::rpc::LocalizedMessage>(status).message(), "台账尚未建立");
}

TEST_F(Server, DeliversAnErrorOfAThousandViolations) {
  on_outcome_ = [](const Call&, const auto&, const Done& done) {
    Error error = failure(kInvalidArgument, "FIELD_REQUIRED", "many");
    for (int i = 0; i < 1000; ++i) {
      error.violations.push_back(
          {"rows[" + std::to_string(i) + "].name", "must be there", "FIELD_REQUIRED"});
    }
    done(std::move(error));
  };
  serve();
  const auto status = get_outcome();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(reason_of(status), "FIELD_REQUIRED");
}

TEST_F(Server, SurvivesAHandlerThatThrows) {
  on_outcome_ = [](const Call&, const auto&, const Done&) { throw std::runtime_error("secret"); };
  serve();
  const auto status = get_outcome();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INTERNAL);
  EXPECT_EQ(status.error_message().find("secret"), std::string::npos);
}

TEST_F(Server, TellsItsHealthToAnybody) {
  using Health = grpc::health::v1::HealthCheckResponse;
  serve();
  EXPECT_EQ(health(""), Health::SERVING);
  EXPECT_EQ(health("taizhang.ledger.v1.LedgerService"), Health::SERVING);
  server_->set_serving("taizhang.ledger.v1.LedgerService", false);
  EXPECT_EQ(health("taizhang.ledger.v1.LedgerService"), Health::NOT_SERVING);
  EXPECT_EQ(health(""), Health::SERVING);
  server_->set_serving("", false);
  EXPECT_EQ(health("taizhang.rules.v1.RulesService"), Health::NOT_SERVING);
}

TEST_F(Server, ReflectsItsServicesToAnybody) {
  serve();
  // ServerReflectionRequest{list_services: "*"} and {file_containing_symbol: …}, written by hand:
  // reflection.proto is inside gRPC's library.
  const auto ask = [&](const std::string& bytes) {
    grpc::ClientContext context;
    const grpc::internal::RpcMethod method(
        "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
        grpc::internal::RpcMethod::BIDI_STREAMING, channel_);
    std::unique_ptr<grpc::ClientReaderWriter<grpc::ByteBuffer, grpc::ByteBuffer>> stream(
        grpc::internal::ClientReaderWriterFactory<grpc::ByteBuffer, grpc::ByteBuffer>::Create(
            channel_.get(), method, &context));
    const grpc::Slice slice(bytes);
    stream->Write(grpc::ByteBuffer(&slice, 1));
    grpc::ByteBuffer out;
    std::string text;
    if (stream->Read(&out)) {
      std::vector<grpc::Slice> slices;
      EXPECT_TRUE(out.Dump(&slices).ok());
      for (const auto& part : slices)
        text.append(reinterpret_cast<const char*>(part.begin()), part.size());
    }
    stream->WritesDone();
    EXPECT_TRUE(stream->Finish().ok());
    return text;
  };
  const std::string services = ask("\x3a\x01*");
  for (const char* name : {"taizhang.ledger.v1.LedgerService", "taizhang.ledger.v1.CommandService",
                           "taizhang.rules.v1.RulesService", "taizhang.funds.v1.FundsService",
                           "grpc.health.v1.Health"}) {
    EXPECT_NE(services.find(name), std::string::npos) << name;
  }
  EXPECT_EQ(services.find("taizhang.journal"), std::string::npos);
  for (const std::string symbol : {"taizhang.ledger.v1.CommandService", "grpc.health.v1.Health"}) {
    const std::string file =
        ask("\x22" + std::string(1, static_cast<char>(symbol.size())) + symbol);
    EXPECT_NE(file.find(".proto"), std::string::npos) << symbol;
  }
}

TEST_F(Server, StreamsUntilTheSourceEnds) {
  serve();
  grpc::ClientContext context;
  prepare(context);
  auto stream = subscribe(context);
  for (int64_t seq = 1; seq <= 100; ++seq) source_->give(heartbeat(seq));
  source_->give(std::unique_ptr<Message>());
  SubscribeResponse message;
  for (int64_t seq = 1; seq <= 100; ++seq) {
    ASSERT_TRUE(stream->Read(&message));
    EXPECT_EQ(message.heartbeat().seq(), seq);
  }
  EXPECT_FALSE(stream->Read(&message));
  EXPECT_TRUE(stream->Finish().ok());
}

TEST_F(Server, EndsAStreamWithTheErrorOfItsSource) {
  serve();
  grpc::ClientContext context;
  prepare(context);
  auto stream = subscribe(context);
  source_->give(failure(kDataLoss, "VIEW_STOPPED", "the view stands"));
  const auto status = stream->Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::DATA_LOSS);
  EXPECT_EQ(reason_of(status), "VIEW_STOPPED");
}

TEST_F(Server, CancelsTheSourceOfAStreamWhoseCallerIsGone) {
  serve();
  {
    grpc::ClientContext context;
    prepare(context);
    auto stream = subscribe(context);
    source_->give(heartbeat(1));
    SubscribeResponse message;
    ASSERT_TRUE(stream->Read(&message));
    context.TryCancel();
    EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::CANCELLED);
  }
  for (int i = 0; i < 500; ++i) {
    {
      const std::lock_guard lock(source_->mutex);
      if (source_->cancelled) break;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  const std::lock_guard lock(source_->mutex);
  EXPECT_TRUE(source_->cancelled);
}

TEST_F(Server, EndsAStreamAtTheCap) {
  limits_.set_stream_deadline_ms_max(200);
  serve();
  grpc::ClientContext context;
  prepare(context);
  const auto status = subscribe(context)->Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  EXPECT_EQ(reason_of(status), "STREAM_DEADLINE");
}

TEST_F(Server, AnswersBulkCommandsInOrder) {
  serve();
  grpc::ClientContext context;
  prepare(context);
  auto stream = execute(context);
  ASSERT_TRUE(stream->Write(commands({"1", "refused", "3"})));
  ASSERT_TRUE(stream->Write(ExecuteRequest()));
  auto without = commands({"4"});
  without.add_commands();
  ASSERT_TRUE(stream->Write(without));
  stream->WritesDone();

  ExecuteResponse response;
  ASSERT_TRUE(stream->Read(&response));
  ASSERT_EQ(response.results_size(), 3);
  EXPECT_EQ(response.results(0).receipt().first_seq(), 1);
  EXPECT_EQ(response.results(0).version(), 1);
  EXPECT_EQ(response.results(1).refusal().code(), 9);
  EXPECT_EQ(response.results(1).version(), 0);
  EXPECT_EQ(response.results(2).receipt().first_seq(), 3);
  ASSERT_TRUE(stream->Read(&response));
  EXPECT_EQ(response.results_size(), 0);
  ASSERT_TRUE(stream->Read(&response));
  ASSERT_EQ(response.results_size(), 2);
  EXPECT_EQ(response.results(0).receipt().first_seq(), 4);
  EXPECT_EQ(response.results(1).refusal().code(), 3);
  EXPECT_FALSE(stream->Read(&response));
  EXPECT_TRUE(stream->Finish().ok());
}

TEST_F(Server, KeepsTheOrderOfBulkCommandsThatAreAnsweredOutOfOrder) {
  std::mutex mutex;
  std::vector<std::pair<std::string, Done>> held;
  on_region_ = [&](const auto& request, Done done) {
    std::vector<std::pair<std::string, Done>> all;
    {
      const std::lock_guard lock(mutex);
      held.emplace_back(request->region(), std::move(done));
      if (held.size() < 4) return;
      all.swap(held);
    }
    for (auto i = all.rbegin(); i != all.rend(); ++i)
      i->second(region_created(std::stoll(i->first)));
  };
  serve();
  grpc::ClientContext context;
  prepare(context);
  auto stream = execute(context);
  stream->Write(commands({"1", "2"}));
  stream->Write(commands({"3", "4"}));
  stream->WritesDone();
  ExecuteResponse response;
  int64_t expected = 1;
  while (stream->Read(&response)) {
    for (const auto& result : response.results())
      EXPECT_EQ(result.receipt().first_seq(), expected++);
  }
  EXPECT_EQ(expected, 5);
  EXPECT_TRUE(stream->Finish().ok());
}

TEST_F(Server, ReadsNoMoreBulkCommandsThanThereIsRoomFor) {
  limits_.set_bulk_commands_in_flight_max(4);
  std::mutex mutex;
  std::vector<Done> held;
  size_t taken = 0;
  bool hold = true;
  on_region_ = [&](const auto&, Done done) {
    {
      const std::lock_guard lock(mutex);
      ++taken;
      if (hold) return held.push_back(std::move(done));
    }
    done(region_created(1));
  };
  serve();
  grpc::ClientContext context;
  prepare(context);
  auto stream = execute(context);
  std::thread writing([&] {
    for (int i = 0; i < 50; ++i) stream->Write(commands({"1", "2"}));
    stream->WritesDone();
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  std::vector<Done> release;
  {
    const std::lock_guard lock(mutex);
    EXPECT_EQ(taken, 4u);
    hold = false;
    release.swap(held);
  }
  for (auto& done : release) done(region_created(1));
  ExecuteResponse response;
  int results = 0;
  while (stream->Read(&response)) results += response.results_size();
  EXPECT_EQ(results, 100);
  writing.join();
  EXPECT_TRUE(stream->Finish().ok());
}

TEST_F(Server, NamesTheLimitOfABulkMessageAndAnswersWhatCameBefore) {
  limits_.set_bulk_message_commands_max(2);
  serve();
  grpc::ClientContext context;
  prepare(context);
  auto stream = execute(context);
  stream->Write(commands({"1"}));
  stream->Write(commands({"2", "3", "4"}));
  ExecuteResponse response;
  ASSERT_TRUE(stream->Read(&response));
  EXPECT_EQ(response.results(0).receipt().first_seq(), 1);
  EXPECT_FALSE(stream->Read(&response));
  const auto status = stream->Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(detail_of<google::rpc::ErrorInfo>(status).metadata().at("limit"),
            "bulk_message_commands_max");
}

TEST_F(Server, NamesTheSizeOfABulkMessage) {
  serve();
  grpc::ClientContext context;
  prepare(context);
  auto stream = execute(context);
  auto request = commands({"1"});
  request.mutable_commands(0)->mutable_rules()->mutable_create_region()->set_name(
      std::string(1200 * 1024, 'x'));
  stream->Write(request);
  const auto status = stream->Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(detail_of<google::rpc::ErrorInfo>(status).metadata().at("limit"),
            "bulk_message_bytes_max");
}

TEST_F(Server, ForgetsABulkStreamWhoseCallerIsGone) {
  std::mutex mutex;
  std::vector<Done> held;
  on_region_ = [&](const auto&, Done done) {
    const std::lock_guard lock(mutex);
    held.push_back(std::move(done));
  };
  serve();
  {
    grpc::ClientContext context;
    prepare(context);
    auto stream = execute(context);
    stream->Write(commands({"1", "2", "3"}));
    for (bool there = false; !there;) {
      const std::lock_guard lock(mutex);
      there = held.size() == 3;
    }
    context.TryCancel();
    EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::CANCELLED);
  }
  for (auto& done : held) done(region_created(1));
  server_->stop();
}

TEST_F(Server, SurvivesCallersThatVanish) {
  limits_.set_request_log_every(0);
  limits_.set_streams_per_caller_max(1000);
  // Answers come late, from a thread of their own, often after the caller is gone.
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<std::function<void()>> late;
  bool over = false;
  const auto later = [&](std::function<void()> answer) {
    const std::lock_guard lock(mutex);
    late.push_back(std::move(answer));
    changed.notify_one();
  };
  std::thread answering([&] {
    for (std::unique_lock lock(mutex);;) {
      changed.wait(lock, [&] { return over || !late.empty(); });
      if (late.empty()) return;
      const auto answer = std::move(late.front());
      late.pop_front();
      lock.unlock();
      std::this_thread::sleep_for(std::chrono::microseconds(50));
      answer();
      lock.lock();
    }
  });
  on_outcome_ = [&](const Call&, const auto&, Done done) {
    later([done] { done(outcome_absent()); });
  };
  on_region_ = [&](const auto&, Done done) { later([done] { done(region_created(1)); }); };
  serve();
  testing::internal::CaptureStderr();
  std::vector<std::thread> calling;
  for (uint32_t seed = 0; seed < 4; ++seed) {
    calling.emplace_back([&, seed] {
      std::mt19937 random(seed);
      for (int i = 0; i < 150; ++i) {
        grpc::ClientContext context;
        prepare(context, token_of("maker"), random() % 2 ? 1 + random() % 3 : 1000);
        if (random() % 3 == 0) {
          GetOutcomeResponse response;
          call(context, kGetOutcome, valid_outcome(), response);
        } else if (random() % 2) {
          auto stream = subscribe(context);
          if (random() % 2) context.TryCancel();
          stream->Finish();
        } else {
          auto stream = execute(context);
          for (uint32_t n = random() % 4; n > 0; --n) stream->Write(commands({"1", "2", "3"}));
          if (random() % 2) stream->WritesDone();
          ExecuteResponse response;
          if (random() % 2) stream->Read(&response);
          context.TryCancel();
          while (stream->Read(&response)) {
          }
          stream->Finish();
        }
      }
    });
  }
  for (auto& thread : calling) thread.join();
  server_->stop();
  {
    const std::lock_guard lock(mutex);
    over = true;
    changed.notify_one();
  }
  answering.join();
  testing::internal::GetCapturedStderr();
  EXPECT_NE(metrics_.text().find("taizhang_calls_in_flight 0"), std::string::npos);
}

TEST_F(Server, AnswersTheCallsInFlightBeforeItStops) {
  std::promise<Done> taken;
  on_outcome_ = [&](const Call&, const auto&, Done done) { taken.set_value(std::move(done)); };
  std::promise<Done> taken_bulk;
  on_region_ = [&](const auto&, Done done) { taken_bulk.set_value(std::move(done)); };
  serve();
  auto unary = std::async(std::launch::async, [&] { return get_outcome(); });
  Done done = taken.get_future().get();
  grpc::ClientContext bulk_context;
  prepare(bulk_context);
  auto bulk = execute(bulk_context);
  bulk->Write(commands({"7"}));
  Done bulk_done = taken_bulk.get_future().get();
  grpc::ClientContext stream_context;
  prepare(stream_context);
  auto stream = subscribe(stream_context);
  source_->give(heartbeat(1));
  SubscribeResponse message;
  ASSERT_TRUE(stream->Read(&message));

  auto stopped = std::async(std::launch::async, [&] { server_->stop(); });
  EXPECT_EQ(reason_of(stream->Finish()), "SERVER_STOPPING");
  EXPECT_EQ(stopped.wait_for(std::chrono::milliseconds(100)), std::future_status::timeout);
  done(outcome_absent());
  bulk_done(region_created(7));
  EXPECT_TRUE(unary.get().ok());
  ExecuteResponse response;
  ASSERT_TRUE(bulk->Read(&response));
  EXPECT_EQ(response.results(0).receipt().first_seq(), 7);
  EXPECT_FALSE(bulk->Read(&response));
  const auto status = bulk->Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(reason_of(status), "SERVER_STOPPING");
  stopped.get();
  EXPECT_EQ(get_outcome().error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST_F(Server, RefusesAnAddressThatLeavesTheMachine) {
  const auto server = RpcServer::start("0.0.0.0:0", limits_, dispatcher_, callers_, metrics_);
  EXPECT_EQ(server.status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(Server, SaysThatAPortIsTaken) {
  serve();
  const auto second =
      RpcServer::start(server_->address(), limits_, dispatcher_, callers_, metrics_);
  EXPECT_EQ(second.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_NE(second.status().message().find("is the port taken?"), std::string::npos);
}

TEST_F(Server, CountsAndLogsCallsWithoutTheirContent) {
  serve();
  rules::v1::CreateRegionRequest request;
  request.mutable_context()->set_request_id(kRequestId);
  request.set_region("7");
  request.set_name("张三");
  testing::internal::CaptureStderr();
  for (const bool good : {true, false}) {
    // A name in the wrong field stays out of the log as well.
    if (!good) request.mutable_context()->set_request_id("张三");
    grpc::ClientContext context;
    prepare(context);
    rules::v1::CreateRegionResponse response;
    EXPECT_TRUE(call(context, kCreateRegion, request, response).ok());
  }
  const std::string lines = testing::internal::GetCapturedStderr();
  EXPECT_NE(lines.find("\"method\":\"rules.v1.RulesService.CreateRegion\",\"caller\":\"maker\","
                       "\"request_id\":\"" +
                       std::string(kRequestId) + "\",\"outcome\":\"OK\""),
            std::string::npos)
      << lines;
  EXPECT_EQ(lines.find("张三"), std::string::npos);
  EXPECT_NE(metrics_.text().find(
                "taizhang_calls_total{method=\"taizhang.rules.v1.RulesService.CreateRegion\","
                "outcome=\"OK\"} 2"),
            std::string::npos);
}

TEST_F(Server, StaysFlatUnderTenThousandMutatedRequests) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "the sanitizer keeps what is freed";
#endif
  limits_.set_request_log_every(0);
  serve();
  std::mt19937 random(7);
  rules::v1::CreateRegionRequest request;
  request.mutable_context()->set_request_id(kRequestId);
  request.mutable_context()->mutable_source()->mutable_document()->set_title("x");
  request.set_ledger("990101");
  request.set_region("990101");
  on_region_ = [](const auto&, const Done& done) { done(region_created(1)); };
  const std::string valid = request.SerializeAsString();
  const auto mutate = [&] {
    std::string bytes = valid;
    for (uint32_t i = random() % 4 + 1; i > 0; --i) {
      const size_t at = random() % bytes.size();
      switch (random() % 4) {
        case 0: bytes[at] = static_cast<char>(random()); break;
        case 1: bytes.insert(at, 1, static_cast<char>(random())); break;
        case 2: bytes.erase(at, random() % 8 + 1); break;
        default: bytes.insert(at, valid.substr(random() % valid.size(), random() % 40)); break;
      }
      if (bytes.empty()) bytes = valid;
    }
    return bytes;
  };
  testing::internal::CaptureStderr();
  std::map<int, int> outcomes;
  int64_t warm_kib = 0;
  for (int i = 0; i < 10'000; ++i) {
    if (i == 2'000) warm_kib = resident_kib();
    ++outcomes[call_bytes(kCreateRegion, mutate()).error_code()];
  }
  const int64_t grown_kib = resident_kib() - warm_kib;
  testing::internal::GetCapturedStderr();
  EXPECT_LT(grown_kib, 8 * 1024);
  EXPECT_EQ(outcomes.size(), 2u);
  EXPECT_GT(outcomes[0], 100);
  EXPECT_GT(outcomes[grpc::StatusCode::INVALID_ARGUMENT], 100);
}

}  // namespace
}  // namespace taizhang
