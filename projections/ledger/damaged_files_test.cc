// Who reads damaged files is told so, and the view is built anew.
#include <functional>
#include <future>
#include <optional>

#include "platform/projection/test_damage.h"
#include "projections/ledger/ledger_view_fixture.h"
#include "taizhang/ledger/v1/commits.pb.h"
#include "taizhang/views/v1/service.pb.h"

namespace taizhang {
namespace {

using google::protobuf::Message;

constexpr int64_t kEvents = 40;

// One way to read the files.
struct Way {
  std::string name;
  std::string method;  // empty: the digests at a seq, which no stream tells
  std::function<std::shared_ptr<Message>()> request;
};

template <class Request>
std::shared_ptr<Request> of_ledger() {
  auto request = std::make_shared<Request>();
  request->set_ledger("990101");
  return request;
}

class DamagedFiles : public testing::ServedViews, public ::testing::WithParamInterface<Way> {
 protected:
  // The view of kEvents events, of which one file has a flipped byte among the events.
  DamagedFiles() {
    for (unsigned i = 0; i < kEvents; ++i) {
      const auto event = testing::placed("1", 1, testing::incompressible_text(i, 10'000));
      journal_.commit(kLedger, {&event});
    }
    views_->add(ledger_view::ledger_view());
    EXPECT_TRUE(views_->start().ok());
    EXPECT_TRUE(views_->catch_up(10'000'000));
    views_->stop();
    views_.reset();
    testing::flip_a_byte(folder_.path());
    make_views();
    views_->add(ledger_view::ledger_view());
    serve();
    EXPECT_TRUE(views_->catch_up(10'000'000));
    EXPECT_TRUE(views_->status()[0].status.ok()) << "nothing has read that byte so far";
  }

  // What ends the reading before everything was read.
  std::optional<Error> read() {
    if (GetParam().method.empty()) {
      const auto digests = views_->digests("ledger", kLedger, kEvents);
      if (digests.ok()) return std::nullopt;
      return failure(absl::IsDataLoss(digests.status()) ? kDataLoss : kUnavailable, "", "");
    }
    const auto& method = *google::protobuf::DescriptorPool::generated_pool()->FindMethodByName(
        "taizhang." + GetParam().method);
    auto opened = dispatcher_.stream(method, call(), GetParam().request());
    if (auto* error = std::get_if<Error>(&opened)) return std::move(*error);
    auto& stream = *std::get<0>(opened);
    for (;;) {
      std::promise<Answer> promise;
      stream.next([&](Answer answer) { promise.set_value(std::move(answer)); });
      Answer answer = promise.get_future().get();
      if (auto* error = std::get_if<Error>(&answer)) return std::move(*error);
      const auto& message = std::get<0>(answer);
      if (!message) return std::nullopt;
      ledger::v1::SubscribeResponse told;  // a subscription does not end by itself
      if (message->GetDescriptor() != told.GetDescriptor()) continue;
      told.CopyFrom(*message);
      if (told.has_caught_up()) return std::nullopt;
    }
  }
};

TEST_P(DamagedFiles, AreSaidAndBuiltAnew) {
  const auto error = read();
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(error->code, kDataLoss) << error->message;
  ASSERT_TRUE(views_->catch_up(10'000'000));
  EXPECT_NE(views_->status()[0].rebuilt_why, "");
  const auto again = read();
  EXPECT_FALSE(again.has_value()) << again->message;
}

INSTANTIATE_TEST_SUITE_P(OfTheLedgerView, DamagedFiles,
                         ::testing::Values(Way{"Subscribe", "ledger.v1.LedgerService.Subscribe",
                                               of_ledger<ledger::v1::SubscribeRequest>},
                                           Way{"ReadCommits", "ledger.v1.CommitService.ReadCommits",
                                               of_ledger<ledger::v1::ReadCommitsRequest>},
                                           Way{"RowDigests", "views.v1.ViewService.RowDigests",
                                               [] {
                                                 auto request =
                                                     of_ledger<views::v1::RowDigestsRequest>();
                                                 request->set_view("ledger");
                                                 request->set_seq(kEvents);
                                                 return request;
                                               }},
                                           Way{"Digests", "", nullptr}),
                         [](const auto& way) { return way.param.name; });

}  // namespace
}  // namespace taizhang
