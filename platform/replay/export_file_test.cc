// The file of an export: whole, resumed, and whatever may have happened to it.
#include "platform/replay/export_file.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>
#include <google/protobuf/dynamic_message.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

#include "platform/base/bytes.h"
#include "platform/base/test_folder.h"
#include "platform/replay/export_frame.h"
#include "platform/replay/test_commits.h"

namespace taizhang::replay {
namespace {

using ledger::v1::ExportedCommit;
using ledger::v1::ExportHeader;
using testing::exported;
using testing::kExported;
using testing::withheld;

constexpr int kCommits = 5;

class ExportFileTest : public ::testing::Test {
 protected:
  ExportFileTest() {
    path_ = folder_.path() + "/book.events";
    header_.set_ledger(kExported);
    header_.set_program("taizhang");
  }

  std::unique_ptr<ExportWriter> open() {
    auto opened = ExportWriter::open(system_files(), path_, header_);
    EXPECT_TRUE(opened.ok()) << opened.status();
    return opened.ok() ? std::move(*opened) : nullptr;
  }

  // Commits 1 to kCommits; answers the bytes.
  std::string whole() {
    auto writer = open();
    for (int i = 1; i <= kCommits; ++i) EXPECT_TRUE(writer->add(exported(i)).ok());
    const auto finished = writer->finish();
    EXPECT_TRUE(finished.ok()) << finished.status();
    head_ = finished.ok() ? finished->head : "";
    return bytes_of_file();
  }

  std::string bytes_of_file() const {
    std::ifstream in(path_, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  void put(const std::string& bytes) const {
    std::ofstream(path_, std::ios::binary | std::ios::trunc) << bytes;
  }

  // OK, and `commits_`; or what is wrong.
  absl::Status read() {
    commits_.clear();
    auto reader = ExportReader::open(system_files(), path_);
    if (!reader.ok()) return reader.status();
    ExportedCommit commit;
    for (;;) {
      const auto next = (*reader)->next(commit);
      if (!next.ok()) return next.status();
      if (!*next) break;
      commits_.push_back(commit.SerializeAsString());
    }
    EXPECT_EQ(hex(bytes_of((*reader)->head())), head_);
    trailer_ = (*reader)->trailer();
    return absl::OkStatus();
  }

  // Where each frame begins, and the end.
  static std::vector<size_t> frames(const std::string& bytes) {
    std::vector<size_t> places;
    size_t at = kExportMagic.size();
    while (at < bytes.size()) {
      places.push_back(at);
      at += kFrameBytes + load_le<uint32_t>(bytes.data() + at);
    }
    places.push_back(at);
    return places;
  }

  const testing::TestFolder folder_;
  std::string path_;
  ExportHeader header_;
  std::string head_;
  std::vector<std::string> commits_;
  ledger::v1::ExportTrailer trailer_;
};

TEST_F(ExportFileTest, IsReadAsItWasWritten) {
  whole();
  ASSERT_TRUE(read().ok()) << read();
  ASSERT_EQ(commits_.size(), 5U);
  EXPECT_EQ(commits_[2], exported(3).SerializeAsString());
  EXPECT_EQ(trailer_.commits(), 5);
  EXPECT_EQ(trailer_.events(), 10);
  EXPECT_EQ(trailer_.first_seq(), 1);
  EXPECT_EQ(trailer_.last_seq(), 10);
  EXPECT_EQ(trailer_.withheld_events(), 0);
  EXPECT_FALSE(std::filesystem::exists(path_ + ".part"));
}

TEST_F(ExportFileTest, OfNoCommitIsWhole) {
  auto writer = open();
  const auto finished = writer->finish();
  ASSERT_TRUE(finished.ok());
  head_ = finished->head;
  EXPECT_TRUE(read().ok());
  EXPECT_EQ(trailer_.commits(), 0);
}

TEST_F(ExportFileTest, SaysWhichEventsWereWithheld) {
  auto writer = open();
  ASSERT_TRUE(writer->add(withheld(1)).ok());
  const auto finished = writer->finish();
  head_ = finished->head;
  EXPECT_EQ(finished->withheld_events, 1);
  ASSERT_TRUE(read().ok());
  EXPECT_EQ(trailer_.withheld_events(), 1);
}

// Whoever has only the file can read it: nothing of ours is linked into this pool.
TEST_F(ExportFileTest, CarriesTheSchemasOfItsEvents) {
  whole();
  auto reader = ExportReader::open(system_files(), path_);
  ASSERT_TRUE(reader.ok());
  google::protobuf::FileDescriptorSet set;
  ASSERT_TRUE(set.ParseFromString((*reader)->schemas()));
  google::protobuf::DescriptorPool pool;
  for (const auto& file : set.file())
    ASSERT_NE(pool.BuildFile(file), nullptr) << file.name() << " misses an import";
  google::protobuf::DynamicMessageFactory factory(&pool);
  ExportedCommit commit;
  ASSERT_TRUE((*reader)->next(commit).ok());
  const auto* type = pool.FindMessageTypeByName("taizhang.ledger.v1.LedgerPlaced");
  ASSERT_NE(type, nullptr);
  const std::unique_ptr<google::protobuf::Message> event(factory.GetPrototype(type)->New());
  journal::v1::Commit body;
  ASSERT_TRUE(body.ParseFromString(commit.commit()));
  ASSERT_TRUE(event->ParseFromString(body.events(0).payload()));
  EXPECT_EQ(event->GetReflection()->GetString(*event, type->FindFieldByName("ledger")), "a");
  for (const char* name :
       {"taizhang.funds.v1.FundsDisbursed", "taizhang.journal.v1.Commit",
        "taizhang.ledger.v1.ExportHeader", "taizhang.registry.v1.HouseholdRegistered"})
    EXPECT_NE(pool.FindMessageTypeByName(name), nullptr) << name;
}

TEST_F(ExportFileTest, EveryChangedByteIsFound) {
  const std::string good = whole();
  const auto places = frames(good);
  // Each byte of the commits and the trailer, and every 97th of the schemas, which are long.
  for (size_t at = 0; at < good.size(); at += at < places[1] ? 97 : 1) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 0x20);
    put(bad);
    const auto status = read();
    ASSERT_EQ(status.code(), absl::StatusCode::kDataLoss) << "byte " << at << ": " << status;
  }
  std::string bad = good;
  bad[places[3] + kFrameBytes + 2] ^= 1;
  put(bad);
  EXPECT_EQ(read().message(), "frame 3 at byte " + std::to_string(places[3]) +
                                  ": its digest does not continue the frame before: bytes were "
                                  "changed");
  EXPECT_EQ(commits_.size(), 1U);
}

TEST_F(ExportFileTest, ACutIsFoundWhereverItIs) {
  const std::string good = whole();
  const auto places = frames(good);
  for (size_t at = places[2]; at < good.size(); ++at) {
    put(good.substr(0, at));
    const auto status = read();
    ASSERT_EQ(status.code(), absl::StatusCode::kDataLoss) << "byte " << at << ": " << status;
    ASSERT_NE(status.message().find("its end is cut off"), std::string::npos) << status;
  }
  put(good.substr(0, places[4]));
  EXPECT_EQ(read().message(), "frame 4 at byte " + std::to_string(places[4]) +
                                  ": the file ends in front of it: its end is cut off");
  put(good + "x");
  EXPECT_EQ(read().code(), absl::StatusCode::kDataLoss);
}

TEST_F(ExportFileTest, MovedAndMissingFramesAreFound) {
  const std::string good = whole();
  const auto places = frames(good);
  const auto frame = [&](size_t i) { return good.substr(places[i], places[i + 1] - places[i]); };
  put(good.substr(0, places[3]) + frame(4) + frame(3) + good.substr(places[5]));
  EXPECT_EQ(read().message(), "frame 3 at byte " + std::to_string(places[3]) +
                                  ": frame 4 stands here: frames were moved, put in or taken out");
  put(good.substr(0, places[3]) + good.substr(places[4]));
  EXPECT_EQ(read().message(), "frame 3 at byte " + std::to_string(places[3]) +
                                  ": frame 4 stands here: frames were moved, put in or taken out");
  put(good.substr(0, places[4]) + frame(3) + good.substr(places[4]));
  EXPECT_EQ(read().message(), "frame 4 at byte " + std::to_string(places[4]) +
                                  ": frame 3 stands here: frames were moved, put in or taken out");
}

TEST_F(ExportFileTest, WhatIsNoExportIsSaid) {
  put("a letter");
  EXPECT_EQ(read().message(), "it does not begin like an export of events");
  std::filesystem::remove(path_);
  EXPECT_EQ(read().code(), absl::StatusCode::kNotFound);
}

TEST_F(ExportFileTest, AStoppedExportGoesOnWhereItStood) {
  const std::string good = whole();
  const std::string head = head_;
  const auto places = frames(good);
  std::filesystem::remove(path_);
  // Stopped behind a frame, in the middle of one, and before its trailer.
  for (const size_t at : {places[4], places[4] + 17, places[4] + kFrameBytes + 3, places[7]}) {
    std::ofstream(path_ + ".part", std::ios::binary) << good.substr(0, at);
    auto writer = open();
    const int64_t held = at >= places[7] ? 5 : 2;
    EXPECT_EQ(writer->last_seq(), 2 * held);
    EXPECT_EQ(writer->first_seq_of_last(), 2 * held - 1);
    EXPECT_TRUE(writer->check_last(exported(held)).ok());
    EXPECT_EQ(writer->check_last(exported(held, 9)).code(), absl::StatusCode::kFailedPrecondition);
    for (int64_t i = held + 1; i <= kCommits; ++i) ASSERT_TRUE(writer->add(exported(i)).ok());
    const auto finished = writer->finish();
    ASSERT_TRUE(finished.ok()) << finished.status();
    EXPECT_EQ(finished->head, head);
    EXPECT_EQ(bytes_of_file(), good);
    std::filesystem::remove(path_);
  }
}

TEST_F(ExportFileTest, APartOfSomethingElseIsBegunAnew) {
  const std::string good = whole();
  std::filesystem::rename(path_, path_ + ".part");
  header_.set_personal_withheld(true);
  EXPECT_EQ(open()->last_seq(), 0);
  put("");
  std::filesystem::remove(path_);
  std::ofstream(path_ + ".part", std::ios::binary) << "nothing of ours";
  EXPECT_EQ(open()->last_seq(), 0);
  header_.set_personal_withheld(false);
  std::ofstream(path_ + ".part", std::ios::binary) << good;
  auto writer = open();
  EXPECT_EQ(writer->last_seq(), 10);
  ASSERT_TRUE(writer->restart().ok());
  EXPECT_EQ(writer->last_seq(), 0);
  ASSERT_TRUE(writer->add(exported(1)).ok());
  const auto finished = writer->finish();
  ASSERT_TRUE(finished.ok());
  head_ = finished->head;
  EXPECT_TRUE(read().ok());
}

TEST_F(ExportFileTest, TakesOnlyTheCommitThatFollowsAndNoFileThatIsThere) {
  {
    auto writer = open();
    ASSERT_TRUE(writer->add(exported(1)).ok());
    EXPECT_EQ(writer->add(exported(3)).message(), "it begins with seq 5 behind seq 2");
    header_.set_ledger("990102");
    std::filesystem::remove(path_ + ".part");
    EXPECT_EQ(open()->add(exported(1)).message(), "it is of ledger 990101, not of 990102");
    EXPECT_EQ(open()->add(ExportedCommit()).code(), absl::StatusCode::kInvalidArgument);
  }
  put("mine");
  const auto opened = ExportWriter::open(system_files(), path_, header_);
  EXPECT_EQ(opened.status().code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(bytes_of_file(), "mine");
}

TEST_F(ExportFileTest, SkippedEventsStandInTheHeaderOfASecondFormat) {
  whole();
  EXPECT_EQ((*ExportReader::open(system_files(), path_))->header().format(), 1);
  std::filesystem::remove(path_);
  auto& skipped = *header_.add_skipped();
  skipped.set_view("sums");
  skipped.set_seq(4);
  skipped.set_decided_by("000001/7");
  whole();
  const auto reader = ExportReader::open(system_files(), path_);
  ASSERT_TRUE(reader.ok()) << reader.status();
  EXPECT_EQ((*reader)->header().format(), 2);
  ASSERT_EQ((*reader)->header().skipped_size(), 1);
  EXPECT_EQ((*reader)->header().skipped(0).decided_by(), "000001/7");
}

TEST_F(ExportFileTest, APartWithOtherSkippedEventsIsBegunAnew) {
  {
    auto writer = open();
    ASSERT_TRUE(writer->add(exported(1)).ok());
    ASSERT_TRUE(writer->finish().ok());
  }
  std::filesystem::rename(path_, path_ + ".part");
  EXPECT_EQ(open()->last_seq(), 2);
  header_.add_skipped()->set_seq(4);
  EXPECT_EQ(open()->last_seq(), 0);
}

}  // namespace
}  // namespace taizhang::replay
