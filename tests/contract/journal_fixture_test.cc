// A journal of format 1, written once and kept for ever: whoever changes a stored byte fails here.
//
// fixtures/journal-v1 holds the segment files, expected.txt what reads back (one line a record,
// hexadecimal) and head.txt the head after the last. To make it (once a format):
// TAIZHANG_WRITE_FIXTURE=<empty directory> contract_test --gtest_also_run_disabled_tests
//     --gtest_filter=JournalFixture.DISABLED_*
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "platform/journal/fold.h"
#include "platform/journal/segments/segment_log.h"
#include "platform/journal/testing/history.h"
#include "platform/journal/testing/simulated_disk.h"

namespace taizhang::journal {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kFixtureSegmentBytes = 12 * 1024;

std::vector<std::string> fixture_records() {
  testing::History history;
  std::vector<std::string> records = history.begin();
  for (int i = 1; i <= 12; ++i)
    records.push_back(history.commit("510101", 1 + i % 3, static_cast<size_t>(100 * i)));
  records.push_back(history.settle("510101"));
  records.push_back(history.barrier());
  records.push_back(history.mark());
  records.push_back(history.release());
  records.push_back(history.claim(2));
  records.push_back("a record of somebody else");
  records.push_back(history.close("510101", 1));
  records.push_back(history.open("510101", 2, 40));
  records.push_back(history.commit("510101"));
  return records;
}

std::string read_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

segments::SegmentOptions options_on(testing::SimulatedDisk& disk, testing::SeededRandom& random) {
  segments::SegmentOptions options;
  options.directory = "/journal";
  options.segment_bytes = kFixtureSegmentBytes;
  options.files = &disk;
  options.random = &random;
  options.threads = false;
  return options;
}

// The image this program makes of the fixture's records today.
testing::SimulatedDisk::Image write_fixture() {
  testing::SimulatedDisk disk(1);
  testing::SeededRandom random(20'260'101);
  auto log = segments::SegmentLog::open(options_on(disk, random));
  EXPECT_TRUE(log.ok()) << log.status();
  uint64_t tag = 0;
  for (const std::string& record : fixture_records()) {
    EXPECT_TRUE((*log)->produce(record, ++tag).ok());
    if (tag % 3 == 0) (*log)->flush(true);
  }
  (*log)->close();
  return disk.image();
}

testing::SimulatedDisk::Image stored_fixture() {
  testing::SimulatedDisk::Image image;
  for (const auto& entry : fs::directory_iterator(fs::path(TAIZHANG_FIXTURES) / "journal-v1")) {
    if (entry.path().extension() == ".segment") {
      image["/journal/" + entry.path().filename().string()] = read_file(entry.path());
    }
  }
  return image;
}

// No test but the maker of a new format's fixture.
TEST(JournalFixture, DISABLED_IsWritten) {
  const char* directory = getenv("TAIZHANG_WRITE_FIXTURE");
  ASSERT_NE(directory, nullptr) << "TAIZHANG_WRITE_FIXTURE names no directory";
  ASSERT_TRUE(fs::is_empty(directory)) << directory;
  for (const auto& [path, content] : write_fixture()) {
    std::ofstream(fs::path(directory) / fs::path(path).filename(), std::ios::binary) << content;
  }
  std::ofstream expected(fs::path(directory) / "expected.txt");
  Fold fold(0);
  for (const std::string& record : fixture_records()) {
    expected << hex(record) << '\n';
    ASSERT_TRUE(fold.apply(fold.offset(), record).ok());
  }
  std::ofstream(fs::path(directory) / "head.txt") << hex(bytes_of(fold.head()));
  EXPECT_EQ(read_file(fs::path(directory) / "head.txt"), hex(bytes_of(fold.head())));
}

TEST(JournalFixture, ReadsBackByteForByte) {
  testing::SimulatedDisk disk(1);
  disk.load(stored_fixture());
  testing::SeededRandom random(1);
  const auto verified = segments::verify(disk, "/journal");
  ASSERT_TRUE(verified.ok()) << verified.status();
  auto log = segments::SegmentLog::open(options_on(disk, random));
  ASSERT_TRUE(log.ok()) << log.status();
  EXPECT_FALSE((*log)->recovery().cut);
  std::string read;
  Fold fold(0);
  const auto cursor = (*log)->read(0);
  while (true) {
    const auto record = cursor->next();
    ASSERT_TRUE(record.ok()) << record.status();
    if (!*record) break;
    read += hex((*record)->bytes) + "\n";
    ASSERT_TRUE(fold.apply((*record)->offset, (*record)->bytes).ok());
  }
  EXPECT_EQ(read, read_file(fs::path(TAIZHANG_FIXTURES) / "journal-v1" / "expected.txt"));
  EXPECT_EQ(verified->records, (*log)->end());
  // The rule's verdicts, as they were when it was written.
  EXPECT_EQ(fold.valid_count(), 23);
  EXPECT_EQ(fold.foreign_count(), 1);
  EXPECT_EQ(fold.void_count(), 0);
  EXPECT_EQ(fold.epoch(), 2u);
  EXPECT_EQ(fold.ledger("510101")->next_seq, 41);
  EXPECT_EQ(hex(bytes_of(fold.head())),
            read_file(fs::path(TAIZHANG_FIXTURES) / "journal-v1" / "head.txt"));
}

TEST(JournalFixture, IsWhatThisProgramStillWrites) {
  const auto stored = stored_fixture();
  const auto written = write_fixture();
  ASSERT_EQ(stored.size(), written.size());
  for (const auto& [path, content] : stored) EXPECT_TRUE(written.at(path) == content) << path;
}

}  // namespace
}  // namespace taizhang::journal
