// The validity rule of design §3.1, case by case.
#include "platform/journal/fold.h"

#include <gtest/gtest.h>

#include "platform/journal/testing/history.h"
#include "taizhang/journal/v1/records.pb.h"

namespace taizhang::journal {
namespace {

using testing::History;
using testing::id;

constexpr char kLedger[] = "510101";

// A reader beside the history that made the records.
class FoldTest : public ::testing::Test {
 protected:
  Verdict verdict(std::string_view record) {
    const auto folded = fold_.apply(fold_.offset(), record);
    EXPECT_TRUE(folded.ok()) << folded.status();
    return folded.ok() ? folded->verdict : Verdict::kForeign;
  }
  absl::StatusCode stopped_by(std::string_view record) {
    const std::string before = fold_.partition_row();
    const absl::StatusCode code = fold_.apply(fold_.offset(), record).status().code();
    EXPECT_EQ(fold_.partition_row(), before) << "a stop must not move the fold";
    return code;
  }
  void begin() {
    for (const std::string& record : history_.begin()) ASSERT_EQ(verdict(record), Verdict::kValid);
  }
  std::string commit_body(int64_t first_seq, int64_t time_us, const char* ledger = kLedger) {
    v1::Commit body;
    body.set_ledger(ledger);
    body.set_first_seq(first_seq);
    body.set_recorded_time_us(time_us);
    body.add_events();
    return body.SerializeAsString();
  }

  History history_;
  Fold fold_{0};
};

TEST_F(FoldTest, FollowsAWholeHistory) {
  begin();
  EXPECT_EQ(fold_.uuid(), id(0xAA));
  EXPECT_EQ(fold_.epoch(), 1u);
  EXPECT_EQ(fold_.owner_address(), "host:1");
  EXPECT_EQ(verdict(history_.commit(kLedger, 3)), Verdict::kValid);
  EXPECT_EQ(verdict(history_.barrier()), Verdict::kValid);
  EXPECT_EQ(verdict(history_.settle(kLedger)), Verdict::kValid);
  EXPECT_EQ(verdict(history_.mark()), Verdict::kValid);
  EXPECT_EQ(fold_.ledger(kLedger)->next_seq, 4);
  EXPECT_EQ(fold_.n(), 5u);
  EXPECT_EQ(fold_.closed_time_us(), history_.fold().closed_time_us());
  EXPECT_EQ(fold_.head(), history_.fold().head());
  EXPECT_EQ(verdict(history_.release()), Verdict::kValid);
  EXPECT_FALSE(fold_.has_owner());
  EXPECT_EQ(verdict(history_.claim(2)), Verdict::kValid);
  EXPECT_EQ(fold_.epoch(), 2u) << "epochs never restart";
}

TEST_F(FoldTest, GivesTheParsedBodyOfItsKindOnly) {
  begin();
  const std::string record = history_.commit(kLedger, 2);
  const auto folded = fold_.apply(fold_.offset(), record);
  ASSERT_TRUE(folded.ok());
  ASSERT_NE(folded->commit, nullptr);
  EXPECT_EQ(folded->commit->events_size(), 2);
  EXPECT_EQ(folded->recorded_time_us, folded->commit->recorded_time_us());
  EXPECT_EQ(folded->claim, nullptr);
  EXPECT_EQ(folded->body, std::string_view(record).substr(kRecordHeaderBytes));
}

TEST_F(FoldTest, ALaterGenesisIsVoid) {
  begin();
  EXPECT_EQ(verdict(History().genesis()), Verdict::kVoid);
}

TEST_F(FoldTest, NothingIsValidBeforeGenesis) {
  const auto records = history_.begin();
  EXPECT_EQ(verdict(records[1]), Verdict::kForeign) << "whose it is, is not known yet";
  EXPECT_EQ(verdict(records[0]), Verdict::kValid);
  EXPECT_EQ(verdict(records[1]), Verdict::kValid);
}

TEST_F(FoldTest, AClaimComparesAndSwaps) {
  begin();
  History rival;
  rival.genesis();
  rival.claim(1);
  const std::string takeover = rival.claim(2);
  const std::string lost_race = [] {
    History other;
    other.genesis();
    other.claim(1);
    return other.claim(3);
  }();
  EXPECT_EQ(verdict(takeover), Verdict::kValid);
  EXPECT_EQ(verdict(lost_race), Verdict::kVoid);
  EXPECT_EQ(fold_.owner(), id(2));
  EXPECT_EQ(fold_.epoch(), 2u);
  EXPECT_EQ(fold_.n(), 0u);
}

TEST_F(FoldTest, AClaimMustNameTheEpochAfterTheReplacedOne) {
  begin();
  v1::Claim body;
  body.set_replaces_epoch(1);
  body.set_replaces_owner(std::string(bytes_of(id(1))));
  body.set_rule_version(1);
  RecordHeader header;
  header.kind = Kind::kClaim;
  header.uuid = id(0xAA);
  header.owner = id(9);
  for (const uint64_t epoch : {0, 1, 3}) {
    header.epoch = epoch;
    EXPECT_EQ(verdict(encode_record(header, body.SerializeAsString())), Verdict::kVoid) << epoch;
  }
  header.epoch = 2;
  EXPECT_EQ(verdict(encode_record(header, body.SerializeAsString())), Verdict::kValid);
}

TEST_F(FoldTest, AClaimMustNameTheOwnerItReplaces) {
  begin();
  v1::Claim body;
  body.set_replaces_epoch(1);
  body.set_rule_version(1);
  RecordHeader header;
  header.kind = Kind::kClaim;
  header.uuid = id(0xAA);
  header.epoch = 2;
  header.owner = id(9);
  for (const std::string& replaced : {std::string(), std::string(bytes_of(id(7)))}) {
    body.set_replaces_owner(replaced);
    EXPECT_EQ(verdict(encode_record(header, body.SerializeAsString())), Verdict::kVoid);
  }
}

TEST_F(FoldTest, AnotherWritersRecordIsVoidEvenWithTheRightPlaceInTheChain) {
  begin();
  const std::string record = history_.barrier();
  auto header = *decode_header(record);
  const std::string_view body = std::string_view(record).substr(kRecordHeaderBytes);
  header.owner = id(7);
  EXPECT_EQ(verdict(encode_record(header, body)), Verdict::kVoid);
  header.owner = id(1);
  header.epoch = 2;
  EXPECT_EQ(verdict(encode_record(header, body)), Verdict::kVoid);
  EXPECT_EQ(verdict(record), Verdict::kValid);
}

TEST_F(FoldTest, AZombiesRecordsAreVoid) {
  begin();
  History zombie;
  zombie.begin();
  const std::string late = zombie.commit(kLedger);
  EXPECT_EQ(verdict(history_.claim(2)), Verdict::kValid);
  EXPECT_EQ(verdict(late), Verdict::kVoid);
  EXPECT_EQ(fold_.void_count(), 1);
}

TEST_F(FoldTest, ADuplicateIsVoid) {
  begin();
  const std::string record = history_.commit(kLedger);
  EXPECT_EQ(verdict(record), Verdict::kValid);
  EXPECT_EQ(verdict(record), Verdict::kVoid);
}

TEST_F(FoldTest, NothingIsValidBehindAHole) {
  begin();
  history_.commit(kLedger);  // lost
  EXPECT_EQ(verdict(history_.commit(kLedger)), Verdict::kVoid);
  EXPECT_EQ(verdict(history_.barrier()), Verdict::kVoid);
}

TEST_F(FoldTest, AnotherPrevIsVoid) {
  begin();
  History fork;
  fork.begin();
  fork.barrier();
  const std::string on_fork =
      fork.commit(kLedger);  // n is right for the reader after one barrier, its history not
  history_.next_time_us();
  ASSERT_EQ(verdict(history_.barrier()), Verdict::kValid);
  EXPECT_EQ(verdict(on_fork), Verdict::kVoid);
}

TEST_F(FoldTest, AReleasedPartitionTakesNothingButAClaim) {
  begin();
  const std::string late = history_.next(Kind::kBarrier, "", 2);
  EXPECT_EQ(verdict(history_.release()), Verdict::kValid);
  EXPECT_EQ(verdict(late), Verdict::kVoid);
}

TEST_F(FoldTest, WhatIsNotOursIsForeign) {
  begin();
  EXPECT_EQ(verdict(""), Verdict::kForeign);
  EXPECT_EQ(verdict("somebody else's message, long enough to be a record header of ours, or so one "
                    "would think it is"),
            Verdict::kForeign);
  EXPECT_EQ(verdict(History(0xBB).genesis()), Verdict::kForeign);
  EXPECT_EQ(verdict(History(0xAA, 1, 2).genesis()), Verdict::kForeign);
  EXPECT_EQ(fold_.foreign_count(), 4);
}

TEST_F(FoldTest, OursButNotUnderstoodStops) {
  begin();
  std::string newer_kind = history_.next(Kind::kBarrier, "");
  newer_kind[5] = 42;
  EXPECT_EQ(stopped_by(newer_kind), absl::StatusCode::kUnimplemented);
  EXPECT_EQ(stopped_by(history_.next(Kind::kCommit, "\xff\xff\xff")), absl::StatusCode::kDataLoss);
  EXPECT_EQ(stopped_by(history_.next(Kind::kCommit, "\xff\xff\xff", 5)),
            absl::StatusCode::kDataLoss)
      << "also where it would be void";
  EXPECT_EQ(stopped_by(history_.next(Kind::kBarrier, "") + "x"), absl::StatusCode::kDataLoss);
  v1::Claim newer;
  newer.set_rule_version(kRuleVersion + 1);
  EXPECT_EQ(stopped_by(history_.next(Kind::kClaim, newer.SerializeAsString())),
            absl::StatusCode::kUnimplemented);
}

TEST_F(FoldTest, ABrokenRuleOnTheRightHistoryStops) {
  begin();
  const int64_t later_us = fold_.closed_time_us() + 1;
  EXPECT_EQ(stopped_by(history_.next(Kind::kCommit, commit_body(2, later_us))),
            absl::StatusCode::kInternal);
  EXPECT_EQ(stopped_by(history_.next(Kind::kCommit, commit_body(1, fold_.closed_time_us()))),
            absl::StatusCode::kInternal);
  EXPECT_EQ(stopped_by(history_.next(Kind::kCommit, commit_body(1, later_us, "999999"))),
            absl::StatusCode::kInternal);
  v1::Barrier still;
  still.set_recorded_time_us(fold_.closed_time_us());
  EXPECT_EQ(stopped_by(history_.next(Kind::kBarrier, still.SerializeAsString())),
            absl::StatusCode::kInternal);
  EXPECT_EQ(verdict(history_.next(Kind::kCommit, commit_body(1, later_us))), Verdict::kValid);
}

TEST_F(FoldTest, AClosedGenerationNeverOpensAgain) {
  begin();
  ASSERT_EQ(verdict(history_.close("620102", 3)), Verdict::kValid) << "also where it never opened";
  ASSERT_EQ(verdict(history_.close(kLedger, 1)), Verdict::kValid);
  EXPECT_FALSE(fold_.ledger(kLedger)->open);
  v1::LedgerOpened body;
  body.set_next_seq(1);
  body.set_recorded_time_us(fold_.closed_time_us() + 1);
  for (const auto& [ledger, generation] : {std::pair{"620102", 3}, std::pair{kLedger, 1}}) {
    body.set_ledger(ledger);
    body.set_generation(static_cast<uint64_t>(generation));
    EXPECT_EQ(stopped_by(history_.next(Kind::kLedgerOpened, body.SerializeAsString())),
              absl::StatusCode::kInternal);
  }
  EXPECT_EQ(verdict(history_.open(kLedger, 2, 17)), Verdict::kValid);
  EXPECT_EQ(fold_.ledger(kLedger)->next_seq, 17);
}

TEST_F(FoldTest, ReadsOnlyTheJournalItExpects) {
  Fold wrong(0, GenesisExpectation{.uuid = id(0xBB)});
  EXPECT_EQ(wrong.apply(0, history_.genesis()).status().code(),
            absl::StatusCode::kFailedPrecondition);

  Fold second(1, GenesisExpectation{.uuid = id(0xAA), .partition_count = 3});
  EXPECT_EQ(second.apply(0, History(0xBB, 1, 3).genesis())->verdict, Verdict::kForeign);
  EXPECT_EQ(second.apply(1, History(0xAA, 1, 2).genesis()).status().code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(second.apply(1, History(0xAA, 1, 3).genesis())->verdict, Verdict::kValid);
}

}  // namespace
}  // namespace taizhang::journal
