// The life of the server: its addresses, health and reflection, callers that vanish, a stop.
#include <condition_variable>
#include <future>
#include <random>
#include <thread>

#include "platform/rpc/server.h"
#include "platform/rpc/server_fixture.h"

namespace taizhang::rpc_testing {
namespace {

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
  auto stream = open_stream(stream_context);

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

// A connection that nobody uses does not hear that the server is going, and a stream may be quiet.
TEST_F(Server, DoesNotWaitForIdleConnections) {
  limits_.set_stop_grace_ms(300'000);
  serve();
  const auto idle =
      grpc::CreateChannel(server_->admin_address(), grpc::InsecureChannelCredentials());
  ASSERT_TRUE(idle->WaitForConnected(std::chrono::system_clock::now() + std::chrono::seconds(60)));
  ASSERT_TRUE(get_outcome().ok());
  grpc::ClientContext context;
  auto stream = open_stream(context);
  const auto start = std::chrono::steady_clock::now();
  server_->stop();
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(60));
  EXPECT_EQ(reason_of(stream->Finish()), "SERVER_STOPPING");
}

TEST_F(Server, RefusesNewCallsWhileItStops) {
  std::promise<Done> taken;
  std::atomic<bool> first{true};
  on_outcome_ = [&](const Call&, const auto&, Done done) {
    if (first.exchange(false)) return taken.set_value(std::move(done));
    done(outcome_absent());
  };
  serve();
  auto unary = std::async(std::launch::async, [&] { return get_outcome(); });
  Done done = taken.get_future().get();
  auto stopped = std::async(std::launch::async, [&] { server_->stop(); });
  // Health is told first, calls are refused right after.
  grpc::Status refused;
  while ((refused = get_outcome()).ok()) {
  }
  EXPECT_EQ(refused.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(reason_of(refused), "SERVER_STOPPING");
  EXPECT_EQ(detail_of<google::rpc::ErrorInfo>(refused).metadata().at("outcome"), "none");
  EXPECT_EQ(stopped.wait_for(std::chrono::milliseconds(50)), std::future_status::timeout);
  done(outcome_absent());
  EXPECT_TRUE(unary.get().ok());
  stopped.get();
}

TEST_F(Server, CancelsWhatIsNotAnsweredInItsGrace) {
  limits_.set_stop_grace_ms(100);
  std::promise<Done> taken;
  on_outcome_ = [&](const Call&, const auto&, Done done) { taken.set_value(std::move(done)); };
  serve();
  auto unary = std::async(std::launch::async, [&] { return get_outcome(); });
  Done done = taken.get_future().get();
  auto stopped = std::async(std::launch::async, [&] { server_->stop(); });
  EXPECT_FALSE(unary.get().ok());
  done(outcome_absent());
  stopped.get();
}

TEST_F(Server, ServesOperatorsOnAnAddressOfTheirOwn) {
  using Health = grpc::health::v1::HealthCheckResponse;
  constexpr char kStatus[] = "/taizhang.admin.v1.AdminService/GetStatus";
  serve();
  EXPECT_NE(server_->address(), server_->admin_address());
  // gRPC's own answer for a method it does not know has no details.
  const auto unknown = call_bytes(kStatus, "");
  EXPECT_EQ(unknown.error_code(), grpc::StatusCode::UNIMPLEMENTED);
  EXPECT_EQ(unknown.error_details(), "");
  EXPECT_EQ(health("taizhang.ledger.v1.LedgerService"), Health::SERVING);
  EXPECT_TRUE(get_outcome().ok());
  channel_ = grpc::CreateChannel(server_->admin_address(), grpc::InsecureChannelCredentials());
  EXPECT_EQ(reason_of(call_bytes(kStatus, "")), "METHOD_NOT_SERVED");
  EXPECT_EQ(health("taizhang.admin.v1.AdminService"), Health::SERVING);
  EXPECT_EQ(health(""), Health::SERVING);
  EXPECT_EQ(get_outcome().error_code(), grpc::StatusCode::UNIMPLEMENTED);
  server_->set_serving("", false);
  EXPECT_EQ(health(""), Health::NOT_SERVING);
  EXPECT_EQ(health("taizhang.admin.v1.AdminService"), Health::NOT_SERVING);
}

TEST_F(Server, BoundsTheCallsOfBothAddressesTogether) {
  limits_.set_calls_in_flight_max(1);
  std::promise<Done> taken;
  on_outcome_ = [&](const Call&, const auto&, Done done) { taken.set_value(std::move(done)); };
  serve();
  auto unary = std::async(std::launch::async, [&] { return get_outcome(); });
  Done done = taken.get_future().get();
  channel_ = grpc::CreateChannel(server_->admin_address(), grpc::InsecureChannelCredentials());
  EXPECT_EQ(reason_of(call_bytes("/taizhang.admin.v1.AdminService/GetStatus", "")),
            "TOO_MANY_CALLS");
  done(outcome_absent());
  EXPECT_TRUE(unary.get().ok());
}

TEST_F(Server, RefusesAnAddressThatLeavesTheMachine) {
  const auto server =
      RpcServer::start("0.0.0.0:0", limits_, dispatcher_, callers_, metrics_, "127.0.0.1:0");
  EXPECT_EQ(server.status().code(), absl::StatusCode::kInvalidArgument);
  const auto admin =
      RpcServer::start("127.0.0.1:0", limits_, dispatcher_, callers_, metrics_, "0.0.0.0:0");
  EXPECT_EQ(admin.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_NE(admin.status().message().find("admin_listen"), std::string::npos);
}

TEST_F(Server, SaysThatAPortIsTaken) {
  serve();
  const auto second =
      RpcServer::start(server_->address(), limits_, dispatcher_, callers_, metrics_, "127.0.0.1:0");
  EXPECT_EQ(second.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_NE(second.status().message().find("is the port taken?"), std::string::npos);
}

}  // namespace
}  // namespace taizhang::rpc_testing
