// Bytes of a record's header, as docs/formats.md gives them.
#include "platform/journal/record.h"

#include <gtest/gtest.h>

#include "platform/journal/testing/history.h"
#include "taizhang/journal/v1/records.pb.h"

namespace taizhang::journal {
namespace {

RecordHeader header() {
  RecordHeader header;
  header.kind = Kind::kCommit;
  header.uuid = testing::id(0x11);
  header.partition = 0x04030201;
  header.epoch = 0x0807060504030201;
  header.owner = testing::id(0x22);
  header.n = 0x1817161514131211;
  header.prev = testing::id(0x33);
  return header;
}

TEST(Record, HasTheHeaderThatTheFormatFixes) {
  const std::string record = encode_record(header(), "body");
  EXPECT_EQ(hex(record),
            "545a4a31"  // "TZJ1"
            "01"
            "07"
            "0000"
            "11111111111111111111111111111111"
            "01020304"
            "04000000"
            "0102030405060708"
            "22222222222222222222222222222222"
            "1112131415161718"
            "33333333333333333333333333333333"
            "626f6479");
}

TEST(Record, DecodesWhatWasEncoded) {
  const auto decoded = decode_header(encode_record(header(), "body"));
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  EXPECT_EQ(encode_record(*decoded, "body"), encode_record(header(), "body"));
}

TEST(Record, TellsANewerVersionFromDamage) {
  std::string newer_format = encode_record(header(), "body");
  newer_format[4] = 2;
  EXPECT_EQ(decode_header(newer_format).status().code(), absl::StatusCode::kUnimplemented);
  std::string newer_kind = encode_record(header(), "body");
  newer_kind[5] = 10;
  EXPECT_EQ(decode_header(newer_kind).status().code(), absl::StatusCode::kUnimplemented);
  std::string no_kind = encode_record(header(), "body");
  no_kind[5] = 0;
  EXPECT_EQ(decode_header(no_kind).status().code(), absl::StatusCode::kDataLoss);
  std::string reserved = encode_record(header(), "body");
  reserved[6] = 1;
  EXPECT_EQ(decode_header(reserved).status().code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(decode_header(encode_record(header(), "body") + "x").status().code(),
            absl::StatusCode::kDataLoss);
}

TEST(Record, CutShortIsNeverDecoded) {
  const std::string record = encode_record(header(), "body");
  for (size_t length = 0; length < record.size(); ++length) {
    EXPECT_FALSE(decode_header(record.substr(0, length)).ok()) << length;
  }
}

TEST(Draft, IsTheSameFromAMessageAndFromItsBytes) {
  v1::Commit commit;
  commit.set_ledger("510101");
  commit.set_first_seq(7);
  commit.set_recorded_time_us(99);
  commit.add_events()->set_type("a");
  const auto made = Draft::of(Kind::kCommit, commit);
  const auto parsed = Draft::parse(Kind::kCommit, commit.SerializeAsString());
  ASSERT_TRUE(made.ok() && parsed.ok());
  EXPECT_EQ(made->bytes, parsed->bytes);
  EXPECT_EQ(made->body_hash, parsed->body_hash);
  EXPECT_EQ(parsed->effect.ledger, "510101");
  EXPECT_EQ(parsed->effect.first_seq, 7);
  EXPECT_EQ(parsed->effect.event_count, 1);
  EXPECT_EQ(parsed->effect.recorded_time_us, 99);
}

TEST(Draft, AboveTheBoundIsRefused) {
  v1::Commit commit;
  commit.add_events()->set_payload(std::string(kRecordBytesMax, 'x'));
  EXPECT_EQ(Draft::of(Kind::kCommit, commit).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Draft::parse(Kind::kCommit, commit.SerializeAsString()).status().code(),
            absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace taizhang::journal
