// A store that is built from many runs.
#include "platform/projection/store.h"

#include <gtest/gtest.h>
#include <sys/mount.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <limits>
#include <random>
#include <thread>

#include "platform/base/test_folder.h"
#include "platform/projection/run_merger.h"

namespace taizhang::projection {
namespace {

class StoreTest : public ::testing::Test {
 protected:
  StoreTest() { open(); }
  ~StoreTest() override {
    store_.reset();
    if (!disk_.empty()) umount(disk_.c_str());
  }

  void open() {
    store_.reset();
    auto opened = Store::open(folder_.path(), make_store_resources(8 << 20, 8 << 20));
    ASSERT_TRUE(opened.ok()) << opened.status();
    store_ = *opened;
  }

  static std::string version_key(const std::string& row, int64_t seq) {
    std::string key = store_key::row("990101", "t", row);
    store_key::append_version(key, seq);
    return key;
  }

  // A run as a build makes them: a version of a row that all runs have, one of a row of its own,
  // and a place that each overwrites.
  // `bytes` more that cannot be compressed.
  absl::Status try_run(int64_t number, size_t bytes = 0) {
    Puts puts;
    puts.add(store_key::meta("place"), std::to_string(number));
    puts.add(version_key("all", number), std::to_string(number));
    puts.add(version_key("own" + std::to_string(number), number), std::to_string(number));
    std::string load(bytes, '\0');
    for (char& c : load) c = static_cast<char>(random_());
    puts.add(version_key("load", number), load);
    return store_->ingest(sorted({&puts}));
  }
  void add_run(int64_t number) {
    const auto added = try_run(number);
    ASSERT_TRUE(added.ok()) << added;
  }

  // Newest first.
  std::vector<std::string> versions(const std::string& row) {
    const auto cursor = store_->cursor(CursorKind::kVersions);
    std::vector<std::string> values;
    for (cursor->seek(version_key(row, std::numeric_limits<int64_t>::max())); cursor->valid();
         cursor->next())
      values.emplace_back(cursor->value());
    EXPECT_TRUE(cursor->status().ok()) << cursor->status();
    return values;
  }

  void expect_runs(int64_t count) {
    const auto place = store_->get(store_key::meta("place"));
    ASSERT_TRUE(place.ok() && *place);
    EXPECT_EQ(**place, std::to_string(count));
    std::vector<std::string> all;
    for (int64_t number = count; number > 0; --number) all.push_back(std::to_string(number));
    EXPECT_EQ(versions("all"), all);
    for (int64_t number = 1; number <= count; ++number) {
      EXPECT_EQ(versions("own" + std::to_string(number)),
                std::vector<std::string>{std::to_string(number)});
    }
  }

  size_t files() const {
    size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder_.path()))
      count += entry.path().extension() == ".sst";
    return count;
  }

  const testing::TestFolder folder_;
  std::string disk_;  // mounted in it; empty: none
  std::mt19937 random_{1};
  std::shared_ptr<Store> store_;
};

constexpr int64_t kRuns = 3 * static_cast<int64_t>(RunMerger::kRunsMax) + 10;

TEST_F(StoreTest, TheRunsOfABuildAreMergedAsTheyBecomeMany) {
  ASSERT_TRUE(store_->set_building(true).ok());
  for (int64_t number = 1; number <= kRuns; ++number) {
    add_run(number);
    // Those that wait, with those under way, what came from merges, and a few.
    EXPECT_LE(files(), 2 * RunMerger::kRunsMax + 10) << number;
  }
  expect_runs(kRuns);
  ASSERT_TRUE(store_->set_building(false).ok());
  store_->settle();
  open();  // files that were merged are gone then
  EXPECT_LE(files(), 4u);
  expect_runs(kRuns);
}

TEST_F(StoreTest, ABuildGoesOnAfterARestart) {
  constexpr auto kBefore = static_cast<int64_t>(RunMerger::kRunsMax) + 1;
  ASSERT_TRUE(store_->set_building(true).ok());
  for (int64_t number = 1; number <= kBefore; ++number) add_run(number);
  open();  // perhaps in the middle of a merge
  expect_runs(kBefore);
  ASSERT_TRUE(store_->set_building(true).ok());
  for (int64_t number = kBefore + 1; number <= kRuns; ++number) add_run(number);
  expect_runs(kRuns);
  ASSERT_TRUE(store_->set_building(false).ok());
  store_->settle();
  expect_runs(kRuns);
}

// What the disk has not room for is merged when it has.
TEST_F(StoreTest, ABuildWhoseMergeFillsTheDiskGoesOnWhenThereIsRoom) {
  constexpr int64_t kDiskBytes = 128 << 20;
  constexpr size_t kLoadBytes = 64 << 10;
  // The runs until the first merge fit, with what a file costs beside its rows, and what comes of
  // the merge does not.
  constexpr int64_t kBallastBytes =
      kDiskBytes - static_cast<int64_t>(RunMerger::kRunsMax * 2 * kLoadBytes);
  store_.reset();
  const std::string disk = folder_.path() + "/disk";
  std::filesystem::create_directory(disk);
  const std::string size = "size=" + std::to_string(kDiskBytes);
  if (mount("none", disk.c_str(), "tmpfs", 0, size.c_str()) != 0)
    GTEST_SKIP() << "FULL DISKS ARE NOT TESTED HERE: no tmpfs may be mounted";
  disk_ = disk;
  const std::string ballast = disk + "/ballast";
  std::ofstream(ballast) << std::string(static_cast<size_t>(kBallastBytes), 'x');
  auto opened = Store::open(disk + "/files", make_store_resources(8 << 20, 8 << 20));
  ASSERT_TRUE(opened.ok()) << opened.status();
  store_ = std::move(*opened);
  ASSERT_TRUE(store_->set_building(true).ok());
  int64_t refused = 0;
  for (int64_t number = 1; number <= kRuns;) {
    const auto added = try_run(number, kLoadBytes);
    if (added.ok()) {
      ++number;
      continue;
    }
    ASSERT_EQ(added.code(), absl::StatusCode::kResourceExhausted) << added;
    EXPECT_GE(number, static_cast<int64_t>(RunMerger::kRunsMax));
    // A few times without room, then with it.
    if (++refused == 3) std::filesystem::remove(ballast);
    ASSERT_LT(refused, 1'000) << added;
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    (void)store_->resume();
  }
  EXPECT_GE(refused, 3);
  expect_runs(kRuns);
  ASSERT_TRUE(store_->set_building(false).ok());
  store_->settle();
  expect_runs(kRuns);
}

}  // namespace
}  // namespace taizhang::projection
