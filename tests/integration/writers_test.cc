// All writers of a process, and two processes on one journal: exactly one decides.
#include "platform/writer/writers.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <set>

#include "platform/state/row_store.h"
#include "tests/integration/process.h"
#include "tests/integration/simple_commands.h"

namespace taizhang {
namespace {

using test::Cluster;
using test::kBeatUs;
using test::kCreateRegion;
using test::kOpen;
using test::kSilentBeats;
using test::Process;

constexpr int kPartitions = 3;

constexpr std::chrono::milliseconds kSoon = std::chrono::seconds(120);
constexpr std::chrono::milliseconds kLongerThanDetection =
    std::chrono::milliseconds(kBeatUs * kSilentBeats / 1'000 + 400);

class WritersTest : public testing::Test {
 protected:
  WritersTest()
      : folder_(std::filesystem::temp_directory_path() /
                ("writers_test." + std::to_string(getpid()))) {
    std::filesystem::remove_all(folder_);
  }
  ~WritersTest() override { std::filesystem::remove_all(folder_); }

  static std::string ledger(int i) { return std::to_string(990'101 + i); }
  std::unique_ptr<Process> process(const std::string& address, bool takeover = false) {
    auto made = std::make_unique<Process>(cluster_, folder_, address, takeover);
    EXPECT_TRUE(made->started.ok()) << made->started;
    return made;
  }
  void open_ledgers(Process& process, int count) {
    for (int i = 0; i < count; ++i) {
      ASSERT_EQ(process.reason(kOpen, test::open_ledger(ledger(i), i + 1, "n")), "accepted");
    }
  }
  void create_regions(Process& process, int ledgers, int from, int to) {
    for (int i = from; i < to; ++i) {
      const std::string code = ledger(i % ledgers);
      const std::string number = std::to_string(i + 1);
      const std::string region = code + std::string(3 - number.size(), '0') + number;
      if (i < ledgers) {
        ASSERT_EQ(
            process.reason(kCreateRegion, test::create_region(code, 1'000'000 + i, code, "c")),
            "accepted");
      }
      ASSERT_EQ(process.reason(kCreateRegion, test::create_region(code, 100'000 + i, region, "r")),
                "accepted");
    }
  }

  std::filesystem::path folder_;
  Cluster cluster_{kPartitions};
};

TEST_F(WritersTest, LedgersSpreadOverThePartitionsAndAllAnswer) {
  const auto one = process("a");
  ASSERT_TRUE(one->leads_within(kSoon));
  open_ledgers(*one, 7);
  create_regions(*one, 7, 0, 21);
  std::vector<int64_t> ends;
  for (const auto& topic : cluster_.topics) ends.push_back(topic->end());
  // Two or three ledgers each, with three regions each.
  for (const int64_t end : ends) EXPECT_GE(end, 2 * 4);
  EXPECT_EQ(one->reason(kOpen, test::open_ledger(ledger(3), 77, "n")), "accepted");
  EXPECT_EQ(one->reason(kOpen, test::open_ledger(ledger(3), 78, "other")), "LEDGER_EXISTS");
  EXPECT_EQ(one->reason(kCreateRegion, test::create_region("990199", 5, "990199", "x")),
            "LEDGER_NOT_FOUND");
}

TEST_F(WritersTest, ARestartFindsItsOwnClaimsAndWaitsForNobody) {
  auto one = process("a");
  ASSERT_TRUE(one->leads_within(kSoon));
  open_ledgers(*one, 4);
  // Dies without releasing: muted for ever, its claims stand.
  one->channel.muted = true;
  for (const auto& standing : one->writers->standings()) ASSERT_TRUE(standing.leading);
  std::filesystem::create_directories(folder_ / "b");
  for (int p = 0; p < kPartitions; ++p) {
    const std::string file = std::to_string(p) + ".claim";
    std::filesystem::copy(folder_ / "a" / file, folder_ / "b" / file);
  }
  // The same folder, as far as claims go.
  cluster_.heartbeats.cut(true);
  const auto again = process("b");
  EXPECT_TRUE(again->leads_within(kSoon));
  create_regions(*again, 4, 0, 4);
}

TEST_F(WritersTest, TheSecondStandsByAndFollowsARelease) {
  auto one = process("a");
  ASSERT_TRUE(one->leads_within(kSoon));
  open_ledgers(*one, 5);
  const auto two = process("b");
  EXPECT_FALSE(two->leads_within(kLongerThanDetection));
  const Answer answer =
      two->ask(kCreateRegion, test::create_region(ledger(0), 500, ledger(0), "c"));
  const auto* error = std::get_if<Error>(&answer);
  ASSERT_NE(error, nullptr);
  EXPECT_EQ(error->code, kUnavailable);
  EXPECT_NE(std::find(error->metadata.begin(), error->metadata.end(),
                      std::pair<std::string, std::string>("owner", "a")),
            error->metadata.end());
  one->writers->stop();
  ASSERT_TRUE(two->leads_within(kSoon));
  create_regions(*two, 5, 0, 10);
}

TEST_F(WritersTest, TheSecondTakesOverFromASilentFirstWhichFindsOut) {
  const auto one = process("a");
  ASSERT_TRUE(one->leads_within(kSoon));
  open_ledgers(*one, 5);
  create_regions(*one, 5, 0, 5);
  const auto two = process("b");
  one->channel.muted = true;
  ASSERT_TRUE(two->leads_within(kSoon));
  create_regions(*two, 5, 5, 15);
  // The zombie believes to lead until it hears or appends: what it is asked now never happens.
  for (int i = 0; i < 5; ++i) {
    const auto request = test::create_region(ledger(i), 900'000 + i, ledger(i) + "099", "z");
    EXPECT_EQ(one->reason(kCreateRegion, request), "WRITER_UNAVAILABLE");
  }
  one->channel.muted = false;
  EXPECT_FALSE(one->leads_within(kLongerThanDetection));
  EXPECT_TRUE(two->writers->stats().serving);
  for (int i = 0; i < 5; ++i) {
    const auto request = test::create_region(ledger(i), 900'000 + i, ledger(i) + "099", "z");
    EXPECT_EQ(two->reason(kCreateRegion, request), "accepted");
  }
}

TEST_F(WritersTest, NobodyIsSuspectedWhileTheChannelIsDown) {
  const auto one = process("a");
  ASSERT_TRUE(one->leads_within(kSoon));
  const auto two = process("b");
  cluster_.heartbeats.cut(true);
  EXPECT_FALSE(two->leads_within(kLongerThanDetection));
  EXPECT_TRUE(one->writers->stats().serving);
}

TEST_F(WritersTest, DoesNotLeadWithAPartitionItCannotOpen) {
  std::filesystem::create_directories(folder_ / "a");
  {
    const auto tables = RowStore::open(folder_ / "a" / "1", {});
    ASSERT_TRUE(tables.ok()) << tables.status();
    RowBatch damage;
    damage.put("Mpartition", "no position");
    ASSERT_TRUE((*tables)->write(damage).ok());
    ASSERT_TRUE((*tables)->flush().ok());
  }
  const auto first = process("a");
  EXPECT_FALSE(first->leads_within(kLongerThanDetection));
  EXPECT_EQ(first->reason(kOpen, test::open_ledger(ledger(0), 1, "n")), "WRITER_UNAVAILABLE");
}

// A partition whose records are fewer than the tables of the last life hold.
TEST_F(WritersTest, AStartOnAJournalThatWasCutIsRefused) {
  for (int cut = 0; cut < kPartitions; ++cut) {
    SCOPED_TRACE(cut);
    const std::string address = "of round " + std::to_string(cut);
    {
      const auto before = process(address);
      ASSERT_TRUE(before->leads_within(kSoon));
      open_ledgers(*before, kPartitions);
    }
    auto& topic = *cluster_.topics[cut];
    std::vector<std::string> lost;
    for (int64_t offset = topic.end() - 2; offset < topic.end(); ++offset)
      lost.push_back(topic.at(offset)->bytes);
    topic.truncate(topic.end() - 2);
    {
      const Process after(cluster_, folder_, address);
      EXPECT_EQ(after.started.code(), absl::StatusCode::kDataLoss) << after.started;
      EXPECT_NE(after.started.message().find("partition " + std::to_string(cut)), std::string::npos)
          << after.started;
    }
    for (auto& record : lost) topic.append(std::move(record));
    EXPECT_TRUE(process(address)->leads_within(kSoon)) << "nothing was cut, adopted or written";
  }
}

TEST_F(WritersTest, TheOperatorsWordIsEnough) {
  const auto one = process("a");
  ASSERT_TRUE(one->leads_within(kSoon));
  open_ledgers(*one, 3);
  const auto two = process("b", /*takeover=*/true);
  ASSERT_TRUE(two->leads_within(kSoon));
  create_regions(*two, 3, 0, 6);
  // The first hears of the higher epoch, and steps back without being asked anything.
  const auto end = std::chrono::steady_clock::now() + kSoon;
  while (one->writers->stats().serving && std::chrono::steady_clock::now() < end) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  EXPECT_FALSE(one->writers->stats().serving);
  EXPECT_TRUE(two->writers->stats().serving);
}

}  // namespace
}  // namespace taizhang
