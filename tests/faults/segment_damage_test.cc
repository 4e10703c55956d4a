// Damage of every kind at every byte: an acknowledged record below a durable mark that survives is
// never cut, and what is read is never wrong.
//
// The judge knows the undamaged files. It works out by itself which frames survived, hence which
// mark did, and compares with what the engine does: a start that keeps all below the mark, or a
// refusal that names the place of real damage.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/faults/segment_journal.h"

namespace taizhang::journal {
namespace {

using segments::Frame;
using segments::FrameFault;
using segments::SegmentHeader;
using testing::SeededRandom;
using testing::SimulatedDisk;

struct KnownFrame {
  std::string path;
  int64_t at = 0;
  int64_t bytes = 0;
  int64_t position = 0;
  int64_t durable_upto = 0;
  bool record = false;
};

// An undamaged journal and everything that is true of it.
struct Known {
  SimulatedDisk::Image image;
  std::vector<std::string> records;
  std::vector<KnownFrame> frames;
  std::vector<KnownFrame> footers;
  std::vector<SegmentHeader> headers;

  std::string path(size_t segment) const {
    return std::string(kDirectory) + "/" + segments::segment_name(segment + 1);
  }
};

Known examine_image(const SimulatedDisk::Image& image, std::vector<std::string> records) {
  Known known{
      .image = image, .records = std::move(records), .frames = {}, .footers = {}, .headers = {}};
  for (const auto& [path, content] : image) {
    const auto header = segments::decode_segment_header(content);
    EXPECT_TRUE(header.ok()) << header.status();
    known.headers.push_back(*header);
    Frame frame;
    for (int64_t at = segments::kFramesAt;
         segments::decode_frame(*header, header->seed(), content, 0, at, frame) ==
         FrameFault::kNone;
         at += frame.bytes) {
      known.frames.push_back({path, at, frame.bytes, header->base + at, frame.durable_upto,
                              frame.type == segments::FrameType::kRecord});
    }
    const int64_t footer_at = header->frames_end();
    if (segments::decode_footer(*header,
                                std::string_view(content).substr(static_cast<size_t>(footer_at)))) {
      known.footers.push_back({path, footer_at, segments::kFooterBytes, header->base + footer_at,
                               header->end(), false});
    }
  }
  return known;
}

// `groups` groups of one to four records, all acknowledged; a mark at the end if asked for.
Known write_journal(uint64_t seed, int groups, bool mark) {
  SimulatedDisk disk(seed);
  SmallJournal journal(disk, seed);
  EXPECT_TRUE(journal.open().ok());
  SeededRandom random(seed);
  std::vector<std::string> records;
  for (int group = 0; group < groups; ++group) {
    for (uint64_t i = 0; i <= random.below(4); ++i) {
      records.push_back(random.bytes(1 + random.below(150)));
      EXPECT_TRUE(journal.append(records.back()).ok());
    }
    journal.log().flush(true);
  }
  if (mark) journal.log().write_mark();
  EXPECT_EQ(journal.acknowledged, static_cast<int64_t>(records.size()));
  return examine_image(disk.image(), std::move(records));
}

bool survives(const KnownFrame& frame, const Known& known, const SimulatedDisk::Image& damaged) {
  const auto at = damaged.find(frame.path);
  const auto begin = static_cast<size_t>(frame.at);
  const auto bytes = static_cast<size_t>(frame.bytes);
  return at != damaged.end() && at->second.size() >= begin + bytes &&
         at->second.compare(begin, bytes, known.image.at(frame.path), begin, bytes) == 0;
}

// Everything below this was synced, says something that is still on the disk.
int64_t surviving_mark(const Known& known, const SimulatedDisk::Image& damaged) {
  int64_t mark = 0;
  for (const auto& list : {known.frames, known.footers}) {
    for (const KnownFrame& frame : list) {
      if (survives(frame, known, damaged)) mark = std::max(mark, frame.durable_upto);
    }
  }
  return mark;
}

struct Outcome {
  int kept_all = 0;
  int cut = 0;
  int refused = 0;
};

void judge(const Known& known, const SimulatedDisk::Image& damaged, const std::string& what,
           Outcome& outcome) {
  SCOPED_TRACE(what);
  SimulatedDisk disk(1);
  disk.load(damaged);
  SmallJournal journal(disk, 99);
  const int64_t mark = surviving_mark(known, damaged);
  size_t promised = 0;  // records that lie below the mark
  for (const KnownFrame& frame : known.frames)
    promised += frame.record && frame.position + frame.bytes <= mark;

  const absl::Status status = journal.open();
  if (!status.ok()) {
    ++outcome.refused;
    ASSERT_EQ(status.code(), absl::StatusCode::kDataLoss) << status;
    ASSERT_NE(status.ToString().find(kDirectory), std::string::npos)
        << "names the file: " << status;
    ASSERT_NE(damaged, known.image);
    ASSERT_TRUE(disk.image() == damaged) << "a refused start must leave the evidence alone";
    return;
  }
  const auto read = journal.read_all();
  if (!read.ok()) {
    // Damage in an old segment is found when it is read; in the last two that hold anything the
    // start finds it.
    ++outcome.refused;
    std::vector<std::string> holders;
    for (const KnownFrame& frame : known.frames) {
      if (holders.empty() || holders.back() != frame.path) holders.push_back(frame.path);
    }
    for (size_t i = holders.size() - std::min<size_t>(2, holders.size()); i < holders.size(); ++i) {
      ASSERT_TRUE(damaged.at(holders[i]) == known.image.at(holders[i]))
          << "the start accepted damaged " << holders[i];
    }
    ASSERT_EQ(read.status().code(), absl::StatusCode::kDataLoss) << read.status();
    for (const char* part : {"file ", "position ", "seq "}) {
      ASSERT_NE(read.status().ToString().find(part), std::string::npos) << read.status();
    }
    return;
  }
  ASSERT_TRUE(is_prefix(*read, known.records)) << "a wrong answer";
  ASSERT_GE(read->size(), promised) << "a record below the surviving mark " << mark << " was cut";
  ++(read->size() == known.records.size() ? outcome.kept_all : outcome.cut);

  // What was decided holds: the next process reads the same, and new records follow.
  ASSERT_TRUE(journal.append("new").ok());
  journal.log().flush(true);
  journal.drop();
  ASSERT_TRUE(journal.open().ok());
  auto expected = *read;
  expected.emplace_back("new");
  ASSERT_EQ(*journal.read_all(), expected);
}

// The places of the last two groups, and everything else in their sectors.
struct Region {
  std::string path;
  int64_t from = 0;
  int64_t to = 0;
};

std::vector<Region> last_two_groups(const Known& known) {
  // Frames of one group have the same durable_upto.
  std::vector<int64_t> marks;
  std::vector<Region> regions;
  for (auto frame = known.frames.rbegin(); frame != known.frames.rend(); ++frame) {
    if (std::find(marks.begin(), marks.end(), frame->durable_upto) == marks.end()) {
      if (marks.size() == 2) break;
      marks.push_back(frame->durable_upto);
    }
    if (regions.empty() || regions.back().path != frame->path) {
      regions.push_back({frame->path, frame->at, frame->at + frame->bytes});
    }
    regions.back().from = frame->at;
  }
  return regions;
}

class LastTwoGroups : public ::testing::TestWithParam<std::tuple<int, bool>> {
 protected:
  LastTwoGroups() : known_(write_journal(17, std::get<0>(GetParam()), std::get<1>(GetParam()))) {}

  template <typename Damage>
  Outcome at_every_byte(const char* what, Damage damage) {
    Outcome outcome;
    for (const Region& region : last_two_groups(known_)) {
      for (int64_t at = region.from; at < region.to; ++at) {
        auto image = known_.image;
        damage(image.at(region.path), static_cast<size_t>(at), static_cast<size_t>(region.to));
        judge(known_, image, std::string(what) + " at " + region.path + ":" + std::to_string(at),
              outcome);
        if (HasFatalFailure()) return outcome;
      }
    }
    EXPECT_GT(outcome.kept_all + outcome.cut + outcome.refused, 0);
    return outcome;
  }

  Known known_;
};

TEST_P(LastTwoGroups, FlippedAtEveryByte) {
  SeededRandom random(5);
  at_every_byte("flipped", [&](std::string& file, size_t at, size_t) {
    file[at] = static_cast<char>(file[at] ^ (1 << random.below(8)));
  });
}

TEST_P(LastTwoGroups, ZeroedFromEveryByte) {
  at_every_byte("zeroed", [](std::string& file, size_t at, size_t to) {
    std::fill(file.begin() + static_cast<int64_t>(at), file.begin() + static_cast<int64_t>(to),
              '\0');
  });
}

TEST_P(LastTwoGroups, OneSectorZeroedAtEveryByte) {
  at_every_byte("sector zeroed", [](std::string& file, size_t at, size_t to) {
    const size_t end =
        std::min(to, at / testing::kSectorBytes * testing::kSectorBytes + testing::kSectorBytes);
    std::fill(file.begin() + static_cast<int64_t>(at), file.begin() + static_cast<int64_t>(end),
              '\0');
  });
}

TEST_P(LastTwoGroups, TornAtEveryByte) {
  SeededRandom random(6);
  at_every_byte("torn", [&](std::string& file, size_t at, size_t to) {
    file.replace(at, to - at, random.bytes(to - at));
  });
}

TEST_P(LastTwoGroups, CutOffAtEveryByte) {
  const Outcome outcome =
      at_every_byte("cut off", [](std::string& file, size_t at, size_t) { file.resize(at); });
  EXPECT_EQ(outcome.kept_all + outcome.cut, 0)
      << "a short file is always damage: segments are made whole";
}

INSTANTIATE_TEST_SUITE_P(
    Journals, LastTwoGroups,
    // Few groups in one segment; many segments; just behind a seal; with and without a last mark.
    ::testing::Combine(::testing::Values(3, 14, 15, 16, 17, 40), ::testing::Bool()),
    [](const auto& each) {
      return std::to_string(std::get<0>(each.param)) + "Groups" +
             (std::get<1>(each.param) ? "Marked" : "");
    });

TEST(SegmentDamage, FlipsAnywhereAreNeverAWrongAnswer) {
  const Known known = write_journal(23, 60, true);
  ASSERT_GT(known.headers.size(), 3u);
  Outcome outcome;
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    SeededRandom random(seed);
    auto image = known.image;
    const size_t segment = random.below(image.size());
    std::string& file = image.at(known.path(segment));
    const size_t at = random.below(file.size());
    file[at] = static_cast<char>(file[at] ^ (1 << random.below(8)));
    judge(known, image,
          "seed " + std::to_string(seed) + ": " + known.path(segment) + ":" + std::to_string(at),
          outcome);
    if (::testing::Test::HasFatalFailure()) return;
  }
  EXPECT_GT(outcome.kept_all, 0);
  EXPECT_GT(outcome.refused, 20);
  EXPECT_EQ(outcome.cut, 0) << "with a last mark nothing acknowledged lies above it";
}

TEST(SegmentDamage, EveryByteOfEveryHeaderAndFooterCounts) {
  const Known known = write_journal(29, 60, true);
  Outcome outcome;
  for (size_t segment = 0; segment < known.headers.size(); ++segment) {
    for (int64_t at = 0; at < 72; ++at) {
      auto image = known.image;
      image.at(known.path(segment))[static_cast<size_t>(at)] ^= 4;
      judge(known, image, "header of " + known.path(segment) + ":" + std::to_string(at), outcome);
      if (::testing::Test::HasFatalFailure()) return;
    }
  }
  EXPECT_EQ(outcome.kept_all + outcome.cut, 0);
  Outcome footers;
  for (const KnownFrame& footer : known.footers) {
    for (int64_t at = 0; at < footer.bytes; ++at) {
      auto image = known.image;
      image.at(footer.path)[static_cast<size_t>(footer.at + at)] ^= 4;
      judge(known, image, "footer of " + footer.path + ":" + std::to_string(at), footers);
      if (::testing::Test::HasFatalFailure()) return;
    }
  }
  EXPECT_EQ(footers.kept_all + footers.cut, 0)
      << "each of them lies below a segment that holds frames";
}

TEST(SegmentDamage, AMissingFileRefusesTheStart) {
  const Known known = write_journal(31, 60, true);
  for (size_t segment = 0; segment + 1 < known.headers.size(); ++segment) {
    auto image = known.image;
    image.erase(known.path(segment));
    SimulatedDisk disk(1);
    disk.load(image);
    const absl::Status status = SmallJournal(disk).open();
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
    EXPECT_NE(status.ToString().find(known.path(segment)), std::string::npos) << status;
  }
}

TEST(SegmentDamage, ASegmentOfAnotherJournalInItsPlaceRefusesTheStart) {
  const Known known = write_journal(31, 60, true);
  const Known other = write_journal(37, 60, true);
  auto image = known.image;
  image.at(known.path(1)) = other.image.at(other.path(1));
  Outcome outcome;
  judge(known, image, "swapped", outcome);
  EXPECT_EQ(outcome.refused, 1);
}

TEST(SegmentDamage, AMarkBeyondItsOwnFrameIsDamage) {
  // A frame that is whole but claims a sync of what comes after it would make any later damage look
  // refused for ever.
  SegmentHeader header;
  header.id = 1;
  header.bytes = kSmallSegmentBytes;
  std::string bytes(segments::kFramesAt, '\0');
  segments::begin_frame(bytes, header.seed(), segments::FrameType::kMark, segments::kFramesAt, 0,
                        "");
  segments::finish_frame(bytes.data() + segments::kFramesAt, segments::kFramesAt + 1);
  bytes.resize(kSmallSegmentBytes, '\0');
  Frame frame;
  EXPECT_EQ(segments::decode_frame(header, header.seed(), bytes, 0, segments::kFramesAt, frame),
            FrameFault::kDamaged);
}

TEST(SegmentDamage, WhatFlippedInAnEmptySegmentIsGoneBeforeItIsUsed) {
  SimulatedDisk disk(1);
  SmallJournal journal(disk);
  ASSERT_TRUE(journal.open().ok());
  ASSERT_TRUE(journal.append("one").ok());
  journal.log().flush(true);
  journal.log().maintain();
  journal.drop();
  const auto image = disk.image();
  ASSERT_EQ(image.size(), 2u);
  const std::string ahead = image.rbegin()->first;
  auto damaged = image;
  damaged.at(ahead)[segments::kFramesAt + 100] = 'x';
  disk.load(damaged);
  ASSERT_TRUE(journal.open().ok());
  journal.log().maintain();
  EXPECT_TRUE(disk.image().at(ahead) == image.at(ahead));
}

TEST(SegmentDamage, VerifyFindsEachFlipThatMatters) {
  const Known known = write_journal(41, 60, true);
  {
    SimulatedDisk disk(1);
    disk.load(known.image);
    const auto report = segments::verify(disk, kDirectory);
    ASSERT_TRUE(report.ok()) << report.status();
    EXPECT_EQ(report->records, static_cast<int64_t>(known.records.size()));
  }
  for (const auto& list : {known.frames, known.footers}) {
    for (size_t i = 0; i + 1 < list.size(); ++i) {  // the last mark's own loss takes nothing away
      auto image = known.image;
      image.at(list[i].path)[static_cast<size_t>(list[i].at + list[i].bytes / 2)] ^= 1;
      SimulatedDisk disk(1);
      disk.load(image);
      EXPECT_EQ(segments::verify(disk, kDirectory).status().code(), absl::StatusCode::kDataLoss)
          << list[i].position;
    }
  }
}

}  // namespace
}  // namespace taizhang::journal
