// A store that is built from many runs.
#include "platform/projection/store.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <limits>

#include "platform/projection/run_merger.h"

namespace taizhang::projection {
namespace {

class StoreTest : public ::testing::Test {
 protected:
  StoreTest() {
    std::string pattern =
        (std::filesystem::temp_directory_path() / "taizhang-store-XXXXXX").string();
    directory_ = mkdtemp(pattern.data());
    open();
  }
  ~StoreTest() override {
    store_.reset();
    std::filesystem::remove_all(directory_);
  }

  void open() {
    store_.reset();
    auto opened = Store::open(directory_, make_store_resources(8 << 20, 8 << 20));
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
  void add_run(int64_t number) {
    Puts puts;
    puts.add(store_key::meta("place"), std::to_string(number));
    puts.add(version_key("all", number), std::to_string(number));
    puts.add(version_key("own" + std::to_string(number), number), std::to_string(number));
    const auto added = store_->ingest(sorted({&puts}));
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
    for (const auto& entry : std::filesystem::directory_iterator(directory_))
      count += entry.path().extension() == ".sst";
    return count;
  }

  std::string directory_;
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

}  // namespace
}  // namespace taizhang::projection
