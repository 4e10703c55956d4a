// The writer over a journal in memory with faults: what callers are told is what the journal holds.
#include "platform/writer/writer.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <map>

#include "platform/command/ledgers.h"
#include "platform/journal/memory/memory_log.h"
#include "platform/writer/command_front.h"
#include "tests/integration/simple_commands.h"

namespace taizhang {
namespace {

using google::protobuf::DescriptorPool;
using google::protobuf::Message;
using journal::AppendFault;
using ledger::v1::GetOutcomeResponse;

using test::catalogue;
using test::kCreateRegion;
using test::kGetOutcome;
using test::kOpen;
using test::registry;
using test::uuid;

constexpr const char* kLedger = "990101";

class TestClock : public Clock {
 public:
  int64_t wall_us() override { return now_us; }
  int64_t boot_us() override { return now_us; }
  int64_t now_us = 1'500'000'000'000'000;  // 2017-07-14
};

class TestRandom : public Random {
 public:
  std::string bytes(size_t count) override {
    std::string out;
    while (out.size() < count) out += static_cast<char>(++state_ * 2'654'435'761u >> 24);
    return out;
  }

 private:
  uint32_t state_ = 0;
};

// Another process that takes the partition.
class Rival : private journal::OwnerListener {
 public:
  Rival(std::shared_ptr<journal::MemoryTopic> topic, Clock& clock, Random& random)
      : log_(std::move(topic)),
        owner_(log_, clock, random, *this, journal::Fold(0), journal::OwnerSettings(), [] {}) {}
  absl::Status claim() { return owner_.claim(); }

 private:
  absl::Status on_record(const journal::Folded&) override { return absl::OkStatus(); }
  void on_confirmed(uint64_t, int64_t) override {}
  void on_epoch_ended(const absl::Status&) override {}

  journal::MemoryLog log_;
  journal::Owner owner_;
};

// A journal that grows faster than anybody reads it: its first record again and again.
class EndlessLog : public journal::MemoryLog {
 public:
  explicit EndlessLog(std::shared_ptr<journal::MemoryTopic> topic)
      : MemoryLog(topic), first_(topic->at(0)) {}
  std::unique_ptr<journal::Cursor> read(int64_t offset) override {
    return std::make_unique<Records>(offset, first_);
  }

 private:
  using First = std::shared_ptr<const journal::MemoryTopic::Stored>;
  class Records : public journal::Cursor {
   public:
    Records(int64_t offset, First first) : offset_(offset), first_(std::move(first)) {}
    absl::StatusOr<std::optional<journal::LogRecord>> next() override {
      return journal::LogRecord{offset_++, 0, first_->bytes};
    }

   private:
    int64_t offset_;
    First first_;
  };
  First first_;
};

class WriterTest : public testing::Test {
 protected:
  WriterTest()
      : folder_(std::filesystem::temp_directory_path() /
                ("writer_test." + std::to_string(getpid()))) {
    std::filesystem::remove_all(folder_);
    operator_.profile = operator_.subject = "operator";
    operator_.roles = {common::v1::ROLE_OPERATOR};
    operator_.regions = {""};
    settings_.owner.create = true;
    settings_.claim_retry_us = 0;
    settings_.state_mark_commits = 3;
    start();
  }
  ~WriterTest() override {
    writer_.reset();
    state_.reset();
    std::filesystem::remove_all(folder_);
  }

  void start() {
    writer_.reset();
    state_.reset();
    auto opened = State::open(folder_, {});
    ASSERT_TRUE(opened.ok()) << opened.status();
    state_ = *std::move(opened);
    log_ = std::make_unique<journal::MemoryLog>(topic_, exclusive_);
    writer_ = std::make_unique<Writer>(*log_, clock_, random_, registry(), *state_, blind_index_,
                                       "k1", settings_);
    const auto started = writer_->start();
    ASSERT_TRUE(started.ok()) << started;
    dispatcher_ = std::make_unique<Dispatcher>();
    serve_commands(catalogue(), fingerprinter_, *writer_, *dispatcher_);
  }
  // Begins again on an empty journal that others may write to.
  void start_shared(Clock* brokers = nullptr) {
    exclusive_ = false;
    topic_ = std::make_shared<journal::MemoryTopic>(brokers);
    writer_.reset();
    state_.reset();
    std::filesystem::remove_all(folder_);
    start();
  }
  // The next append gets this fault.
  void fault(AppendFault fault) {
    log_->set_faults([fault, armed = true](std::string_view) mutable {
      return std::exchange(armed, false) ? fault : AppendFault::kNone;
    });
  }
  void send(const std::string& method, const Message& request) {
    const auto* descriptor = DescriptorPool::generated_pool()->FindMethodByName(method);
    ASSERT_NE(descriptor, nullptr) << method;
    std::shared_ptr<Message> copy(request.New());
    copy->CopyFrom(request);
    Call call;
    call.caller = &operator_;
    call.deadline_boot_us = clock_.now_us + 10'000'000;
    const size_t index = answers_.size();
    answers_.emplace_back();
    dispatcher_->unary(*descriptor, call, copy, [this, index](Answer answer) {
      ASSERT_FALSE(answers_[index].has_value()) << "answered twice";
      answers_[index] = std::move(answer);
    });
  }
  void settle() {
    for (int turn = 0; turn < 50; ++turn) {
      clock_.now_us += 1'000;
      writer_->step();
    }
  }
  // Sends, runs the loop, returns the answer; an Error of code 0 when there was none.
  Answer ask(const std::string& method, const Message& request) {
    send(method, request);
    settle();
    auto& answer = answers_.back();
    return answer ? std::move(*answer) : Answer(Error{});
  }

  static admin::v1::OpenLedgerRequest open_ledger(int id, const std::string& name = "test") {
    return test::open_ledger(kLedger, id, name);
  }
  static rules::v1::CreateRegionRequest region(int id, const std::string& code,
                                               const std::string& name = "r") {
    return test::create_region(kLedger, id, code, name);
  }
  static common::v1::Receipt receipt_of(const Answer& answer) {
    if (const auto* error = std::get_if<Error>(&answer)) {
      ADD_FAILURE() << "error " << error->code << " " << error->reason << " " << error->message;
      return {};
    }
    const auto& response = *std::get<std::unique_ptr<Message>>(answer);
    return static_cast<const common::v1::Receipt&>(response.GetReflection()->GetMessage(
        response, response.GetDescriptor()->FindFieldByName("receipt")));
  }
  static std::string reason_of(const Answer& answer) {
    const auto* error = std::get_if<Error>(&answer);
    return error ? error->reason : "accepted";
  }
  static ledger::v1::GetOutcomeRequest question(int id, bool cancel = false) {
    ledger::v1::GetOutcomeRequest request;
    request.set_ledger(kLedger);
    request.set_request_id(uuid(id));
    request.set_settle(cancel);
    return request;
  }
  static GetOutcomeResponse::Outcome outcome_of(const Answer& answer) {
    const auto* response = std::get_if<std::unique_ptr<Message>>(&answer);
    return response && *response ? static_cast<const GetOutcomeResponse&>(**response).outcome()
                                 : GetOutcomeResponse::OUTCOME_UNSPECIFIED;
  }
  GetOutcomeResponse::Outcome outcome(int id, bool cancel = false) {
    return outcome_of(ask(kGetOutcome, question(id, cancel)));
  }

  WriterSettings settings_;
  bool exclusive_ = true;
  std::filesystem::path folder_;
  TestClock clock_;
  TestClock brokers_;
  TestRandom random_;
  BlindIndex blind_index_ = [](std::string_view number) { return blind_index_of("blind", number); };
  Fingerprinter fingerprinter_{std::string(32, 'k'), "k1"};
  Caller operator_;
  std::shared_ptr<journal::MemoryTopic> topic_ = std::make_shared<journal::MemoryTopic>();
  std::unique_ptr<journal::MemoryLog> log_;
  std::unique_ptr<State> state_;
  std::unique_ptr<Writer> writer_;
  std::unique_ptr<Dispatcher> dispatcher_;
  std::vector<std::optional<Answer>> answers_;
};

TEST_F(WriterTest, OpensALedgerAndNumbersItsEventsFromOne) {
  const auto opened = receipt_of(ask(kOpen, open_ledger(1)));
  EXPECT_EQ(opened.first_seq(), 1);
  EXPECT_EQ(opened.event_ids(0), "990101/1");
  const auto created = receipt_of(ask(kCreateRegion, region(2, "990101")));
  EXPECT_EQ(created.first_seq(), 2);
  EXPECT_GT(created.recorded_time().seconds(), 0);
}

TEST_F(WriterTest, TheSameRequestIdGivesTheFirstAnswerForEver) {
  ask(kOpen, open_ledger(1));
  const auto first = receipt_of(ask(kCreateRegion, region(2, "990101")));
  for (int round = 0; round < 2; ++round) {
    const auto again = receipt_of(ask(kCreateRegion, region(2, "990101")));
    EXPECT_TRUE(again.duplicate());
    EXPECT_EQ(again.first_seq(), first.first_seq());
    EXPECT_EQ(again.recorded_time().nanos(), first.recorded_time().nanos());
    writer_->stop();
    start();
  }
  EXPECT_EQ(reason_of(ask(kCreateRegion, region(2, "990101", "other"))), "REQUEST_ID_REUSED");
}

TEST_F(WriterTest, AnEqualCreateUnderAnotherIdIsUnchangedAndBindsNoId) {
  ask(kOpen, open_ledger(1));
  const auto first = receipt_of(ask(kCreateRegion, region(2, "990101")));
  const auto equal = receipt_of(ask(kCreateRegion, region(3, "990101")));
  EXPECT_TRUE(equal.unchanged());
  EXPECT_EQ(equal.first_seq(), first.first_seq());
  EXPECT_EQ(reason_of(ask(kCreateRegion, region(4, "990101", "other"))), "REGION_EXISTS");
  // Request 3 wrote nothing, so its id is free.
  EXPECT_EQ(outcome(3), GetOutcomeResponse::OUTCOME_ABSENT);
  EXPECT_TRUE(receipt_of(ask(kOpen, open_ledger(9))).unchanged());
  auto another_day = open_ledger(11);
  another_day.mutable_context()->mutable_effective_date()->set_day(2);
  EXPECT_EQ(receipt_of(ask(kOpen, another_day)).first_seq(), 1);
  EXPECT_EQ(reason_of(ask(kOpen, open_ledger(10, "another name"))), "LEDGER_EXISTS");
}

TEST_F(WriterTest, AnUnknownLedgerIsRefused) {
  EXPECT_EQ(reason_of(ask(kCreateRegion, region(2, "990101"))), "LEDGER_NOT_FOUND");
}

TEST_F(WriterTest, ValidateOnlyWritesNothing) {
  ask(kOpen, open_ledger(1));
  auto request = region(2, "990101");
  request.mutable_context()->set_validate_only(true);
  const int64_t end = topic_->end();
  const auto receipt = receipt_of(ask(kCreateRegion, request));
  EXPECT_EQ(receipt.first_seq(), 0);
  EXPECT_EQ(receipt.decided_on_seq(), 1);
  EXPECT_EQ(topic_->end(), end);
  EXPECT_EQ(receipt_of(ask(kCreateRegion, region(2, "990101"))).first_seq(), 2);
}

TEST_F(WriterTest, ACancelledRequestNeverTakesEffect) {
  ask(kOpen, open_ledger(1));
  EXPECT_EQ(outcome(5), GetOutcomeResponse::OUTCOME_ABSENT);
  EXPECT_EQ(outcome(5, /*cancel=*/true), GetOutcomeResponse::OUTCOME_CANCELLED);
  const int64_t end = topic_->end();
  EXPECT_EQ(outcome(5, /*cancel=*/true), GetOutcomeResponse::OUTCOME_CANCELLED);
  EXPECT_EQ(topic_->end(), end) << "settling twice appends nothing";
  EXPECT_EQ(reason_of(ask(kCreateRegion, region(5, "990101"))), "REQUEST_CANCELLED");
  writer_->stop();
  start();
  EXPECT_EQ(reason_of(ask(kCreateRegion, region(5, "990101"))), "REQUEST_CANCELLED");
  EXPECT_EQ(receipt_of(ask(kCreateRegion, region(6, "990101"))).first_seq(), 2);
  EXPECT_EQ(outcome(6, /*cancel=*/true), GetOutcomeResponse::OUTCOME_COMMITTED);
}

TEST_F(WriterTest, NothingIsAnsweredBeforeItIsConfirmed) {
  ask(kOpen, open_ledger(1));
  log_->set_paused(true);
  send(kCreateRegion, region(2, "990101"));
  send(kCreateRegion, region(2, "990101"));           // a duplicate of one in flight
  send(kCreateRegion, region(3, "990101", "other"));  // a refusal decided on it
  settle();
  for (size_t i = answers_.size() - 3; i < answers_.size(); ++i)
    EXPECT_FALSE(answers_[i].has_value()) << i;
  log_->set_paused(false);
  settle();
  EXPECT_FALSE(receipt_of(*answers_[answers_.size() - 3]).duplicate());
  EXPECT_TRUE(receipt_of(*answers_[answers_.size() - 2]).duplicate());
  EXPECT_EQ(reason_of(*answers_.back()), "REGION_EXISTS");
}

TEST_F(WriterTest, AfterAFailedAppendTheLogDecidesWhatHappened) {
  start_shared();
  ask(kOpen, open_ledger(1));
  for (const auto what :
       {AppendFault::kFailedStored, AppendFault::kFailedNotStored, AppendFault::kNoOffset,
        AppendFault::kDuplicated, AppendFault::kForeignBefore, AppendFault::kRejected}) {
    SCOPED_TRACE(static_cast<int>(what));
    const int id = 100 + static_cast<int>(what) * 10;
    fault(what);
    const auto town = [&](int n) {
      return "990101" + std::to_string(101 + static_cast<int>(what) * 10 + n);
    };
    if (what == AppendFault::kFailedStored) ask(kCreateRegion, region(99, "990101"));
    send(kCreateRegion, region(id, town(0)));
    send(kCreateRegion, region(id + 1, town(1)));
    send(kCreateRegion, region(id, town(0)));
    settle();
    const auto first = receipt_of(*answers_[answers_.size() - 3]);
    const auto second = receipt_of(*answers_[answers_.size() - 2]);
    const auto third = receipt_of(*answers_.back());
    EXPECT_EQ(second.first_seq(), first.first_seq() + 1);
    EXPECT_TRUE(third.duplicate());
    EXPECT_EQ(third.first_seq(), first.first_seq());
    EXPECT_EQ(outcome(id), GetOutcomeResponse::OUTCOME_COMMITTED);
  }
  // A new process sees the same.
  writer_->stop();
  start();
  EXPECT_TRUE(receipt_of(ask(kCreateRegion, region(110, "990101111"))).duplicate());
}

TEST_F(WriterTest, ACancellationThatStandsIsToldByAWriterThatLostItsPlace) {
  start_shared();
  ask(kOpen, open_ledger(1));
  fault(AppendFault::kFailedStored);
  send(kGetOutcome, question(5, /*cancel=*/true));
  writer_->step();
  writer_->follow();
  Rival rival(topic_, clock_, random_);
  ASSERT_TRUE(rival.claim().ok());
  settle();
  ASSERT_TRUE(answers_.back().has_value());
  EXPECT_EQ(outcome_of(*answers_.back()), GetOutcomeResponse::OUTCOME_CANCELLED);
}

TEST_F(WriterTest, AQuestionAboutACommandInFlightIsAnsweredBeforeItsDeadline) {
  ask(kOpen, open_ledger(1));
  log_->set_paused(true);
  send(kGetOutcome, question(5, /*cancel=*/true));
  writer_->step();
  fault(AppendFault::kReportLost);
  send(kCreateRegion, region(2, "990101"));
  send(kGetOutcome, question(2));
  writer_->step();
  log_->set_paused(false);
  settle();
  EXPECT_FALSE(answers_.back().has_value());
  clock_.now_us += 9'900'000;
  settle();
  ASSERT_TRUE(answers_.back().has_value());
  EXPECT_EQ(outcome_of(*answers_.back()), GetOutcomeResponse::OUTCOME_PENDING);
}

TEST_F(WriterTest, RestsWhileThereIsNoRoom) {
  ask(kOpen, open_ledger(1));
  settings_.owner.in_flight_records_max = 1;
  writer_->stop();
  start();
  settle();
  log_->set_paused(true);
  send(kCreateRegion, region(2, "990101"));
  send(kCreateRegion, region(3, "990101101"));
  writer_->step();
  EXPECT_FALSE(writer_->step()) << "a loop that never sleeps";
  log_->set_paused(false);
  settle();
  EXPECT_EQ(receipt_of(*answers_[answers_.size() - 2]).first_seq(), 2);
  EXPECT_EQ(receipt_of(*answers_.back()).first_seq(), 3);
}

TEST_F(WriterTest, AWrongClockFillsNoJournalWithClaims) {
  settings_.claim_retry_us = 1'000;
  start_shared(&brokers_);
  ask(kOpen, open_ledger(1));
  const int64_t end = topic_->end();
  brokers_.now_us += 20'000'000;
  fault(AppendFault::kRejected);
  send(kCreateRegion, region(2, "990101"));
  for (int turn = 0; turn < 40; ++turn) settle();
  EXPECT_GT(topic_->end(), end);
  EXPECT_LT(topic_->end(), end + 30);
  brokers_.now_us = clock_.now_us;
  clock_.now_us += 4'000'000;
  settle();
  EXPECT_EQ(receipt_of(*answers_.back()).first_seq(), 2);
}

TEST_F(WriterTest, AFollowerStopsAlsoFarBehind) {
  EndlessLog endless(topic_);
  writer_.reset();
  state_.reset();
  std::filesystem::remove_all(folder_);
  state_ = *State::open(folder_, {});
  writer_ = std::make_unique<Writer>(endless, clock_, random_, registry(), *state_, blind_index_,
                                     "k1", settings_);
  ASSERT_TRUE(writer_->start_following().ok());
  EXPECT_TRUE(writer_->step()) << "there is more to read";
  writer_->stop();
  writer_.reset();  // before the log
}

TEST_F(WriterTest, AStartOnAJournalThatWasCutIsRefused) {
  ask(kOpen, open_ledger(1));
  writer_->stop();
  writer_.reset();
  topic_->truncate(topic_->end() - 1);
  const int64_t end = topic_->end();
  Writer again(*log_, clock_, random_, registry(), *state_, blind_index_, "k1", settings_);
  const auto started = again.start();
  EXPECT_EQ(started.code(), absl::StatusCode::kDataLoss);
  EXPECT_NE(started.message().find("does not continue partition 0"), std::string::npos) << started;
  EXPECT_EQ(topic_->end(), end);
}

TEST_F(WriterTest, ARebuiltStateEqualsTheOneThatGrew) {
  ask(kOpen, open_ledger(1));
  ask(kCreateRegion, region(2, "990101"));
  for (int i = 0; i < 20; ++i)
    ask(kCreateRegion, region(10 + i, "990101" + std::to_string(101 + i)));
  writer_->stop();
  const auto grown = state_->digest();
  EXPECT_EQ(*state_->recomputed_digest(), grown);
  writer_.reset();
  state_.reset();
  std::filesystem::remove_all(folder_);
  start();  // also compares the StateMarks on its way
  EXPECT_EQ(state_->digest(), grown);
}

}  // namespace
}  // namespace taizhang
