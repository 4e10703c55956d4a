// The bulk stream: order of answers, bounds, callers that go.
#include "platform/rpc/server.h"
#include "platform/rpc/server_fixture.h"

namespace taizhang::rpc_testing {
namespace {

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
  const auto taken_now = [&] {
    const std::lock_guard lock(mutex);
    return taken;
  };
  while (taken_now() < 4) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  std::this_thread::sleep_for(std::chrono::milliseconds(300));  // and no more
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

}  // namespace
}  // namespace taizhang::rpc_testing
