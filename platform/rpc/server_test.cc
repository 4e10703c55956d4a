// Unary calls: who may call, until when, how much at once, what is answered, counted and logged.
#include "platform/rpc/server.h"

#include <future>
#include <map>
#include <random>
#include <thread>

#include "platform/rpc/server_fixture.h"

namespace taizhang::rpc_testing {
namespace {

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
}  // namespace taizhang::rpc_testing
