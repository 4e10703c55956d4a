// Server streams: one message at a time, and how a stream ends.
#include "platform/rpc/server.h"
#include "platform/rpc/server_fixture.h"
#include "taizhang/ledger/state/v1/view.pb.h"

namespace taizhang::rpc_testing {
namespace {

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

// The bytes of such a message go out as they are, whatever their number.
TEST_F(Server, SendsBytesInOnePieceAsTheMessageSerialised) {
  serve();
  grpc::ClientContext context;
  prepare(context);
  auto stream = subscribe(context);
  const std::vector<size_t> sizes = {0, 1, 4'000, 4'097, 1'000'000, 100};
  for (const size_t size : sizes) {
    SubscribeResponse::Batch batch;
    batch.add_events()->set_payload(std::string(size, static_cast<char>('a' + size % 7)));
    auto message = std::make_unique<ledger::state::v1::EncodedBatch>();
    message->set_batch(batch.SerializeAsString());
    source_->give(std::unique_ptr<Message>(std::move(message)));
  }
  source_->give(std::unique_ptr<Message>());
  SubscribeResponse message;
  for (const size_t size : sizes) {
    ASSERT_TRUE(stream->Read(&message));
    ASSERT_EQ(message.batch().events_size(), 1);
    EXPECT_TRUE(message.batch().events(0).payload() ==
                std::string(size, static_cast<char>('a' + size % 7)));
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
    auto stream = open_stream(context);
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

TEST_F(Server, BoundsTheOpenStreamsOfACaller) {
  limits_.set_streams_per_caller_max(1);
  serve();
  grpc::ClientContext open_context;
  auto open = open_stream(open_context);

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

}  // namespace
}  // namespace taizhang::rpc_testing
