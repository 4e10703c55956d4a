// The checkpoint's file: whole or dropped.
#include "platform/republish/checkpoint.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "platform/base/test_folder.h"

namespace taizhang::republish {
namespace {

class CheckpointTest : public ::testing::Test {
 protected:
  CheckpointTest() {
    path_ = folder_.path() + "/0.checkpoint";
    made_.partition_row = std::string("row\0with zero", 13);
    made_.ledger_rows = {{"510101", "a"}, {"510102", std::string(40, '\0')}};
    made_.journal_k = 5;
    made_.clean_offset = 9;
    made_.clean_k = 4;
    made_.clean_digest.fill(7);
  }

  std::string content() const {
    std::ifstream in(path_, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  }
  void set_content(const std::string& bytes) const {
    std::ofstream(path_, std::ios::binary | std::ios::trunc) << bytes;
  }

  const taizhang::testing::TestFolder folder_;
  std::string path_;
  Checkpoint made_;
};

TEST_F(CheckpointTest, ComesBackAsItWasSaved) {
  ASSERT_TRUE(save_checkpoint(path_, Checkpoint{}).ok());
  ASSERT_TRUE(save_checkpoint(path_, made_).ok());
  const auto loaded = load_checkpoint(path_);
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_EQ(*loaded, made_);
}

TEST_F(CheckpointTest, IsNothingWhereThereIsNone) {
  const auto loaded = load_checkpoint(path_);
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_EQ(*loaded, Checkpoint{});
}

TEST_F(CheckpointTest, IsDroppedWhenAnyByteIsDamagedOrMissing) {
  ASSERT_TRUE(save_checkpoint(path_, made_).ok());
  const std::string whole = content();
  for (size_t i = 0; i < whole.size(); ++i) {
    std::string damaged = whole;
    damaged[i] = static_cast<char>(damaged[i] ^ 0x10);
    set_content(damaged);
    const auto flipped = load_checkpoint(path_);
    ASSERT_TRUE(flipped.ok()) << flipped.status();
    ASSERT_EQ(*flipped, Checkpoint{}) << "byte " << i;
    set_content(whole.substr(0, i));
    const auto cut = load_checkpoint(path_);
    ASSERT_TRUE(cut.ok()) << cut.status();
    ASSERT_EQ(*cut, Checkpoint{}) << "cut at " << i;
  }
}

TEST_F(CheckpointTest, IsSavedOverALeftOver) {
  std::ofstream(path_ + ".making") << "half";
  ASSERT_TRUE(save_checkpoint(path_, made_).ok());
  EXPECT_EQ(*load_checkpoint(path_), made_);
}

TEST_F(CheckpointTest, SaysWhyItCannotBeSaved) {
  EXPECT_FALSE(save_checkpoint(folder_.path() + "/missing/0.checkpoint", made_).ok());
}

}  // namespace
}  // namespace taizhang::republish
