// ReadCommits and the methods of ViewService over a journal in memory.
#include "projections/ledger/commit_stream.h"

#include <future>

#include "platform/projection/digest.h"
#include "projections/ledger/ledger_view_fixture.h"
#include "taizhang/ledger/v1/commits.pb.h"
#include "taizhang/registry/v1/events.pb.h"
#include "taizhang/views/v1/service.pb.h"

namespace taizhang {
namespace {

using google::protobuf::Message;
using ledger::v1::ExportedCommit;
using ledger::v1::ReadCommitsRequest;
using ledger::v1::ReadCommitsResponse;
using testing::placed;
using views::v1::RowDigestsRequest;
using views::v1::RowDigestsResponse;

class CommitStreamTest : public testing::ServedViews {
 protected:
  CommitStreamTest() {
    views_->add(ledger_view::ledger_view());
    serve();
  }

  // Seqs 1; 2 and 3, of which 3 holds personal data; 4.
  void write() {
    const auto a = placed("a", 1);
    const auto b = placed("b", 1);
    registry::v1::PersonRegistered person;
    person.set_person_id("7b0c2f5a-0000-4000-8000-000000000001");
    person.mutable_identity()->set_bytes("an identity");
    journal_.commit(kLedger, {&a});
    second_us_ = journal_.time_us + 1;
    journal_.commit(kLedger, {&b, &person});
    journal_.commit(kLedger, {&a});
    ASSERT_TRUE(views_->catch_up(10'000'000));
  }

  static const google::protobuf::MethodDescriptor& method(const std::string& name) {
    return *google::protobuf::DescriptorPool::generated_pool()->FindMethodByName("taizhang." +
                                                                                 name);
  }

  // Every message of a stream; an error ends it.
  template <class Response, class Request>
  std::vector<Response> stream(const std::string& name, Request request) {
    error_ = {};
    request.set_ledger(kLedger);
    auto opened = dispatcher_.stream(method(name), call(), std::make_shared<Request>(request));
    std::vector<Response> messages;
    if (auto* error = std::get_if<Error>(&opened)) {
      error_ = *error;
      return messages;
    }
    for (;;) {
      std::promise<Answer> promise;
      std::get<0>(opened)->next([&](Answer answer) { promise.set_value(std::move(answer)); });
      Answer answer = promise.get_future().get();
      if (auto* error = std::get_if<Error>(&answer)) {
        error_ = *error;
        return messages;
      }
      if (!std::get<0>(answer)) return messages;
      messages.push_back(static_cast<const Response&>(*std::get<0>(answer)));
    }
  }

  // "1-3 of 2: 1 2" = range, to_seq, first seqs of the commits.
  std::string told(const ReadCommitsRequest& request) {
    commits_.clear();
    const auto messages =
        stream<ReadCommitsResponse>("ledger.v1.CommitService.ReadCommits", request);
    if (messages.empty()) return error_.reason;
    const auto& range = messages[0].range();
    withheld_ = range.personal_withheld();
    std::string text = std::to_string(range.first_seq()) + "-" + std::to_string(range.last_seq()) +
                       " of " + std::to_string(range.to_seq()) + ":";
    for (const auto& message : messages) {
      for (const auto& one : message.commits()) {
        commits_.push_back(one);
        journal::v1::Commit commit;
        EXPECT_TRUE(commit.ParseFromString(one.commit()));
        text += " " + std::to_string(commit.first_seq());
      }
    }
    return text;
  }
  static ReadCommitsRequest from_to(int64_t from, int64_t to) {
    ReadCommitsRequest request;
    request.set_from_seq(from);
    if (to != 0) request.set_to_seq(to);
    return request;
  }

  Error error_;
  std::vector<ExportedCommit> commits_;
  bool withheld_ = false;
  int64_t second_us_ = 0;
};

TEST_F(CommitStreamTest, TellsWholeCommitsOfARange) {
  write();
  EXPECT_EQ(told(from_to(0, 0)), "1-4 of 4: 1 2 4");
  EXPECT_EQ(told(from_to(0, 2)), "1-3 of 2: 1 2");
  EXPECT_EQ(told(from_to(3, 4)), "2-4 of 4: 2 4");
  EXPECT_EQ(told(from_to(5, 0)), "5-4 of 4:");
  EXPECT_EQ(told(from_to(0, 5)), "SEQ_NOT_REACHED");
  EXPECT_EQ(error_.code, kFailedPrecondition);
  ReadCommitsRequest by_time;
  by_time.mutable_to_time()->set_seconds(second_us_ / 1'000'000);
  by_time.mutable_to_time()->set_nanos(static_cast<int32_t>(second_us_ % 1'000'000 * 1'000));
  EXPECT_EQ(told(by_time), "1-3 of 3: 1 2");
  by_time.mutable_to_time()->set_seconds(0);
  EXPECT_EQ(told(by_time), "1-0 of 0:");
}

TEST_F(CommitStreamTest, WithholdsPersonalDataAndNothingElse) {
  write();
  told(from_to(0, 0));
  EXPECT_FALSE(withheld_);
  const auto whole = commits_;
  for (const auto& commit : whole) EXPECT_EQ(commit.withheld_seqs_size(), 0);
  caller_.roles = {common::v1::ROLE_READER};
  EXPECT_EQ(told(from_to(0, 0)), "1-4 of 4: 1 2 4");
  EXPECT_TRUE(withheld_);
  EXPECT_EQ(commits_[0].commit(), whole[0].commit());
  EXPECT_EQ(commits_[2].commit(), whole[2].commit());
  ASSERT_EQ(commits_[1].withheld_seqs_size(), 1);
  EXPECT_EQ(commits_[1].withheld_seqs(0), 3);
  EXPECT_EQ(commits_[1].commit().find("an identity"), std::string::npos);
  journal::v1::Commit stored;
  journal::v1::Commit told_commit;
  ASSERT_TRUE(stored.ParseFromString(whole[1].commit()));
  ASSERT_TRUE(told_commit.ParseFromString(commits_[1].commit()));
  stored.mutable_events(1)->clear_payload();
  EXPECT_EQ(told_commit.SerializeAsString(), stored.SerializeAsString());
}

TEST_F(CommitStreamTest, ManyCommitsComeInSeveralMessages) {
  const auto large = placed("a", 1, std::string(200'000, 'x'));
  for (int i = 0; i < 12; ++i) journal_.commit(kLedger, {&large});
  ASSERT_TRUE(views_->catch_up(10'000'000));
  EXPECT_EQ(told(from_to(0, 0)), "1-12 of 12: 1 2 3 4 5 6 7 8 9 10 11 12");
  const auto messages =
      stream<ReadCommitsResponse>("ledger.v1.CommitService.ReadCommits", from_to(0, 0));
  EXPECT_GE(messages.size(), 3U);
  for (const auto& message : messages) EXPECT_LT(message.ByteSizeLong(), 2'000'000U);
}

// However the stretches are cut, they add up to the digest of the view.
TEST_F(CommitStreamTest, RowDigestsAddUpToTheDigestOfTheView) {
  write();
  for (const int32_t versions : {0, 1, 3}) {
    RowDigestsRequest request;
    request.set_view("ledger");
    request.set_seq(3);
    request.set_versions_per_digest(versions);
    projection::AdditiveDigest sum;
    int64_t count = 0;
    for (const auto& message :
         stream<RowDigestsResponse>("views.v1.ViewService.RowDigests", request)) {
      EXPECT_EQ(message.view_version(), 1);
      for (const auto& one : message.digests()) {
        projection::AdditiveDigest digest;
        ASSERT_TRUE(digest.parse(one.digest()));
        sum.add(digest);
        count += one.versions();
        EXPECT_LE(one.versions(), versions == 0 ? 4'096 : versions);
      }
    }
    const auto known = views_->digests("ledger", kLedger, 3);
    ASSERT_TRUE(known.ok());
    EXPECT_EQ(sum.hex(), known->front().digest);
    EXPECT_EQ(count, known->front().versions);
  }
}

TEST_F(CommitStreamTest, RowDigestsAreOfAKnownViewAndAMomentThatIsThere) {
  write();
  RowDigestsRequest request;
  request.set_view("nothing");
  request.set_seq(1);
  const std::string method_name = "views.v1.ViewService.RowDigests";
  stream<RowDigestsResponse>(method_name, request);
  EXPECT_EQ(error_.reason, "VIEW_NOT_FOUND");
  request.set_view("ledger");
  request.set_seq(5);
  stream<RowDigestsResponse>(method_name, request);
  EXPECT_EQ(error_.reason, "SEQ_NOT_REACHED");
  request.set_seq(0);
  stream<RowDigestsResponse>(method_name, request);
  EXPECT_EQ(error_.code, kInvalidArgument);
  // The events themselves stand in this view.
  caller_.roles = {common::v1::ROLE_READER};
  request.set_seq(1);
  stream<RowDigestsResponse>(method_name, request);
  EXPECT_EQ(error_.code, kPermissionDenied);
}

}  // namespace
}  // namespace taizhang
