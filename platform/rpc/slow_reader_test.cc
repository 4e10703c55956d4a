// Callers who open streams and do not read, and very many streams.
#include <dirent.h>

#include <list>

#include "platform/rpc/server.h"
#include "platform/rpc/server_fixture.h"

namespace taizhang::rpc_testing {
namespace {

using namespace std::chrono_literals;

// Far above what HTTP/2 takes from a server before the caller reads.
constexpr size_t kMessageBytes = 4'000'000;

// Always has another large message.
class Torrent : public ServerStream {
 public:
  void next(Done ready) override {
    ++sent_;
    auto message = std::make_unique<SubscribeResponse>();
    message->mutable_batch()->add_events()->set_payload(std::string(kMessageBytes, 'x'));
    ready(std::unique_ptr<Message>(std::move(message)));
  }
  void cancel() override {}
  std::string position() const override { return "seq " + std::to_string(sent_ - 1); }

 private:
  std::atomic<int64_t> sent_{0};
};

int threads() {
  int count = 0;
  DIR* tasks = opendir("/proc/self/task");
  while (readdir(tasks)) ++count;
  closedir(tasks);
  return count;
}

class SlowReader : public Server {
 protected:
  double streams_open() const {
    const std::string text = metrics_.text();
    const std::string name = "\ntaizhang_streams_open ";
    const auto at = text.find(name);
    return at == std::string::npos ? -1 : std::stod(text.substr(at + name.size()));
  }
  bool streams_fall_to(double open) const {
    for (int i = 0; i < 12'000; ++i) {
      if (streams_open() == open) return true;
      std::this_thread::sleep_for(10ms);
    }
    return false;
  }
};

TEST_F(SlowReader, IsToldWhereItStoodAndEnded) {
  limits_.set_stream_write_ms_max(1'000);
  on_subscribe_ = [] { return std::make_unique<Torrent>(); };
  serve();
  grpc::ClientContext context;
  prepare(context);
  auto stream = subscribe(context);
  std::this_thread::sleep_for(1'400ms);
  int64_t read = 0;
  SubscribeResponse message;
  while (stream->Read(&message)) ++read;
  const auto status = stream->Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED) << status.error_message();
  const auto info = detail_of<google::rpc::ErrorInfo>(status);
  EXPECT_EQ(info.reason(), "SLOW_READER");
  EXPECT_EQ(info.metadata().at("limit"), "stream_write_ms_max");
  // The message that was not taken in time still arrived, after all.
  EXPECT_EQ(info.metadata().at("position"), "seq " + std::to_string(read - 1));
  EXPECT_TRUE(streams_fall_to(0));
}

TEST_F(SlowReader, IsDroppedWhenItNeverReads) {
  limits_.set_stream_write_ms_max(2'000);
  on_subscribe_ = [] { return std::make_unique<Torrent>(); };
  serve();
  grpc::ClientContext context;
  prepare(context, token_of("maker"), 60'000);
  auto stream = subscribe(context);
  for (int i = 0; i < 6'000 && streams_open() != 1; ++i) std::this_thread::sleep_for(10ms);
  EXPECT_EQ(streams_open(), 1);
  EXPECT_TRUE(streams_fall_to(0));
  SubscribeResponse message;
  while (stream->Read(&message)) {
  }
  EXPECT_FALSE(stream->Finish().ok());
}

TEST_F(SlowReader, OneThatReadsSlowlyButReadsGoesOn) {
  limits_.set_stream_write_ms_max(5'000);
  on_subscribe_ = [] { return std::make_unique<Torrent>(); };
  serve();
  grpc::ClientContext context;
  prepare(context);
  auto stream = subscribe(context);
  SubscribeResponse message;
  for (int i = 0; i < 20; ++i) {
    std::this_thread::sleep_for(300ms);
    ASSERT_TRUE(stream->Read(&message));
  }
}

TEST_F(SlowReader, OpenStreamsOfAllCallersAreBounded) {
  limits_.set_streams_max(2);
  limits_.set_calls_in_flight_max(1);
  on_subscribe_ = [] {
    return std::make_unique<FakeSource>(std::make_shared<FakeSource::State>());
  };
  serve();
  std::list<grpc::ClientContext> contexts;
  std::vector<std::unique_ptr<grpc::ClientReader<SubscribeResponse>>> streams;
  for (const char* caller : {"maker", "reader"}) {
    prepare(contexts.emplace_back(), token_of(caller));
    streams.push_back(subscribe(contexts.back()));
  }
  while (streams_open() < 2) std::this_thread::sleep_for(1ms);
  prepare(contexts.emplace_back());
  const auto status = subscribe(contexts.back())->Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(detail_of<google::rpc::ErrorInfo>(status).metadata().at("limit"), "streams_max");
  // Streams take no place from calls.
  EXPECT_TRUE(get_outcome().ok());
  for (auto& context : contexts) context.TryCancel();
  for (auto& stream : streams) stream->Finish();
  EXPECT_TRUE(streams_fall_to(0));
}

TEST_F(SlowReader, ThirtyThousandStreamsComeAndGo) {
  constexpr int kAtOnce = 1'000;
  constexpr int kRounds = 30;
  // What is kept of a stream, its call or its first block, would be 80 MiB and more after these
  // rounds; the allocator alone wanders by 30.
  constexpr int64_t kGrowthKibMax = 48 << 10;
  limits_.set_streams_max(kAtOnce);
  limits_.set_streams_per_caller_max(kAtOnce);
  limits_.set_request_log_every(0);
  on_subscribe_ = [] {
    return std::make_unique<FakeSource>(std::make_shared<FakeSource::State>());
  };
  serve();
  int64_t first_kib = 0;
  int first_threads = 0;
  for (int round = 0; round < kRounds; ++round) {
    std::list<grpc::ClientContext> contexts;
    std::vector<std::unique_ptr<grpc::ClientReader<SubscribeResponse>>> streams;
    for (int i = 0; i < kAtOnce; ++i) {
      prepare(contexts.emplace_back(), token_of("maker"), 60'000);
      streams.push_back(subscribe(contexts.back()));
    }
    for (int i = 0; i < 12'000 && streams_open() < kAtOnce; ++i) std::this_thread::sleep_for(10ms);
    ASSERT_EQ(streams_open(), kAtOnce);
    for (auto& context : contexts) context.TryCancel();
    for (auto& stream : streams) {
      EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::CANCELLED);
    }
    ASSERT_TRUE(streams_fall_to(0));
    if (round != 3) continue;  // what is made once is there by now
    first_kib = resident_kib();
    first_threads = threads();
  }
  EXPECT_LT(resident_kib(), first_kib + kGrowthKibMax);
  EXPECT_LE(threads(), first_threads + 2);  // of gRPC, which come and go
}

}  // namespace
}  // namespace taizhang::rpc_testing
