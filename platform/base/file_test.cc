// The machine's file system through the seam.
#include "platform/base/file.h"

#include <gtest/gtest.h>

#include "platform/base/test_folder.h"

namespace taizhang {
namespace {

class SystemFiles : public ::testing::Test {
 protected:
  const testing::TestFolder folder_;
  const std::string& directory_ = folder_.path();
};

TEST_F(SystemFiles, ReadsBackWhatWasWrittenAndStopsAtTheEnd) {
  auto file = system_files().open(directory_ + "/a", OpenMode::kCreate);
  ASSERT_TRUE(file.ok()) << file.status();
  ASSERT_TRUE((*file)->write(3, "hello").ok());
  ASSERT_TRUE((*file)->sync().ok());
  EXPECT_EQ(*(*file)->size(), 8);
  char out[16];
  EXPECT_EQ(*(*file)->read(3, out, sizeof out), 5u);
  EXPECT_EQ(std::string(out, 5), "hello");
  EXPECT_EQ(*(*file)->read(8, out, sizeof out), 0u);
}

TEST_F(SystemFiles, SaysWhichFileIsMissing) {
  const auto file = system_files().open(directory_ + "/none", OpenMode::kRead);
  EXPECT_EQ(file.status().code(), absl::StatusCode::kNotFound);
  EXPECT_NE(file.status().ToString().find("/none"), std::string::npos);
}

TEST_F(SystemFiles, CreateRefusesAFileThatExists) {
  ASSERT_TRUE(system_files().open(directory_ + "/a", OpenMode::kCreate).ok());
  EXPECT_FALSE(system_files().open(directory_ + "/a", OpenMode::kCreate).ok());
}

TEST_F(SystemFiles, LocksADirectoryOnce) {
  auto first = system_files().lock_directory(directory_);
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_EQ(system_files().lock_directory(directory_).status().code(),
            absl::StatusCode::kFailedPrecondition);
  first->reset();
  EXPECT_TRUE(system_files().lock_directory(directory_).ok());
}

TEST_F(SystemFiles, ListsInOrderAndRenames) {
  ASSERT_TRUE(system_files().open(directory_ + "/b", OpenMode::kCreate).ok());
  ASSERT_TRUE(system_files().open(directory_ + "/a", OpenMode::kCreate).ok());
  EXPECT_EQ(*system_files().list(directory_), (std::vector<std::string>{"a", "b"}));
  ASSERT_TRUE(system_files().rename(directory_ + "/a", directory_ + "/c").ok());
  ASSERT_TRUE(system_files().sync_directory(directory_).ok());
  EXPECT_EQ(*system_files().list(directory_), (std::vector<std::string>{"b", "c"}));
}

TEST_F(SystemFiles, RefusesAFileSystemThatIsNotALocalDisk) {
  EXPECT_TRUE(system_files().check_durable_kind(directory_).ok());
  EXPECT_GT(*system_files().free_bytes(directory_), 0);
}

}  // namespace
}  // namespace taizhang
