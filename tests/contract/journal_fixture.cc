// Makes the fixture's records and writes them to a disk in memory.
#include "tests/contract/journal_fixture.h"

#include <filesystem>
#include <vector>

#include "platform/journal/fold.h"

namespace taizhang::journal {
namespace {

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

}  // namespace

segments::SegmentOptions fixture_options(testing::SimulatedDisk& disk,
                                         testing::SeededRandom& random) {
  segments::SegmentOptions options;
  options.directory = kFixtureDirectory;
  options.segment_bytes = kFixtureSegmentBytes;
  options.files = &disk;
  options.random = &random;
  options.threads = false;
  return options;
}

absl::StatusOr<std::map<std::string, std::string>> made_fixture() {
  testing::SimulatedDisk disk(1);
  testing::SeededRandom random(20'260'101);
  auto log = segments::SegmentLog::open(fixture_options(disk, random));
  if (!log.ok()) return log.status();
  std::map<std::string, std::string> files;
  Fold fold(0);
  uint64_t tag = 0;
  for (const std::string& record : fixture_records()) {
    if (const auto produced = (*log)->produce(record, ++tag); !produced.ok()) return produced;
    if (tag % 3 == 0) (*log)->flush(true);
    files["expected.txt"] += hex(record) + "\n";
    if (const auto folded = fold.apply(fold.offset(), record); !folded.ok()) return folded.status();
  }
  (*log)->close();
  files["head.txt"] = hex(bytes_of(fold.head()));
  for (auto& [path, content] : disk.image())
    files[std::filesystem::path(path).filename().string()] = content;
  return files;
}

}  // namespace taizhang::journal
