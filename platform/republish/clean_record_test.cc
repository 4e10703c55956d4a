// What a clean record says of an event, byte for byte.
#include "platform/republish/clean_record.h"

#include <gtest/gtest.h>

#include "platform/projection/event_meta.h"
#include "taizhang/assistance/v1/events.pb.h"
#include "taizhang/common/v1/values.pb.h"

namespace taizhang::republish {
namespace {

const common::v1::Actor kActor;
const common::v1::Source kSource;

class CleanRecordTest : public ::testing::Test {
 protected:
  CleanRecordTest() {
    event_.set_pairing_id("0191d3a0-0000-7000-8000-000000000001");
    payload_ = event_.SerializeAsString();
    meta_.ledger = "510101";
    meta_.seq = 42;
    meta_.commit_first_seq = 41;
    meta_.commit_last_seq = 43;
    meta_.recorded_time_us = 1'767'196'800'000'070;
    meta_.effective_day = 20251231;
    meta_.actor = &kActor;
    meta_.source = &kSource;
    meta_.type = "assistance.v1.PairingEnded";
    meta_.payload = payload_;
    meta_.descriptor = event_.GetDescriptor();
    meta_.event = &event_;
  }

  assistance::v1::PairingEnded event_;
  std::string payload_;
  EventMeta meta_;
};

TEST_F(CleanRecordTest, SaysEverythingInHeadersAndKeepsTheStoredBytes) {
  const std::string request_id(16, 'r');
  meta_.request_id = request_id;
  meta_.correlation_id = "import-7";
  meta_.command = "assistance.EndPairing";
  meta_.cause_seq = 41;
  const auto record = map_event(meta_, 1'000'000'000'007);
  ASSERT_TRUE(record.ok()) << record.status();
  EXPECT_EQ(record->key, "510101");
  EXPECT_EQ(record->value, payload_);
  const std::vector<Header> expected = {
      {"content-type", "application/protobuf"},
      {"ce_specversion", "1.0"},
      {"ce_id", "510101/42"},
      {"ce_source", "/ledgers/510101"},
      {"ce_type", "taizhang.assistance.v1.PairingEnded"},
      {"ce_subject", "PAIRING/0191d3a0-0000-7000-8000-000000000001"},
      {"ce_time", "2025-12-31T16:00:00.000070Z"},
      {"ce_dataschema", "proto:taizhang/assistance/v1/PairingEnded"},
      {"ce_ledger", "510101"},
      {"ce_seq", "42"},
      {"ce_k", "1000000000007"},
      {"ce_commitfirstseq", "41"},
      {"ce_commitlastseq", "43"},
      {"ce_effectivedate", "2025-12-31"},
      {"ce_requestid", "72727272-7272-7272-7272-727272727272"},
      {"ce_correlation", "import-7"},
      {"ce_causation", "510101/41"},
      {"ce_command", "assistance.EndPairing"},
      {"taizhangmapping", "1"},
  };
  ASSERT_EQ(record->headers.size(), expected.size());
  for (size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(record->headers[i].name, expected[i].name);
    EXPECT_EQ(record->headers[i].value, expected[i].value) << expected[i].name;
  }
}

TEST_F(CleanRecordTest, HasNoHeaderForWhatIsNotKnown) {
  meta_.effective_day = 0;
  const auto record = map_event(meta_, 1);
  ASSERT_TRUE(record.ok()) << record.status();
  for (const Header& header : record->headers) {
    EXPECT_FALSE(header.value.empty()) << header.name;
    for (const auto* absent :
         {"ce_effectivedate", "ce_requestid", "ce_correlation", "ce_causation", "ce_command"}) {
      EXPECT_NE(header.name, absent);
    }
  }
}

TEST_F(CleanRecordTest, KeepsBytesThatAnEncoderWouldWriteInAnotherOrder) {
  // Field 3 before field 1, and a field nobody knows: what was stored goes out as it is.
  payload_ = std::string("\x18\x01\x0a\x02p1\xa0\x3f\x01", 9);
  ASSERT_TRUE(event_.ParseFromString(payload_));
  meta_.payload = payload_;
  EXPECT_NE(event_.SerializeAsString(), payload_);
  const auto record = map_event(meta_, 1);
  ASSERT_TRUE(record.ok()) << record.status();
  EXPECT_EQ(record->value, payload_);
}

TEST_F(CleanRecordTest, OfATypeNobodyKnowsStopsByName) {
  meta_.descriptor = nullptr;
  meta_.event = nullptr;
  const auto record = map_event(meta_, 1);
  EXPECT_EQ(record.status().code(), absl::StatusCode::kUnimplemented);
  EXPECT_EQ(record.status().message(),
            "event 510101/42 has the type assistance.v1.PairingEnded, which this program does not "
            "know");
}

TEST_F(CleanRecordTest, OfAPayloadThatIsNotItsTypeStopsByName) {
  meta_.event = nullptr;
  const auto record = map_event(meta_, 1);
  EXPECT_EQ(record.status().code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(record.status().message(),
            "the payload of event 510101/42 is no assistance.v1.PairingEnded");
}

TEST_F(CleanRecordTest, TellsItsOrdinal) {
  const auto record = map_event(meta_, 7);
  ASSERT_TRUE(record.ok()) << record.status();
  const auto k = ordinal_of(*record);
  ASSERT_TRUE(k.ok()) << k.status();
  EXPECT_EQ(*k, 7);
}

TEST(Ordinal, IsNoneWhereARecordIsNotOfACleanTopic) {
  const std::vector<std::vector<Header>> strangers = {
      {},
      {{"ce_k", "7"}},
      {{"taizhangmapping", "1"}},
      {{"ce_k", ""}, {"taizhangmapping", "1"}},
      {{"ce_k", "0"}, {"taizhangmapping", "1"}},
      {{"ce_k", "-1"}, {"taizhangmapping", "1"}},
      {{"ce_k", "7x"}, {"taizhangmapping", "1"}},
      {{"ce_k", "99999999999999999999"}, {"taizhangmapping", "1"}},
  };
  for (const auto& headers : strangers) {
    const auto k = ordinal_of({"key", headers, "value"});
    ASSERT_TRUE(k.ok()) << k.status();
    EXPECT_EQ(*k, std::nullopt);
  }
}

TEST(Ordinal, OfAnotherMappingIsRefused) {
  const auto k = ordinal_of({"key", {{"ce_k", "7"}, {"taizhangmapping", "2"}}, "value"});
  EXPECT_EQ(k.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(k.status().message(),
            "the clean topic has records of mapping 2, this program makes mapping 1: republish "
            "into a new topic");
}

TEST(Digest, TellsWhereOnePartEnds) {
  const CleanRecord record{"ab", {{"c", "d"}}, "e"};
  EXPECT_EQ(digest_of(record), digest_of(record));
  EXPECT_NE(digest_of(record), digest_of({"a", {{"bc", "d"}}, "e"}));
  EXPECT_NE(digest_of(record), digest_of({"ab", {{"cd", ""}}, "e"}));
  EXPECT_NE(digest_of(record), digest_of({"ab", {}, "cde"}));
}

}  // namespace
}  // namespace taizhang::republish
