// Over random histories with zombies, duplicates and foreign records: where a derived store stopped
// and went on, and which path a record took into the fold, changes nothing.
#include <gtest/gtest.h>

#include "platform/journal/fold.h"
#include "platform/journal/log.h"
#include "platform/journal/memory/memory_log.h"
#include "platform/journal/testing/history.h"

namespace taizhang::journal {
namespace {

using testing::History;
using testing::SeededRandom;

std::vector<std::string> random_history(uint64_t seed, size_t length) {
  SeededRandom random(seed);
  History history;
  std::vector<std::string> records = history.begin();
  std::vector<std::string> ledgers = {"510101"};
  uint8_t owner = 1;
  while (records.size() < length) {
    const std::string& ledger = ledgers[random.below(ledgers.size())];
    const bool open = history.fold().ledger(ledger)->open;
    switch (random.below(14)) {
      case 0: records.push_back(records[random.below(records.size())]); break;
      case 1: records.push_back(random.bytes(random.below(200))); break;
      case 2: records.push_back(history.next(Kind::kBarrier, "", 2 + random.below(3))); break;
      case 3: records.push_back(history.claim(++owner)); break;
      case 4:
        records.push_back(history.release());
        records.push_back(history.claim(++owner));
        break;
      case 5:
        ledgers.push_back(std::to_string(510101 + ledgers.size()));
        records.push_back(history.open(ledgers.back()));
        break;
      case 6:
        if (open) {
          records.push_back(history.close(ledger, history.fold().ledger(ledger)->generation));
        } else {
          records.push_back(
              history.open(ledger, history.fold().ledger(ledger)->closed_generation + 1, 5));
        }
        break;
      case 7: records.push_back(history.mark()); break;
      case 8: records.push_back(history.barrier()); break;
      case 9:
        if (open) records.push_back(history.settle(ledger));
        break;
      default:
        if (open) records.push_back(history.commit(ledger, static_cast<int>(1 + random.below(4))));
    }
  }
  return records;
}

// What a derived store holds: the position row, and the rows of ledgers as they were touched.
struct DerivedRows {
  std::string partition;
  std::map<std::string, std::string> ledgers;

  void take(Fold& fold) {
    partition = fold.partition_row();
    for (const std::string& code : fold.take_touched_ledgers())
      ledgers[code] = fold.ledger_row(code);
  }
};

TEST(FoldProperty, ContinuingFromADerivedStoreEqualsFoldingFromTheStart) {
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const auto records = random_history(seed, 150);
    SeededRandom random(seed + 1000);
    Fold whole(0);
    auto resumed = std::make_unique<Fold>(0);
    DerivedRows rows;
    for (size_t at = 0; at < records.size(); ++at) {
      const auto offset = static_cast<int64_t>(at);
      const auto expected = whole.apply(offset, records[at]);
      const auto got = resumed->apply(offset, records[at]);
      ASSERT_TRUE(expected.ok() && got.ok()) << expected.status() << got.status();
      ASSERT_EQ(got->verdict, expected->verdict);
      ASSERT_EQ(resumed->partition_row(), whole.partition_row());
      if (!random.one_in(4)) continue;
      rows.take(*resumed);
      auto restored = Fold::restore(rows.partition, rows.ledgers);
      ASSERT_TRUE(restored.ok()) << restored.status();
      resumed = std::make_unique<Fold>(*std::move(restored));
    }
    ASSERT_EQ(resumed->ledgers().size(), whole.ledgers().size());
    for (const auto& [code, state] : whole.ledgers())
      EXPECT_EQ(resumed->ledger_row(code), whole.ledger_row(code));
    EXPECT_GT(whole.void_count(), 0);
    EXPECT_GT(whole.foreign_count(), 0);
  }
}

TEST(FoldProperty, AnOwnRecordTakenUnparsedLeavesTheSameState) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Fold parsed(0);
    Fold fast(0);
    int64_t offset = 0;
    for (const std::string& record : random_history(seed, 150)) {
      const auto folded = parsed.apply(offset, record);
      ASSERT_TRUE(folded.ok());
      const bool chained =
          folded->valid() && folded->kind() != Kind::kGenesis && folded->kind() != Kind::kClaim;
      if (chained) {
        const std::string_view body = folded->body;
        const auto draft = Draft::parse(folded->kind(), body);
        const Sha256Digest hash =
            record_hash(std::string_view(record).substr(0, kRecordHeaderBytes), draft->body_hash);
        ASSERT_TRUE(fast.apply_own(offset, folded->header, draft->effect, hash,
                                   next_head(fast.head(), hash))
                        .ok());
      } else {
        ASSERT_TRUE(fast.apply(offset, record).ok());
      }
      ASSERT_EQ(fast.partition_row(), parsed.partition_row());
      ++offset;
    }
    for (const auto& [code, state] : parsed.ledgers())
      EXPECT_EQ(fast.ledger_row(code), parsed.ledger_row(code));
  }
}

TEST(FoldProperty, CommitsLeftAsBytesLeaveTheSameState) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Fold parsed(0);
    Fold as_bytes(0);
    as_bytes.leave_commits_as_bytes();
    int64_t offset = 0;
    for (const std::string& record : random_history(seed, 150)) {
      const auto expected = parsed.apply(offset, record);
      const auto got = as_bytes.apply(offset++, record);
      ASSERT_TRUE(expected.ok() && got.ok()) << expected.status() << got.status();
      ASSERT_EQ(got->verdict, expected->verdict);
      ASSERT_EQ(got->body, expected->body);
      ASSERT_EQ(got->recorded_time_us, expected->recorded_time_us);
      ASSERT_EQ(got->commit, nullptr);
      ASSERT_EQ(as_bytes.partition_row(), parsed.partition_row());
    }
    for (const auto& [code, state] : parsed.ledgers())
      EXPECT_EQ(as_bytes.ledger_row(code), parsed.ledger_row(code));
  }
}

TEST(FoldProperty, ACutRowIsNotRestored) {
  Fold fold(0);
  int64_t offset = 0;
  for (const std::string& record : random_history(3, 20))
    ASSERT_TRUE(fold.apply(offset++, record).ok());
  const std::string row = fold.partition_row();
  for (size_t length = 0; length < row.size(); ++length) {
    EXPECT_FALSE(Fold::restore(row.substr(0, length), {}).ok()) << length;
  }
  EXPECT_FALSE(Fold::restore(row, {{"510101", "x"}}).ok());
}

class Resume : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const std::string& record : history_.begin()) add(record);
    add(history_.commit("510101"));
  }
  void add(const std::string& record) {
    topic_->append(record);
    ASSERT_TRUE(fold_.apply(fold_.offset(), record).ok());
  }
  History history_;
  std::shared_ptr<MemoryTopic> topic_ = std::make_shared<MemoryTopic>();
  MemoryLog log_{topic_};
  Fold fold_{0};
};

TEST_F(Resume, GoesOnWhereTheLogStillHoldsWhatWasFolded) {
  EXPECT_TRUE(fold_.check_resume(log_).ok());
  topic_->append(history_.commit("510101"));
  EXPECT_TRUE(fold_.check_resume(log_).ok());
}

TEST_F(Resume, StopsAtALogThatIsShorter) {
  topic_->truncate(3);
  EXPECT_EQ(fold_.check_resume(log_).code(), absl::StatusCode::kDataLoss);
}

TEST_F(Resume, StopsAtALogThatWasCutAndGrewAgain) {
  topic_->truncate(3);
  History other;
  other.begin();
  other.next_time_us();
  topic_->append(other.commit("510101"));
  topic_->append(other.commit("510101"));
  EXPECT_EQ(fold_.check_resume(log_).code(), absl::StatusCode::kDataLoss);
}

TEST_F(Resume, StopsWhereTheNextRecordHasAnotherHead) {
  // The writer went on from a history in which another record stands in the place of ours.
  History other;
  other.begin();
  other.next_time_us();
  other.commit("510101");
  topic_->append(other.commit("510101"));
  EXPECT_EQ(fold_.check_resume(log_).code(), absl::StatusCode::kDataLoss);
}

}  // namespace
}  // namespace taizhang::journal
