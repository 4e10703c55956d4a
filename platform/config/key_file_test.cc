// Key files: made once, private, and a lost one is a refusal.
#include "platform/config/key_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "platform/base/clock.h"

namespace taizhang {
namespace {

std::string fresh_path(const std::string& name) {
  const auto folder = std::filesystem::path(testing::TempDir()) / ("key_file_test_" + name);
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  return folder / "fingerprint.key";
}

TEST(KeyFile, IsMadeOnceAndReadAgain) {
  const auto path = fresh_path("made");
  const auto made = load_or_make_key(path, true, system_random());
  ASSERT_TRUE(made.ok()) << made.status();
  const auto read = load_or_make_key(path, false, system_random());
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(made->bytes.size(), 32u);
  EXPECT_EQ(made->id.size(), 8u);
  EXPECT_EQ(made->bytes, read->bytes);
  EXPECT_EQ(made->id, read->id);
  struct stat facts {};
  ASSERT_EQ(stat(path.c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777, 0600u);
}

TEST(KeyFile, IsRefusedWhenLost) {
  const auto read = load_or_make_key(fresh_path("lost"), false, system_random());
  EXPECT_EQ(read.status().code(), absl::StatusCode::kFailedPrecondition);
}

TEST(KeyFile, IsRefusedWhenOthersMayReadIt) {
  const auto path = fresh_path("open");
  ASSERT_TRUE(load_or_make_key(path, true, system_random()).ok());
  ASSERT_EQ(chmod(path.c_str(), 0640), 0);
  EXPECT_EQ(load_or_make_key(path, true, system_random()).status().code(),
            absl::StatusCode::kFailedPrecondition);
}

TEST(KeyFile, IsRefusedWhenDamaged) {
  const auto path = fresh_path("damaged");
  ASSERT_TRUE(load_or_make_key(path, true, system_random()).ok());
  std::ofstream(path, std::ios::trunc) << "short\n";
  EXPECT_EQ(load_or_make_key(path, true, system_random()).status().code(),
            absl::StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace taizhang
