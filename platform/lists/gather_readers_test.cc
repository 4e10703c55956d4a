// Gathering over several servers: whose ledgers come from where, in which order, and what is said
// of a server that does not answer.
#include <algorithm>
#include <deque>
#include <utility>

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "platform/lists/gather_stream.h"
#include "platform/lists/lists_fixture.h"

namespace taizhang::lists {
namespace {

using ledger::v1::ReadEventsRequest;
using testing::TestJournal;
using v1::GatherRequest;
using v1::GatherResponse;
using v1::ListLedgersRequest;
using v1::ReadPagesRequest;

// Another installation: its own journal, views and ledgers.
class Installation {
 public:
  explicit Installation(std::string directory) : directory_(std::move(directory)) {}

  void add(const std::string& ledger, const std::string& key, uint64_t by) {
    if (std::find(opened_.begin(), opened_.end(), ledger) == opened_.end()) {
      opened_.push_back(ledger);
      journal_.open(ledger);
    }
    const auto event = testing::placed(key, by, "");
    journal_.commit(ledger, {&event});
  }
  void start() {
    ViewsSettings settings;
    settings.directory = directory_;
    settings.block_cache_bytes = int64_t{4} << 20;
    views_ =
        std::make_unique<Views>(std::vector<journal::Log*>{&journal_.log}, system_clock(), settings,
                                [](std::string_view number) { return std::string(number); });
    views_->add(testing::listed_sums());
    ASSERT_TRUE(views_->start().ok());
    ASSERT_TRUE(views_->catch_up(120'000'000));
    serve_lists(*views_, 1, nullptr, dispatcher_);
  }
  const Dispatcher& dispatcher() const { return dispatcher_; }

 private:
  const std::string directory_;
  std::vector<std::string> opened_;
  TestJournal journal_;
  std::unique_ptr<Views> views_;
  Dispatcher dispatcher_;
};

// How a reader behaves, and what it was asked.
struct Behaviour {
  Caller caller;                 // who the asking one is there
  int pages_until_failure = -1;  // answers to ReadPages; below 0: it never fails
  bool lists = true;
  bool holds = false;  // answers wait in `held`
  std::vector<std::string> tokens;
  std::vector<ReadPagesRequest> asked;
  std::vector<std::function<void()>> held;
};

class TestReader : public RemoteReader {
 public:
  TestReader(std::string name, const Installation& behind, Behaviour& behaviour)
      : name_(std::move(name)), behind_(behind), behaviour_(behaviour) {}

  const std::string& name() const override { return name_; }
  void call(const google::protobuf::MethodDescriptor& method,
            const google::protobuf::Message& request, const Call& asker, Done done) override {
    behaviour_.tokens.push_back(asker.token ? *asker.token : "");
    bool fails = !behaviour_.lists;
    if (method.input_type() == ReadPagesRequest::descriptor()) {
      behaviour_.asked.push_back(static_cast<const ReadPagesRequest&>(request));
      fails = behaviour_.pages_until_failure-- == 0;
    }
    std::shared_ptr<google::protobuf::Message> copy(request.New());
    copy->CopyFrom(request);
    auto answer = [this, fails, &method, copy, deadline_us = asker.deadline_boot_us,
                   done = std::move(done)] {
      if (fails || stopped_)
        return done(failure(kUnavailable, "READER_UNREACHABLE", "", {{"reader", name_}}));
      behind_.dispatcher().unary(method, Call{&behaviour_.caller, deadline_us}, copy, done);
    };
    if (!behaviour_.holds || stopped_) return answer();
    behaviour_.held.push_back(std::move(answer));
  }
  void stop() override {
    stopped_ = true;
    for (const auto& answer : std::exchange(behaviour_.held, {})) answer();
  }

 private:
  const std::string name_;
  const Installation& behind_;
  Behaviour& behaviour_;
  bool stopped_ = false;
};

class GatherOfReaders : public testing::ListsTest {
 protected:
  // Behind each name an installation; in the order of preference.
  Installation& reader(const std::string& name) {
    auto& made = installations_.emplace_back(folder_.path() + "/" + name);
    behaviours_.emplace_back().caller = caller_;
    connections_.push_back(std::make_unique<TestReader>(name, made, behaviours_.back()));
    return made;
  }
  void start_all() {
    for (auto& one : installations_) one.start();
    readers_ = std::make_unique<ReaderDirectory>(std::move(connections_), 100);
    start();
  }
  ~GatherOfReaders() override {
    dispatcher_.reset();
    readers_.reset();
  }

  static GatherRequest request(int32_t rows_per_message = 0, bool by_row = false) {
    GatherRequest request;
    request.mutable_query()->PackFrom(ReadEventsRequest());
    request.set_rows_per_message(rows_per_message);
    if (by_row) request.set_order(v1::GATHER_ORDER_BY_ROW);
    return request;
  }
  // "28=a/2 29=UNREACHABLE …": who answered with how many rows, or why not.
  static std::string answers_of(const v1::GatherTrailer& trailer) {
    std::string text;
    for (const auto& answer : trailer.ledgers()) {
      text += answer.ledger().substr(4) + "=" + answer.reader() + "/" +
              std::to_string(answer.rows()) + reason_of(answer.failure()) + " ";
    }
    return text;
  }
  static std::string reason_of(const google::rpc::Status& failure) {
    google::rpc::ErrorInfo info;
    for (const auto& detail : failure.details())
      if (detail.UnpackTo(&info)) return "!" + info.reason();
    return "";
  }

  std::deque<Installation> installations_;
  std::deque<Behaviour> behaviours_;
  std::vector<std::unique_ptr<RemoteReader>> connections_;
};

// This server holds 990101, reader a 610328 and 610330, reader b 610329.
class ThreeServers : public GatherOfReaders {
 protected:
  ThreeServers() {
    add("b", 1);
    add("d", 2);
    auto& a = reader("a");
    a.add("610328", "a", 3);
    a.add("610328", "c", 4);
    a.add("610330", "d", 6);
    reader("b").add("610329", "b", 5);
    start_all();
  }
};

TEST_F(ThreeServers, EveryRowComesInItsPlace) {
  for (const int32_t rows_per_message : {0, 1, 2}) {
    const auto by_ledger = all<GatherResponse>(request(rows_per_message));
    EXPECT_EQ(rows_of(by_ledger), "28:a=3 28:c=4 29:b=5 30:d=6 01:b=1 01:d=2 ");
    EXPECT_EQ(answers_of(by_ledger.back().trailer()), "28=a/2 29=b/1 30=a/1 01=/2 ");
    EXPECT_EQ(by_ledger.back().trailer().ledgers(0).freshness().seq(), 2);
    const auto by_row = all<GatherResponse>(request(rows_per_message, true));
    EXPECT_EQ(rows_of(by_row), "28:a=3 29:b=5 01:b=1 28:c=4 30:d=6 01:d=2 ");
    EXPECT_EQ(by_row.back().trailer().failed_readers_size(), 0);
  }
}

TEST_F(ThreeServers, WhoIsNamedIsAskedWhereItIs) {
  auto wish = request();
  wish.add_ledgers("990101");
  all<GatherResponse>(wish);
  EXPECT_TRUE(behaviours_[0].tokens.empty()) << "everything that was named is here";
  wish.add_ledgers("610330");
  wish.add_ledgers("110000");
  const auto trailer = all<GatherResponse>(wish).back().trailer();
  EXPECT_EQ(answers_of(trailer), "00=/0!LEDGER_NOT_FOUND 30=a/1 01=/2 ");
  wish.clear_ledgers();
  wish.set_ledger_prefix("6103");
  EXPECT_EQ(rows_of(all<GatherResponse>(wish)), "28:a=3 28:c=4 29:b=5 30:d=6 ");
}

TEST_F(ThreeServers, TheCallersOwnTokenGoesWithEveryAsk) {
  token_ = std::make_shared<const std::string>("the token");
  all<GatherResponse>(request());
  EXPECT_EQ(behaviours_[0].tokens, std::vector<std::string>(2, "the token"));
}

TEST_F(ThreeServers, RightsAreThoseThatTheReaderKnows) {
  caller_.regions = {"99"};
  EXPECT_EQ(rows_of(all<GatherResponse>(request())), "28:a=3 28:c=4 29:b=5 30:d=6 01:b=1 01:d=2 ");
  behaviours_[0].caller.regions = {"610330"};
  behaviours_[1].caller.roles.clear();
  const auto trailer = all<GatherResponse>(request()).back().trailer();
  EXPECT_EQ(answers_of(trailer), "30=a/1 01=/2 ");
  ASSERT_EQ(trailer.failed_readers_size(), 1);
  EXPECT_EQ(trailer.failed_readers(0).failure().code(), kPermissionDenied);
}

TEST_F(ThreeServers, OfAReaderThatDoesNotAnswerTheLedgersHeardOfBeforeAreNamed) {
  behaviours_[1].lists = false;
  auto trailer = all<GatherResponse>(request()).back().trailer();
  EXPECT_EQ(answers_of(trailer), "28=a/2 30=a/1 01=/2 ") << "nobody knows what it holds";
  ASSERT_EQ(trailer.failed_readers_size(), 1);
  EXPECT_EQ(trailer.failed_readers(0).reader(), "b");
  behaviours_[1].lists = true;
  all<GatherResponse>(request());
  behaviours_[1].lists = false;
  trailer = all<GatherResponse>(request()).back().trailer();
  EXPECT_EQ(answers_of(trailer), "28=a/2 29=b/0!READER_UNREACHABLE 30=a/1 01=/2 ");
  EXPECT_EQ(trailer.failed_ledgers(), 1);
  // One that was named, and that nobody else holds, may be there.
  auto wish = request();
  wish.add_ledgers("110000");
  trailer = all<GatherResponse>(wish).back().trailer();
  EXPECT_EQ(answers_of(trailer), "00=b/0!READER_UNREACHABLE ");
  EXPECT_EQ(trailer.failed_readers_size(), 0);
}

TEST_F(ThreeServers, WhoWaitsForAReaderIsAnsweredWhenTheReadersEnd) {
  all<GatherResponse>(request());
  behaviours_[1].holds = true;
  std::promise<Answer> told;
  auto opened = open(request());
  std::get<0>(opened)->next([&](Answer answer) { told.set_value(std::move(answer)); });
  auto header = told.get_future();
  ASSERT_EQ(header.wait_for(std::chrono::seconds(0)), std::future_status::timeout);
  readers_.reset();
  ASSERT_EQ(header.wait_for(std::chrono::seconds(0)), std::future_status::ready);
  const Answer answer = header.get();
  ASSERT_TRUE(std::get_if<0>(&answer));
  // What the reader named before was looked up, and its name.
  EXPECT_EQ(static_cast<const GatherResponse&>(*std::get<0>(answer)).header().ledgers_size(), 4);
}

TEST_F(ThreeServers, WhatIsAskedOfAReaderIsNotAskedOn) {
  ListLedgersRequest listing;
  listing.set_view("sums");
  ReadPagesRequest pages;
  pages.mutable_query()->PackFrom(ReadEventsRequest());
  pages.add_pages()->set_ledger("610328");
  pages.set_page_size(10);
  const auto& service = *ListLedgersRequest::descriptor()->file()->FindServiceByName("ListService");
  const auto ask = [&](const char* method, auto asked) {
    Answer told;
    dispatcher_->unary(
        *service.FindMethodByName(method), Call{&caller_, system_clock().boot_us() + 5'000'000},
        std::make_shared<decltype(asked)>(asked), [&](Answer answer) { told = std::move(answer); });
    return std::move(std::get<0>(told));
  };
  const auto listed = ask("ListLedgers", listing);
  const auto& held = static_cast<const v1::ListLedgersResponse&>(*listed);
  ASSERT_EQ(held.ledgers_size(), 1);
  EXPECT_EQ(held.ledgers(0), kLedger);
  const auto read = ask("ReadPages", pages);
  const auto& rows = static_cast<const v1::ReadPagesResponse&>(*read);
  EXPECT_EQ(reason_of(rows.ledgers(0).failure()), "!LEDGER_NOT_FOUND");
  EXPECT_TRUE(behaviours_[0].tokens.empty());
}

TEST_F(ThreeServers, AReaderAnswersWhatItHasWhenHalfOfTheTimeIsGone) {
  ReadPagesRequest pages;
  pages.mutable_query()->PackFrom(ReadEventsRequest());
  for (const char* ledger : {"610328", "610329", "610330"}) pages.add_pages()->set_ledger(ledger);
  pages.set_page_size(10);
  const auto& method = *ReadPagesRequest::descriptor()
                            ->file()
                            ->FindServiceByName("ListService")
                            ->FindMethodByName("ReadPages");
  for (const bool late : {false, true}) {
    const int64_t left_us = late ? 0 : 60'000'000;
    std::promise<Answer> told;
    installations_[0].dispatcher().unary(method, Call{&caller_, system_clock().boot_us() + left_us},
                                         std::make_shared<ReadPagesRequest>(pages),
                                         [&](Answer answer) { told.set_value(std::move(answer)); });
    const Answer answer = told.get_future().get();
    ASSERT_TRUE(std::get_if<0>(&answer)) << std::get<Error>(answer).reason;
    const auto& said = static_cast<const v1::ReadPagesResponse&>(*std::get<0>(answer));
    EXPECT_EQ(said.ledgers_size(), late ? 1 : 3);
  }
}

// Two readers hold 610328.
class TwoOfOneLedger : public GatherOfReaders {
 protected:
  static constexpr int kRows = 30;

  TwoOfOneLedger() {
    for (const char* name : {"a", "b"}) {
      auto& made = reader(name);
      for (int i = 0; i < kRows; ++i) made.add("610328", "k" + std::to_string(100 + i), 1);
    }
    start_all();
  }
};

TEST_F(TwoOfOneLedger, TheFirstIsAskedAndTheOtherInItsPlace) {
  EXPECT_EQ(answers_of(all<GatherResponse>(request(10)).back().trailer()), "28=a/30 ");
  EXPECT_TRUE(behaviours_[1].asked.empty());
  behaviours_[0].pages_until_failure = 0;
  EXPECT_EQ(answers_of(all<GatherResponse>(request(10)).back().trailer()), "28=b/30 ");
  behaviours_[0].lists = false;
  EXPECT_EQ(answers_of(all<GatherResponse>(request(10)).back().trailer()), "28=b/30 ");
  behaviours_[1].lists = false;
  EXPECT_EQ(answers_of(all<GatherResponse>(request(10)).back().trailer()),
            "28=a/0!READER_UNREACHABLE ");
}

TEST_F(TwoOfOneLedger, RowsOfTwoServersAreNotMixed) {
  behaviours_[0].pages_until_failure = 1;
  EXPECT_EQ(answers_of(all<GatherResponse>(request(10)).back().trailer()),
            "28=a/10!READER_UNREACHABLE ");
}

TEST_F(GatherOfReaders, AReaderThatFailedIsNotAskedAgainForEachOfItsLedgers) {
  auto& a = reader("a");
  for (const char* ledger : {"610328", "610329", "610330", "610331"}) {
    const bool is_last = std::string(ledger) == "610331";  // fits on the first page
    for (int row = 0; row < (is_last ? 5 : 30); ++row)
      a.add(ledger, "k" + std::to_string(100 + row), 1);
  }
  start_all();
  for (const bool by_row : {false, true}) {
    behaviours_[0].asked.clear();
    behaviours_[0].pages_until_failure = 1;
    EXPECT_EQ(answers_of(all<GatherResponse>(request(10, by_row)).back().trailer()),
              "28=a/10!READER_UNREACHABLE 29=a/10!READER_UNREACHABLE 30=a/10!READER_UNREACHABLE "
              "31=a/5 ");
    EXPECT_EQ(behaviours_[0].asked.size(), 2U);
  }
}

TEST_F(TwoOfOneLedger, AGatherThatWasEndedAsksNoMore) {
  auto opened = open(request(10));
  auto& stream = *std::get<0>(opened);
  ASSERT_FALSE(std::holds_alternative<Error>(next(stream)));
  behaviours_[0].holds = true;
  std::promise<Answer> told;
  stream.next([&](Answer answer) { told.set_value(std::move(answer)); });
  stream.cancel();
  EXPECT_EQ(std::get<Error>(told.get_future().get()).code, kCancelled);
  behaviours_[0].holds = false;
  ASSERT_EQ(behaviours_[0].held.size(), 1U);
  for (const auto& answer : std::exchange(behaviours_[0].held, {})) answer();
  EXPECT_EQ(behaviours_[0].asked.size(), 1U);
}

TEST_F(GatherOfReaders, NoMoreIsAskedThanMayBeHeld) {
  auto& a = reader("a");
  for (int ledger = 0; ledger < 40; ++ledger) {
    for (int row = 0; row < 8; ++row)
      a.add(std::to_string(610300 + ledger), "k" + std::to_string(row), 1);
  }
  start_all();
  for (const bool by_row : {false, true}) {
    behaviours_[0].asked.clear();
    const auto messages = all<GatherResponse>(request(by_row ? 3 : 1'000, by_row));
    EXPECT_EQ(messages.back().trailer().rows(), 320);
    EXPECT_EQ(messages.back().trailer().failed_ledgers(), 0);
    for (const auto& asked : behaviours_[0].asked)
      EXPECT_LE(asked.pages_size() * asked.page_size(), kRowsHeldMax);
    EXPECT_GE(behaviours_[0].asked.size(), 4U);
  }
}

TEST_F(GatherOfReaders, OneRowOfEachLedgerIsAskedForInOneAsk) {
  auto& a = reader("a");
  for (int ledger = 0; ledger < 40; ++ledger) a.add(std::to_string(610300 + ledger), "k", 1);
  start_all();
  auto wish = request();
  wish.mutable_query()->PackFrom(household_file::v1::CountHouseholdsRequest());
  const auto trailer = all<GatherResponse>(wish).back().trailer();
  EXPECT_EQ(trailer.rows(), 40);
  EXPECT_EQ(trailer.failed_ledgers(), 0);
  EXPECT_EQ(behaviours_[0].asked.size(), 1U);
}

}  // namespace
}  // namespace taizhang::lists
