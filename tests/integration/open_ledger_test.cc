// OpenLedger is three records: placed in the directory, opened in its partition, founded. A crash
// behind each of them leaves a journal that the next OpenLedger completes.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <map>
#include <optional>
#include <set>

#include "platform/journal/fold.h"
#include "taizhang/journal/v1/records.pb.h"
#include "taizhang/ledger/v1/events.pb.h"
#include "tests/integration/process.h"

namespace taizhang {
namespace {

using google::protobuf::Message;
using test::Cluster;
using test::kCreateRegion;
using test::kOpen;
using test::Process;

constexpr std::chrono::milliseconds kSoon = std::chrono::seconds(120);
constexpr int kRequest = 20;
const std::string kBefore = "990102";
const std::string kLedger = "990101";

// The valid records that speak of the ledger, by what they say.
std::map<std::string, int> records_of(const Cluster& cluster) {
  std::map<std::string, int> found;
  std::optional<journal::GenesisExpectation> expected;
  for (uint32_t p = 0; p < cluster.topics.size(); ++p) {
    journal::Fold fold(p, expected);
    for (int64_t offset = 0; const auto record = cluster.topics[p]->at(offset); ++offset) {
      const auto folded = fold.apply(offset, record->bytes);
      EXPECT_TRUE(folded.ok()) << folded.status();
      if (!folded.ok() || !folded->valid()) continue;
      if (folded->ledger_opened && folded->ledger_opened->ledger() == kLedger) ++found["opened"];
      if (!folded->commit) continue;
      for (const auto& event : folded->commit->events()) {
        ledger::v1::LedgerPlaced placed;
        if (event.type() == "ledger.v1.LedgerPlaced" && placed.ParseFromString(event.payload()) &&
            placed.ledger() == kLedger) {
          ++found["placed"];
        }
        if (event.type() == "ledger.v1.LedgerFounded" && folded->commit->ledger() == kLedger)
          ++found["founded"];
      }
    }
    expected = {fold.uuid(), fold.partition_count()};
  }
  return found;
}

const std::map<std::string, int> kOnceEach = {{"founded", 1}, {"opened", 1}, {"placed", 1}};

common::v1::Receipt receipt_of(const Answer& answer) {
  if (const auto* error = std::get_if<Error>(&answer)) {
    ADD_FAILURE() << error->reason << " " << error->message;
    return {};
  }
  return static_cast<const admin::v1::OpenLedgerResponse&>(
             *std::get<std::unique_ptr<Message>>(answer))
      .receipt();
}

// The number of partitions: with one the ledger stands beside the directory, with two it does not.
class OpenLedger : public testing::TestWithParam<int> {
 protected:
  OpenLedger()
      : folder_(std::filesystem::temp_directory_path() /
                ("open_ledger_test." + std::to_string(getpid()))) {
    std::filesystem::remove_all(folder_);
  }
  ~OpenLedger() override { std::filesystem::remove_all(folder_); }

  // A process on tables of its own, so that it knows only what the topics hold.
  std::unique_ptr<Process> process(Cluster& cluster) {
    auto made = std::make_unique<Process>(cluster, folder_, std::to_string(++processes_),
                                          /*takeover=*/true);
    EXPECT_TRUE(made->leads_within(kSoon));
    return made;
  }

  static std::vector<int64_t> ends_of(const Cluster& cluster) {
    std::vector<int64_t> ends;
    for (const auto& topic : cluster.topics) ends.push_back(topic->end());
    return ends;
  }

  // What a crash left: the topics up to `ends`.
  static std::unique_ptr<Cluster> left(const Cluster& whole, const std::vector<int64_t>& ends) {
    auto cluster = std::make_unique<Cluster>(static_cast<int>(ends.size()));
    for (size_t p = 0; p < ends.size(); ++p) {
      for (int64_t offset = 0; offset < ends[p]; ++offset)
        cluster->topics[p]->append(whole.topics[p]->at(offset)->bytes);
    }
    return cluster;
  }

  // Opens the ledger, and says where each of its records ends: the crash points, first to last. The
  // directory's partition is written before the ledger's.
  std::vector<std::vector<int64_t>> open_and_list_crashes(Cluster& whole) {
    std::vector<int64_t> before;
    std::vector<int64_t> after;
    {
      const auto one = process(whole);
      EXPECT_EQ(one->reason(kOpen, test::open_ledger(kBefore, 1, "n")), "accepted");
      before = ends_of(whole);
      EXPECT_EQ(one->reason(kOpen, test::open_ledger(kLedger, kRequest, "n")), "accepted");
      after = ends_of(whole);
    }
    std::vector<std::vector<int64_t>> crashes = {before};
    for (size_t p = 0; p < before.size(); ++p) {
      while (before[p] < after[p]) {
        ++before[p];
        crashes.push_back(before);
      }
    }
    return crashes;
  }

  std::filesystem::path folder_;
  int processes_ = 0;
};

TEST_P(OpenLedger, SentAgainGoesOnWhereACrashCutIt) {
  Cluster whole(GetParam());
  const auto crashes = open_and_list_crashes(whole);
  ASSERT_GE(crashes.size(), 4u);
  std::set<std::map<std::string, int>> met;
  for (const auto& ends : crashes) {
    for (const bool same_request : {true, false}) {
      SCOPED_TRACE(testing::PrintToString(ends) + (same_request ? " same request" : " another"));
      const auto cluster = left(whole, ends);
      const auto there = records_of(*cluster);
      met.insert(there);
      const auto two = process(*cluster);
      const auto request = test::open_ledger(kLedger, same_request ? kRequest : kRequest + 1, "n");
      const auto receipt = receipt_of(two->ask(kOpen, request));
      EXPECT_EQ(receipt.ledger(), kLedger);
      EXPECT_EQ(receipt.first_seq(), 1);
      const bool was_founded = there.contains("founded");
      EXPECT_EQ(receipt.duplicate(), was_founded && same_request);
      EXPECT_EQ(receipt.unchanged(), was_founded && !same_request);
      EXPECT_EQ(records_of(*cluster), kOnceEach);
      // From here it is like any other ledger.
      EXPECT_TRUE(receipt_of(two->ask(kOpen, request)).first_seq() == 1);
      EXPECT_EQ(two->reason(kCreateRegion, test::create_region(kLedger, 30, kLedger, "r")),
                "accepted");
      EXPECT_EQ(two->reason(kOpen, test::open_ledger(kLedger, 31, "other")), "LEDGER_EXISTS");
      EXPECT_EQ(records_of(*cluster), kOnceEach);
    }
  }
  // Every state between nothing and all was among them.
  EXPECT_EQ(met, (std::set<std::map<std::string, int>>{
                     {}, {{"placed", 1}}, {{"opened", 1}, {"placed", 1}}, kOnceEach}));
}

TEST_P(OpenLedger, KeepsThePlaceACrashLeftToWhoeverNamesTheSame) {
  Cluster whole(GetParam());
  for (const auto& ends : open_and_list_crashes(whole)) {
    const auto cluster = left(whole, ends);
    if (!records_of(*cluster).contains("placed")) continue;
    SCOPED_TRACE(testing::PrintToString(ends));
    const auto two = process(*cluster);
    EXPECT_EQ(two->reason(kOpen, test::open_ledger(kLedger, kRequest + 1, "other")),
              "LEDGER_EXISTS");
    EXPECT_EQ(receipt_of(two->ask(kOpen, test::open_ledger(kLedger, kRequest, "n"))).first_seq(),
              1);
    EXPECT_EQ(records_of(*cluster), kOnceEach);
  }
}

INSTANTIATE_TEST_SUITE_P(Partitions, OpenLedger, testing::Values(1, 2));

}  // namespace
}  // namespace taizhang
