// The fold in every way it is done, against itself: live and in builds, one ledger after the other
// and side by side, with rows that stay and rows that leave.
#include "platform/projection/folder.h"

#include <gtest/gtest.h>

#include <limits>
#include <random>

#include "platform/base/test_folder.h"
#include "platform/projection/batch_reader.h"
#include "platform/projection/test_journal.h"
#include "platform/projection/test_view.h"
#include "taizhang/ledger/state/v1/view.pb.h"

namespace taizhang::projection {
namespace {

using ledger::state::v1::EventByType;
using ledger::v1::LedgerFounded;
using ledger::v1::LedgerPlaced;
using testing::SumRow;

constexpr int kLedgers = 5;
constexpr int kEvents = 3'000;
// So many in a batch are dealt out to threads.
constexpr int64_t kBatchEvents = 600;

// Reads, edits, erases and scans rows, and marks rows of a table that is looked at only later.
void on_placed(Ledger& rows, const EventMeta& meta, const LedgerPlaced& event) {
  testing::fold_placed(rows, meta, event);
  rows.edit<EventByType>(event.ledger(), meta.seq);
}

void on_founded(Ledger& rows, const EventMeta& meta, const LedgerFounded& event) {
  rows.erase<SumRow>(event.ledger());
  // Before the middle of the ledger its marks are only written.
  if (meta.seq < kEvents / kLedgers / 2) return;
  uint64_t marks = 0;
  rows.scan<EventByType>([&](const EventByType&) { ++marks; }, event.ledger());
  uint64_t sum = 0;
  rows.scan<SumRow>([&](const SumRow& row) { sum += row.generation(); });
  auto& total = rows.edit<SumRow>(std::string("total"));
  total.set_generation(total.generation() + sum * 1'000 + marks);
  if (marks % 3 == 0) rows.erase<EventByType>(event.ledger(), meta.seq - 1);
}

View every_access() {
  View view("every_access", 1);
  view.on<LedgerPlaced>(on_placed).on<LedgerFounded>(on_founded);
  return view;
}

struct Way {
  std::string name;
  FoldSettings settings;
  int64_t build_bytes = 0;  // 0: live
};

class FolderTest : public ::testing::TestWithParam<uint32_t> {
 protected:
  FolderTest() : random_(GetParam()) {
    for (int ledger = 0; ledger < kLedgers; ++ledger) journal_.open(code_of(ledger));
    for (int i = 0; i < kEvents; ++i) {
      const std::string key = "k" + std::to_string(random_() % 40);
      const auto placed = testing::placed(key, 1 + random_() % 9);
      const auto founded = testing::erased(key);
      const google::protobuf::Message* event = &placed;
      if (random_() % 8 == 0) event = &founded;
      journal_.commit(code_of(static_cast<int>(random_() % kLedgers)), {event});
    }
  }

  static std::string code_of(int ledger) { return "99010" + std::to_string(ledger); }

  std::shared_ptr<Store> open(const std::string& name) {
    auto store = Store::open(folder_.path() + "/" + name, resources_);
    EXPECT_TRUE(store.ok()) << store.status();
    return *store;
  }

  // From where the folder stands, `batches` at most. True: to the end.
  bool fold(Folder& folder, int batches = std::numeric_limits<int>::max()) {
    auto stands = folder.journal_fold(0);
    EXPECT_TRUE(stands.ok()) << stands.status();
    BatchReader reader(journal_.log, *stands ? std::move(**stands) : journal::Fold(0),
                       {kBatchEvents, 1 << 20},
                       [this](const auto* type) { return view_.wants(type); });
    for (int i = 0; i < batches; ++i) {
      const auto batch = reader.read(std::numeric_limits<int64_t>::max());
      EXPECT_TRUE(batch.ok()) << batch.status();
      if (!*batch) return true;
      const auto folded = folder.fold(**batch);
      EXPECT_TRUE(folded.ok()) << folded;
      const auto written = folder.write();
      EXPECT_TRUE(written.ok()) << written;
    }
    return false;
  }

  // Every row version, the position and the digests, as they stand in the files.
  static std::string contents(const Store& store) {
    std::string all;
    const auto cursor = store.cursor(CursorKind::kOrder);
    for (cursor->seek(""); cursor->valid(); cursor->next()) {
      if (cursor->key()[0] == store_key::kMeta) continue;
      // How the commits are cut into stretches follows the batches.
      if (cursor->key()[0] == store_key::kBySeq || cursor->key()[0] == store_key::kByTime) continue;
      all += std::string(cursor->key()) + "=" + std::string(cursor->value()) + "\n";
    }
    EXPECT_TRUE(cursor->status().ok());
    return all;
  }

  std::string fold_all(const Way& way) {
    auto store = open(way.name);
    BuildMemory memory(way.build_bytes);
    Folder folder(view_, store, 1, way.settings);
    EXPECT_TRUE(folder.load().ok());
    if (way.build_bytes > 0) {
      EXPECT_TRUE(folder.begin_build(memory).ok());
    }
    EXPECT_TRUE(fold(folder));
    if (way.build_bytes > 0) {
      EXPECT_TRUE(folder.end_build().ok());
    }
    EXPECT_EQ(folder.events_folded(), kEvents);
    return contents(*store);
  }

  std::mt19937 random_;
  const testing::TestFolder folder_;
  testing::TestJournal journal_;
  const View view_ = every_access();
  std::shared_ptr<StoreResources> resources_ = make_store_resources(1 << 20, 1 << 20);
};

constexpr int64_t kLarge = 64 << 20;
// Less than a batch of rows takes: every row leaves, and every batch becomes a file.
constexpr int64_t kSmall = 2'000;

TEST_P(FolderTest, EveryWayGivesTheSameBytes) {
  const std::string expected = fold_all({"live", {kLarge, 1, 0}});
  ASSERT_GT(expected.size(), 100'000U);
  for (const Way& way : {
           Way{"live, rows leave", {kSmall, 1, 0}},
           Way{"live, side by side", {kLarge, 3, 0}},
           Way{"live, side by side, rows leave", {kSmall, 3, 0}},
           Way{"build in one run", {kLarge, 1, 1 << 20}, kLarge},
           Way{"build, rows leave", {kSmall, 1, 1 << 20}, kLarge},
           Way{"build of many runs", {kLarge, 1, 1 << 20}, kSmall},
           Way{"build of many runs, rows leave", {kSmall, 1, 1 << 20}, kSmall},
           Way{"build of many runs, rows leave, a full filter", {kSmall, 1, 64}, kSmall},
           Way{"build of many runs, rows leave, side by side", {kSmall, 3, 1 << 20}, kSmall},
           Way{"build of some runs, rows leave, side by side", {kSmall, 2, 4'096}, 300'000},
       }) {
    EXPECT_EQ(fold_all(way) == expected, true) << way.name;
  }
}

TEST_P(FolderTest, ABuildThatWasKilledGoesOnWithWholeRuns) {
  const std::string expected = fold_all({"live", {kLarge, 1, 0}});
  int64_t last = 0;
  bool whole = false;
  for (int kills = 0; !whole; ++kills) {
    ASSERT_LT(kills, 100);
    auto store = open("killed");
    BuildMemory memory(kills % 2 == 0 ? kSmall : 300'000);
    Folder folder(view_, store, 1, {kSmall, 2, 1 << 20});
    ASSERT_TRUE(folder.load().ok());
    EXPECT_GE(folder.position(0), last);
    last = folder.position(0);
    ASSERT_TRUE(folder.begin_build(memory).ok());
    whole = fold(folder, 1 + static_cast<int>(random_() % 3));
    // What was not handed over goes with the folder, as with the process.
    if (whole) {
      ASSERT_TRUE(folder.end_build().ok());
    }
  }
  EXPECT_EQ(contents(*open("killed")) == expected, true);
}

INSTANTIATE_TEST_SUITE_P(Seeds, FolderTest, ::testing::Range(1U, 11U));

TEST(Puts, AreSortedWithTheLastOfEachKey) {
  std::mt19937 random(1);
  for (int round = 0; round < 200; ++round) {
    Puts first;
    Puts second;
    std::map<std::string, std::string> expected;
    // Keys that begin alike, end in each other, and hold zeros.
    const size_t longest = 1 + random() % 30;
    for (int i = 0; i < 300; ++i) {
      std::string key = round % 2 == 0 ? "a shared beginning" : "";
      for (size_t at = random() % longest; at > 0; --at) key += "\0\0ab\xff"[random() % 5];
      const std::string value = std::to_string(i);
      const bool to_second = key.size() % 2 == 1;  // no key stands in both
      (to_second ? second : first).add(key, value);
      expected[key] = value;
    }
    const auto all = sorted({&first, &second});
    ASSERT_EQ(all.size(), expected.size());
    auto next = expected.begin();
    for (const auto& put : all) {
      EXPECT_EQ(put.key(), next->first);
      EXPECT_EQ(put.value(), next->second);
      ++next;
    }
  }
}

// Adds `rows` rows; how many of as many others are taken for known.
int taken_for_known(RowFilter& filter, int rows) {
  std::mt19937_64 added(1);
  for (int i = 0; i < rows; ++i) filter.add(added());
  std::mt19937_64 known(1);
  std::mt19937_64 other(2);
  int taken = 0;
  for (int i = 0; i < rows; ++i) {
    EXPECT_TRUE(filter.may_hold(known()));
    if (filter.may_hold(other())) ++taken;
  }
  return taken;
}

TEST(RowFilter, KnowsWhatItWasToldAndLittleElse) {
  RowFilter filter(16 << 10);
  constexpr int kRows = 10'000;  // 13 bits for each
  EXPECT_LT(taken_for_known(filter, kRows), kRows / 50);
  EXPECT_EQ(filter.bytes(), 16 << 10);
}

TEST(RowFilter, GrowsWithTheRowsUpToItsBound) {
  // One part, and what is left of the bound: less than a part as large, more, or several of them.
  for (const int64_t bytes_max : {3 << 19, 4 << 20, 10 << 20}) {
    RowFilter filter(bytes_max);
    EXPECT_LT(filter.bytes(), bytes_max);
    const auto rows = static_cast<int>(bytes_max * 8 / 17);  // 17 bits for each
    EXPECT_LT(taken_for_known(filter, rows), rows / 250);
    EXPECT_GT(filter.bytes(), bytes_max - 64);
    EXPECT_LE(filter.bytes(), bytes_max);
  }
}

}  // namespace
}  // namespace taizhang::projection
