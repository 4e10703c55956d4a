// ReadEvents: ranges, filters, pages and what is withheld; and what other views find of an event.
#include <future>

#include "projections/ledger/ledger_view_fixture.h"
#include "taizhang/registry/v1/events.pb.h"

namespace taizhang {
namespace {

using ledger::v1::ReadEventsRequest;
using ledger::v1::ReadEventsResponse;
using testing::placed;

class LedgerReads : public testing::LedgerViewTest {
 protected:
  ReadEventsResponse read(ReadEventsRequest request) {
    EXPECT_TRUE(views_->catch_up(10'000'000));
    request.set_ledger(kLedger);
    std::promise<Answer> promise;
    dispatcher_.unary(method("ReadEvents"), call(),
                      std::make_shared<ReadEventsRequest>(std::move(request)),
                      [&](Answer answer) { promise.set_value(std::move(answer)); });
    Answer answer = promise.get_future().get();
    if (const auto* error = std::get_if<Error>(&answer)) {
      ADD_FAILURE() << error->reason << ": " << error->message;
      return {};
    }
    return static_cast<const ReadEventsResponse&>(*std::get<0>(answer));
  }
  // All pages of a list.
  std::string all_pages(ReadEventsRequest request, int32_t page_size) {
    std::string text;
    for (int page = 0; page < 100; ++page) {
      request.mutable_page()->set_page_size(page_size);
      const auto answer = read(request);
      EXPECT_LE(answer.events_size(), page_size);
      text += seqs(answer.events());
      if (answer.next_page_token().empty()) return text;
      request.mutable_page()->set_page_token(answer.next_page_token());
    }
    return "endless";
  }
};

TEST_F(LedgerReads, GivesTheStoredEventWithItsEnvelope) {
  const auto event = placed("100001", 7, "名");
  journal_.commit(kLedger, {&event}, 20170601);
  const auto answer = read({});
  ASSERT_EQ(answer.events_size(), 1);
  const auto& envelope = answer.events(0);
  EXPECT_EQ(envelope.id(), "990101/1");
  EXPECT_EQ(envelope.source(), "/ledgers/990101");
  EXPECT_EQ(envelope.type(), "taizhang.ledger.v1.LedgerPlaced");
  EXPECT_EQ(envelope.subject(), "LEDGER/100001");
  EXPECT_EQ(envelope.dataschema(), "taizhang/ledger/v1/LedgerPlaced");
  EXPECT_EQ(envelope.time().seconds(), journal_.time_us / 1'000'000);
  EXPECT_EQ(envelope.ledger(), kLedger);
  EXPECT_EQ(envelope.commit_first_seq(), 1);
  EXPECT_EQ(envelope.commit_last_seq(), 1);
  EXPECT_EQ(envelope.request_id(), "72727272-7272-7272-7272-727272727272");
  EXPECT_EQ(envelope.effective_date().month(), 6);
  EXPECT_EQ(envelope.actor().subject(), "maker-1");
  EXPECT_EQ(envelope.reason(), "because");
  EXPECT_EQ(envelope.command(), "test.Command");
  EXPECT_EQ(envelope.payload(), event.SerializeAsString());
  EXPECT_EQ(answer.freshness().view(), "ledger");
}

TEST_F(LedgerReads, ReadsRangesForwardAndBackward) {
  write_some();
  ReadEventsRequest request;
  EXPECT_EQ(all_pages(request, 2), "1 2 3 4 5 ");
  request.set_from_seq(2);
  request.set_to_seq(3);
  EXPECT_EQ(all_pages(request, 1), "2 3 ");
  request.set_backward(true);
  request.set_from_seq(3);
  request.set_to_seq(2);
  EXPECT_EQ(all_pages(request, 1), "3 2 ");
  request.clear_from_seq();
  request.clear_to_seq();
  EXPECT_EQ(all_pages(request, 2), "5 4 3 2 1 ");
  request.set_from_seq(9);
  EXPECT_EQ(all_pages(request, 10), "5 4 3 2 1 ");
}

TEST_F(LedgerReads, ReadsAsOfASeqInsideACommit) {
  write_some();
  ReadEventsRequest request;
  request.mutable_read()->set_seq(2);
  EXPECT_EQ(all_pages(request, 10), "1 2 ");
  request.set_backward(true);
  EXPECT_EQ(all_pages(request, 10), "2 1 ");
  request.mutable_filter()->add_types("taizhang.ledger.v1.LedgerPlaced");
  EXPECT_EQ(all_pages(request, 10), "2 1 ");
}

TEST_F(LedgerReads, FiltersByTypeSubjectAndContext) {
  write_some();
  for (const bool backward : {false, true}) {
    ReadEventsRequest request;
    request.set_backward(backward);
    request.mutable_filter()->add_types("taizhang.ledger.v1.LedgerPlaced");
    EXPECT_EQ(all_pages(request, 2), backward ? "5 4 2 1 " : "1 2 4 5 ");
    request.mutable_filter()->add_types("taizhang.ledger.v1.LedgerFounded");
    EXPECT_EQ(all_pages(request, 1), backward ? "5 4 3 2 1 " : "1 2 3 4 5 ");
    auto& subject = *request.mutable_filter()->add_subjects();
    subject.set_kind(common::v1::SUBJECT_KIND_LEDGER);
    subject.set_id("100001");
    EXPECT_EQ(all_pages(request, 1), backward ? "5 3 1 " : "1 3 5 ");
    request.mutable_filter()->clear_types();
    EXPECT_EQ(all_pages(request, 5), backward ? "5 3 1 " : "1 3 5 ");
    request.mutable_filter()->add_contexts("funds");
    EXPECT_EQ(all_pages(request, 5), "");
    request.mutable_filter()->clear_subjects();
    EXPECT_EQ(all_pages(request, 5), "");
    request.mutable_filter()->add_contexts("ledger");
    EXPECT_EQ(all_pages(request, 5), backward ? "5 4 3 2 1 " : "1 2 3 4 5 ");
  }
}

TEST_F(LedgerReads, PagesThroughLongIndexes) {
  for (int i = 0; i < 400; ++i) add(i % 2 == 0 ? "100001" : "100002");
  std::string expected;
  for (int i = 1; i <= 400; i += 2) expected += std::to_string(i) + " ";
  ReadEventsRequest request;
  auto& subject = *request.mutable_filter()->add_subjects();
  subject.set_kind(common::v1::SUBJECT_KIND_LEDGER);
  subject.set_id("100001");
  EXPECT_EQ(all_pages(request, 37), expected);
  EXPECT_EQ(all_pages(request, 200), expected);
}

TEST_F(LedgerReads, WithholdsPersonalPayloadsFromReaders) {
  registry::v1::WorkerRegistered worker;
  worker.set_worker_id("w1");
  worker.mutable_identity()->set_bytes("name and number");
  journal_.commit(kLedger, {&worker});
  add("100001");
  EXPECT_EQ(read({}).events(0).payload(), worker.SerializeAsString());
  caller_.roles = {common::v1::ROLE_READER};
  const auto answer = read({});
  EXPECT_TRUE(answer.events(0).payload_withheld());
  EXPECT_EQ(answer.events(0).payload(), "");
  EXPECT_EQ(answer.events(0).subject(), "WORKER/w1");
  EXPECT_FALSE(answer.events(1).payload_withheld());
}

TEST_F(LedgerReads, OtherViewsFindTheEventBehindARow) {
  write_some();
  ASSERT_TRUE(views_->catch_up(10'000'000));
  auto request = std::make_shared<ledger::v1::GetOutcomeRequest>();
  request->set_ledger(kLedger);
  std::promise<Answer> promise;
  views_->ask(method("GetOutcome").full_name(), call(), request,
              [&](Answer answer) { promise.set_value(std::move(answer)); });
  Answer answer = promise.get_future().get();
  ASSERT_EQ(answer.index(), 0u);
  const auto& response = static_cast<const ledger::v1::GetOutcomeResponse&>(*std::get<0>(answer));
  EXPECT_EQ(response.receipt().event_ids(0), "990101/5");
  EXPECT_EQ(response.receipt().ledger(), "maker-1");
}

TEST_F(LedgerReads, EqualsAFoldFromNothing) {
  write_some();
  ASSERT_TRUE(views_->catch_up(10'000'000));
  const auto report = views_->verify("ledger");
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_TRUE(report->equal) << report->difference;
  EXPECT_EQ(report->events, 5);
}

}  // namespace
}  // namespace taizhang
