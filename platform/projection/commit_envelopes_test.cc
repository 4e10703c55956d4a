// Envelopes from stored bytes are those made of messages, byte for byte.
#include "platform/projection/commit_envelopes.h"

#include <google/protobuf/descriptor.h>
#include <gtest/gtest.h>

#include "platform/projection/batch_reader.h"
#include "platform/projection/envelope.h"
#include "platform/projection/wire.h"
#include "taizhang/assistance/v1/events.pb.h"
#include "taizhang/common/v1/enums.pb.h"
#include "taizhang/journal/v1/records.pb.h"
#include "taizhang/ledger/v1/events.pb.h"
#include "taizhang/ledger/v1/ledger.pb.h"
#include "taizhang/registry/v1/events.pb.h"

namespace taizhang {
namespace {

using google::protobuf::Message;

class Envelopes : public ::testing::Test {
 protected:
  Envelopes() {
    commit_.set_ledger("990101");
    commit_.set_first_seq(41);
    commit_.set_recorded_time_us(1'700'000'000'123'456);
  }

  void add(const Message& event, int32_t day = 0, uint32_t cause = 0) {
    auto& stored = *commit_.add_events();
    stored.set_type(event.GetDescriptor()->full_name().substr(sizeof "taizhang." - 1));
    stored.set_payload(event.SerializeAsString());
    stored.set_effective_date(day);
    stored.set_cause(cause);
  }
  journal::v1::Request& ask(uint32_t events) {
    auto& request = *commit_.add_requests();
    request.set_request_id(std::string(16, '\x5a'));
    request.set_events(events);
    return request;
  }

  // Of every event, as an envelope made of messages says it and as the bytes do.
  void expect_equal(bool may_see_personal) {
    const std::string body = commit_.SerializeAsString();
    projection::Batch batch;
    const projection::FindType find = [](std::string_view type) {
      const auto* descriptor = projection::find_event_type(type);
      return std::pair(
          descriptor,
          google::protobuf::MessageFactory::generated_factory()->GetPrototype(descriptor));
    };
    ASSERT_TRUE(projection::decode_commit(body, find, batch));
    CommitEnvelopes envelopes;
    ASSERT_TRUE(envelopes.open(body));
    EXPECT_EQ(envelopes.first_seq(), 41);
    EXPECT_EQ(envelopes.last_seq(), 40 + commit_.events_size());
    for (const auto& meta : batch.commits[0].events) {
      ledger::v1::EventEnvelope made;
      fill_envelope(meta, made);
      fill_payload(meta, may_see_personal, made);
      std::string bytes;
      envelopes.append(meta.seq, may_see_personal, bytes);
      ledger::v1::EventEnvelope read;
      ASSERT_TRUE(read.ParseFromString(bytes));
      EXPECT_EQ(read.DebugString(), made.DebugString());
      EXPECT_EQ(bytes, made.SerializeAsString());
    }
  }

  journal::v1::Commit commit_;
};

TEST_F(Envelopes, AreThoseOfMessages) {
  ledger::v1::LedgerPlaced placed;
  placed.set_ledger("100001");
  assistance::v1::VisitRecorded visit;
  visit.set_visit_id("v1");
  visit.mutable_visited()->set_kind(common::v1::SUBJECT_KIND_HOUSEHOLD);
  visit.mutable_visited()->set_id("h1");
  add(placed, 20170601);
  add(visit, 20170602, 1);
  add(placed);
  auto& first = ask(2);
  first.set_command("funds.SpendDirectly");
  first.mutable_actor()->set_subject("maker-1");
  first.mutable_source()->set_kind(common::v1::Source::KIND_FORM);
  first.set_reason("因为");
  first.set_correlation_id("c-1");
  first.set_self_approved(true);
  ask(1).mutable_actor()->set_subject("maker-2");
  expect_equal(true);
  expect_equal(false);
}

TEST_F(Envelopes, OfThePlatformsOwnEventsNameNobody) {
  ledger::v1::LedgerPlaced placed;
  placed.set_ledger("100001");
  add(placed);
  expect_equal(true);
}

TEST_F(Envelopes, WithholdPersonalDataOnly) {
  registry::v1::WorkerRegistered worker;
  worker.set_worker_id("w1");
  add(worker);  // could hold some, and does not
  worker.mutable_identity()->set_bytes("name and number");
  add(worker);
  expect_equal(true);
  expect_equal(false);
}

TEST_F(Envelopes, StandAsAFieldWhateverTheirLengthTakes) {
  for (const int size : {0, 100, 15'000, 16'383, 17'000, 3'000'000}) {
    auto& request = ask(1);
    request.set_reason(std::string(static_cast<size_t>(size), 'r'));
    ledger::v1::LedgerPlaced placed;
    placed.set_ledger("100001");
    add(placed);
  }
  const std::string body = commit_.SerializeAsString();
  CommitEnvelopes envelopes;
  ASSERT_TRUE(envelopes.open(body));
  std::string batch = "before";
  std::string expected = batch;
  for (int64_t seq = envelopes.first_seq(); seq <= envelopes.last_seq(); ++seq) {
    envelopes.append_field(7, seq, true, batch);
    std::string envelope;
    envelopes.append(seq, true, envelope);
    projection::append_bytes_field(7, envelope, expected);
  }
  EXPECT_TRUE(batch == expected);
}

TEST_F(Envelopes, AreNotMadeOfSomethingElse) {
  CommitEnvelopes envelopes;
  EXPECT_FALSE(envelopes.open(""));
  EXPECT_FALSE(envelopes.open("no commit"));
  EXPECT_FALSE(envelopes.open(commit_.SerializeAsString()));  // without events
  EXPECT_FALSE(envelopes.holds(0));
}

}  // namespace
}  // namespace taizhang
