// Offsets are found whether noted, under way, written, or taken back from a failed batch.
#include "platform/state/commit_offsets.h"

#include <gtest/gtest.h>

#include <filesystem>

namespace taizhang {
namespace {

class CommitOffsetsTest : public testing::Test {
 protected:
  CommitOffsetsTest()
      : folder_(std::filesystem::temp_directory_path() /
                ("commit_offsets_test." + std::to_string(getpid()))) {
    std::filesystem::remove_all(folder_);
    store_ = *RowStore::open(folder_, {});
    offsets_.emplace(*store_);
  }
  ~CommitOffsetsTest() override {
    offsets_.reset();
    store_.reset();
    std::filesystem::remove_all(folder_);
  }
  // Commits of two events each: first seqs from, from + 2 …
  void note(const std::string& ledger, int64_t from, int count) {
    for (int i = 0; i < count; ++i) offsets_->note(ledger, from + 2 * i, 1000 + from + 2 * i);
  }
  size_t write() {
    const auto rows = offsets_->next_batch();
    RowBatch batch;
    for (const auto& [key, value] : rows) batch.put(key, value);
    EXPECT_TRUE(store_->write(batch).ok());
    offsets_->written(true);
    return rows.size();
  }
  int64_t at(const std::string& ledger, int64_t first_seq) {
    const auto found = offsets_->find(ledger, first_seq);
    EXPECT_TRUE(found.ok()) << found.status();
    return found->value_or(-1);
  }

  std::filesystem::path folder_;
  std::unique_ptr<RowStore> store_;
  std::optional<CommitOffsets> offsets_;
};

TEST_F(CommitOffsetsTest, EveryCommitIsFoundAndNoOther) {
  note("990101", 1, 600);
  note("990102", 1, 1);
  EXPECT_EQ(write(), 4u);  // 256 + 256 + 88, and the other ledger's
  note("990101", 1201, 5);
  EXPECT_EQ(write(), 1u);
  for (int64_t seq = 1; seq < 1211; ++seq)
    EXPECT_EQ(at("990101", seq), seq % 2 == 1 ? 1000 + seq : -1) << seq;
  EXPECT_EQ(at("990101", 1211), -1);
  EXPECT_EQ(at("990102", 1), 1001);
  EXPECT_EQ(at("990102", 3), -1);
  EXPECT_EQ(at("990100", 1), -1);
  EXPECT_EQ(at("990103", 1), -1);
}

TEST_F(CommitOffsetsTest, AreFoundBeforeTheyAreWritten) {
  note("990101", 1, 2);
  EXPECT_EQ(at("990101", 3), 1003);
  const auto under_way = offsets_->next_batch();
  note("990101", 5, 1);
  EXPECT_EQ(at("990101", 3), 1003);
  EXPECT_EQ(at("990101", 5), 1005);
  offsets_->written(false);
  EXPECT_EQ(at("990101", 3), 1003);
  EXPECT_EQ(write(), 1u);  // the failed batch's come again
  EXPECT_EQ(at("990101", 1), 1001);
  EXPECT_EQ(at("990101", 5), 1005);
}

TEST_F(CommitOffsetsTest, ADamagedRowIsSaid) {
  note("990101", 1, 2);
  auto rows = offsets_->next_batch();
  rows[0].second.pop_back();
  RowBatch batch;
  batch.put(rows[0].first, rows[0].second);
  ASSERT_TRUE(store_->write(batch).ok());
  offsets_->written(true);
  EXPECT_EQ(offsets_->find("990101", 3).status().code(), absl::StatusCode::kDataLoss);
}

}  // namespace
}  // namespace taizhang
