// Commands that are decided on the system ledger of their partition: where their events stand, and
// that a request id belongs to the ledger it named.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <map>
#include <vector>

#include "platform/command/ledgers.h"
#include "platform/journal/fold.h"
#include "taizhang/journal/v1/records.pb.h"
#include "taizhang/subscriptions/v1/commands.pb.h"
#include "tests/integration/process.h"

namespace taizhang {
namespace {

using google::protobuf::Message;
using ledger::v1::GetOutcomeResponse;
using subscriptions::v1::CreateSubscriptionRequest;
using subscriptions::v1::CreateSubscriptionResponse;
using subscriptions::v1::SkipEventRequest;
using test::Cluster;
using test::kCreateRegion;
using test::kGetOutcome;
using test::kOpen;
using test::Process;

constexpr std::chrono::milliseconds kSoon = std::chrono::seconds(120);
constexpr const char* kCreate = "taizhang.subscriptions.v1.SubscriptionService.CreateSubscription";
constexpr const char* kSkip = "taizhang.subscriptions.v1.SubscriptionService.SkipEvent";
const std::vector<std::string> kLedgers = {"990101", "990102", "990103"};

CreateSubscriptionRequest create(const std::string& ledger, int id, const std::string& name,
                                 int64_t after_seq = 0) {
  CreateSubscriptionRequest request;
  test::fill(*request.mutable_context(), id);
  request.set_ledger(ledger);
  request.set_name(name);
  request.set_after_seq(after_seq);
  return request;
}

class SystemLedger : public testing::Test {
 protected:
  SystemLedger()
      : folder_(std::filesystem::temp_directory_path() /
                ("system_ledger_test." + std::to_string(getpid()))) {
    std::filesystem::remove_all(folder_);
    process_ = start();
    int id = 1;
    for (const auto& ledger : kLedgers)
      EXPECT_EQ(process_->reason(kOpen, test::open_ledger(ledger, id++, "test")), "accepted");
  }
  ~SystemLedger() override {
    process_.reset();
    std::filesystem::remove_all(folder_);
  }

  std::unique_ptr<Process> start() {
    ++started_;
    auto made = std::make_unique<Process>(cluster_, folder_, "host:" + std::to_string(started_),
                                          /*takeover=*/started_ > 1);
    EXPECT_TRUE(made->leads_within(kSoon));
    return made;
  }
  // Events of a ledger in the journal, and the partition they stand in.
  std::pair<int, int> events_of(const std::string& ledger) const {
    int events = 0;
    int partition = -1;
    std::optional<journal::GenesisExpectation> expected;
    for (uint32_t p = 0; p < cluster_.topics.size(); ++p) {
      journal::Fold fold(p, expected);
      for (int64_t offset = 0; const auto record = cluster_.topics[p]->at(offset); ++offset) {
        const auto folded = fold.apply(offset, record->bytes);
        EXPECT_TRUE(folded.ok()) << folded.status();
        if (!folded.ok() || !folded->commit || folded->commit->ledger() != ledger) continue;
        events += folded->commit->events_size();
        partition = static_cast<int>(p);
      }
      expected = {fold.uuid(), fold.partition_count()};
    }
    return {events, partition};
  }
  CreateSubscriptionResponse accepted(const CreateSubscriptionRequest& request) {
    const Answer answer = process_->ask(kCreate, request);
    if (const auto* error = std::get_if<Error>(&answer)) {
      ADD_FAILURE() << error->reason << " " << error->message;
      return {};
    }
    return static_cast<const CreateSubscriptionResponse&>(
        *std::get<std::unique_ptr<Message>>(answer));
  }
  GetOutcomeResponse outcome(const std::string& ledger, int id, bool settle = false) {
    ledger::v1::GetOutcomeRequest request;
    request.set_ledger(ledger);
    request.set_request_id(test::uuid(id));
    request.set_settle(settle);
    const Answer answer = process_->ask(kGetOutcome, request);
    EXPECT_EQ(answer.index(), 0u);
    return static_cast<const GetOutcomeResponse&>(*std::get<std::unique_ptr<Message>>(answer));
  }

  const std::filesystem::path folder_;
  Cluster cluster_{2};
  int started_ = 0;
  std::unique_ptr<Process> process_;
};

TEST_F(SystemLedger, HasACodeNoRegionHas) {
  EXPECT_EQ(system_ledger(0), "000001");
  EXPECT_EQ(system_ledger(98), "000099");
  for (const auto& code : {"000001", "000100", "009901"}) {
    EXPECT_EQ(process_->reason(kOpen, test::open_ledger(code, 50, "test")), "LEDGER_CODE_INVALID");
  }
}

TEST_F(SystemLedger, IsMadeWhenItIsFirstNeededInThePartitionOfTheLedgerNamed) {
  for (uint32_t p = 0; p < 2; ++p) EXPECT_EQ(events_of(system_ledger(p)).first, 0);
  // A refused command makes nothing.
  EXPECT_EQ(process_->reason(kCreate, create(kLedgers[0], 20, "s", 99)), "SEQ_NOT_REACHED");
  for (uint32_t p = 0; p < 2; ++p) EXPECT_EQ(events_of(system_ledger(p)).first, 0);

  std::map<std::string, int> expected;  // founded, and one for each subscription
  int id = 21;
  for (const auto& ledger : kLedgers) {
    const int partition = events_of(ledger).second;
    const auto receipt = accepted(create(ledger, id++, "s")).receipt();
    const std::string system = system_ledger(static_cast<uint32_t>(partition));
    EXPECT_EQ(receipt.ledger(), system);
    if (expected[system]++ == 0) ++expected[system];
    EXPECT_EQ(receipt.first_seq(), expected[system]);
    EXPECT_EQ(receipt.event_ids(0), system + "/" + std::to_string(expected[system]));
    EXPECT_EQ(events_of(ledger).first, 1);  // nothing in the book
  }
  for (uint32_t p = 0; p < 2; ++p) {
    const std::string system = system_ledger(p);
    EXPECT_EQ(events_of(system), std::make_pair(expected[system], static_cast<int>(p)));
  }
}

TEST_F(SystemLedger, KnowsHowFarTheLedgerNamedIs) {
  EXPECT_EQ(process_->reason(kCreate, create(kLedgers[0], 20, "s", 1)), "accepted");
  EXPECT_EQ(process_->reason(kCreate, create(kLedgers[0], 21, "t", 2)), "SEQ_NOT_REACHED");
  EXPECT_EQ(process_->reason(kCreateRegion, test::create_region(kLedgers[0], 22, kLedgers[0], "r")),
            "accepted");
  EXPECT_EQ(process_->reason(kCreate, create(kLedgers[0], 23, "t", 2)), "accepted");
  EXPECT_EQ(process_->reason(kCreate, create("990109", 24, "t")), "LEDGER_NOT_FOUND");
  EXPECT_EQ(process_->reason(kCreate, create("000001", 24, "t")), "LEDGER_KIND_NOT_ALLOWED");
  EXPECT_EQ(process_->reason(kCreate, create("000000", 24, "t")), "LEDGER_KIND_NOT_ALLOWED");
}

TEST_F(SystemLedger, RequestIdsBelongToTheLedgerNamed) {
  const auto first = accepted(create(kLedgers[0], 30, "s")).receipt();
  const auto again = accepted(create(kLedgers[0], 30, "s")).receipt();
  EXPECT_TRUE(again.duplicate());
  EXPECT_EQ(again.ledger(), first.ledger());
  EXPECT_EQ(again.first_seq(), first.first_seq());
  EXPECT_EQ(process_->reason(kCreate, create(kLedgers[0], 30, "other")), "REQUEST_ID_REUSED");
  EXPECT_EQ(process_->reason(kCreateRegion, test::create_region(kLedgers[0], 30, kLedgers[0], "r")),
            "REQUEST_ID_REUSED");
  EXPECT_EQ(outcome(kLedgers[0], 30).receipt().ledger(), first.ledger());
  EXPECT_EQ(outcome(kLedgers[0], 30).receipt().first_seq(), first.first_seq());
  // Other ledgers have ids of their own, also where they share the system ledger.
  for (const auto& other : {kLedgers[1], kLedgers[2]}) {
    EXPECT_EQ(outcome(other, 30).outcome(), GetOutcomeResponse::OUTCOME_ABSENT);
    EXPECT_FALSE(accepted(create(other, 30, "s")).receipt().duplicate());
  }
  // Equal to what is there, under another id: the receipt of what made it.
  const auto unchanged = accepted(create(kLedgers[0], 31, "s")).receipt();
  EXPECT_TRUE(unchanged.unchanged());
  EXPECT_EQ(unchanged.event_ids(0), first.event_ids(0));
}

TEST_F(SystemLedger, ACancelledIdStaysCancelled) {
  EXPECT_EQ(outcome(kLedgers[0], 40, true).outcome(), GetOutcomeResponse::OUTCOME_CANCELLED);
  EXPECT_EQ(process_->reason(kCreate, create(kLedgers[0], 40, "s")), "REQUEST_CANCELLED");
}

TEST_F(SystemLedger, ValidatingWritesNothing) {
  auto request = create(kLedgers[0], 45, "s");
  request.mutable_context()->set_validate_only(true);
  EXPECT_EQ(accepted(request).receipt().first_seq(), 0);
  for (uint32_t p = 0; p < 2; ++p) EXPECT_EQ(events_of(system_ledger(p)).first, 0);
}

TEST_F(SystemLedger, IsReadAgainFromTheJournal) {
  const auto first = accepted(create(kLedgers[0], 30, "s")).receipt();
  // A process on tables of its own, so that it knows only what the topics hold.
  process_.reset();
  process_ = start();
  EXPECT_EQ(outcome(kLedgers[0], 30).receipt().first_seq(), first.first_seq());
  EXPECT_EQ(outcome(kLedgers[0], 30).receipt().ledger(), first.ledger());
  EXPECT_TRUE(accepted(create(kLedgers[0], 30, "s")).receipt().duplicate());
  SkipEventRequest skip;
  test::fill(*skip.mutable_context(), 31);
  skip.mutable_context()->set_reason("because");
  skip.set_ledger(kLedgers[0]);
  skip.set_name("s");
  skip.set_seq(1);
  EXPECT_EQ(process_->reason(kSkip, skip), "accepted");
}

}  // namespace
}  // namespace taizhang
