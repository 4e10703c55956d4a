// A journal of format 1, written once and kept for ever: whoever changes a stored byte fails here.
//
// fixtures/journal-v1 holds the segment files, expected.txt what reads back (one line a record,
// hexadecimal) and head.txt the head after the last. To make it (once a format):
// make_journal_fixture FOLDER (make_journal_fixture.cc).
#include "tests/contract/journal_fixture.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "platform/journal/fold.h"

namespace taizhang::journal {
namespace {

namespace fs = std::filesystem;

std::string read_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

std::map<std::string, std::string> stored_fixture() {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::directory_iterator(fs::path(TAIZHANG_FIXTURES) / "journal-v1"))
    files[entry.path().filename().string()] = read_file(entry.path());
  return files;
}

TEST(JournalFixture, ReadsBackByteForByte) {
  const auto stored = stored_fixture();
  testing::SimulatedDisk::Image image;
  for (const auto& [name, content] : stored) {
    if (name.ends_with(".segment")) image[std::string(kFixtureDirectory) + "/" + name] = content;
  }
  testing::SimulatedDisk disk(1);
  disk.load(image);
  testing::SeededRandom random(1);
  const auto verified = segments::verify(disk, kFixtureDirectory);
  ASSERT_TRUE(verified.ok()) << verified.status();
  auto log = segments::SegmentLog::open(fixture_options(disk, random));
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
  EXPECT_EQ(read, stored.at("expected.txt"));
  EXPECT_EQ(verified->records, (*log)->end());
  // The rule's verdicts, as they were when it was written.
  EXPECT_EQ(fold.valid_count(), 23);
  EXPECT_EQ(fold.foreign_count(), 1);
  EXPECT_EQ(fold.void_count(), 0);
  EXPECT_EQ(fold.epoch(), 2u);
  EXPECT_EQ(fold.ledger("510101")->next_seq, 41);
  EXPECT_EQ(hex(bytes_of(fold.head())), stored.at("head.txt"));
}

TEST(JournalFixture, IsWhatThisProgramStillWrites) {
  const auto stored = stored_fixture();
  const auto written = made_fixture();
  ASSERT_TRUE(written.ok()) << written.status();
  ASSERT_EQ(stored.size(), written->size());
  for (const auto& [name, content] : stored) EXPECT_TRUE(written->at(name) == content) << name;
}

}  // namespace
}  // namespace taizhang::journal
