// The overlay: edits belong to appends, are confirmed in order, and vanish whole when in doubt.
#include "platform/state/state.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <random>
#include <thread>

#include "platform/state/memory_rows.h"
#include "platform/state/state_folder.h"
#include "taizhang/platform/state/v1/state.pb.h"

namespace taizhang {
namespace {

using Row = platform::state::v1::Creation;
constexpr const char* kCode = "990101";

class StateTest : public testing::Test {
 protected:
  StateTest()
      : folder_(std::filesystem::temp_directory_path() /
                ("state_test." + std::to_string(getpid()))) {
    std::filesystem::remove_all(folder_);
    open();
  }
  ~StateTest() override {
    state_.reset();
    std::filesystem::remove_all(folder_);
  }
  void open() {
    state_.reset();
    StateSettings settings;
    settings.cached_rows_max = 50;
    auto opened = State::open(folder_, settings);
    ASSERT_TRUE(opened.ok()) << opened.status();
    state_ = *std::move(opened);
  }
  void put(const std::string& id, int64_t value) {
    static_cast<Row&>(rows().edit(row_type<Row>(), make_key("k", id))).set_first_seq(value);
  }
  void erase(const std::string& id) { rows().erase(row_type<Row>(), make_key("k", id)); }
  int64_t at(const std::string& id) {
    const auto* row = rows().find(row_type<Row>(), make_key("k", id));
    return row ? static_cast<const Row&>(*row).first_seq() : -1;
  }
  std::string scanned() {
    std::string out;
    rows().scan(row_type<Row>(), make_key("k"), [&](const google::protobuf::Message& row) {
      out += static_cast<const Row&>(row).id() + "=" +
             std::to_string(static_cast<const Row&>(row).first_seq()) + " ";
      return true;
    });
    return out;
  }
  Rows& rows() { return state_->ledger(kCode); }
  void write() { ASSERT_TRUE(state_->write(fold_, {}).ok()); }
  void flush() { ASSERT_TRUE(state_->flush(fold_, {}).ok()); }

  std::filesystem::path folder_;
  journal::Fold fold_{0};
  std::unique_ptr<State> state_;
};

TEST_F(StateTest, ShowsWhatIsDecidedBeforeItIsConfirmed) {
  state_->begin(1);
  put("a", 10);
  state_->begin(2);
  put("a", 20);
  put("b", 5);
  EXPECT_EQ(scanned(), "a=20 b=5 ");
  state_->confirm(1);
  EXPECT_EQ(at("a"), 20);
  state_->discard();
  EXPECT_EQ(scanned(), "a=10 ");
}

TEST_F(StateTest, RollbackTakesBackTheNewestAppendOnly) {
  state_->begin(1);
  put("a", 10);
  state_->begin(2);
  put("a", 20);
  erase("a");
  EXPECT_EQ(at("a"), -1);
  state_->rollback();
  EXPECT_EQ(at("a"), 10);
}

TEST_F(StateTest, ARestartFindsWhatWasFlushedAndNothingElse) {
  state_->begin(1);
  put("a", 1);
  put("b", 2);
  state_->confirm(1);
  flush();
  state_->begin(2);
  put("a", 9);
  open();
  EXPECT_EQ(scanned(), "a=1 b=2 ");
}

TEST_F(StateTest, AScanMergesStoredRowsWithNewerOnesInKeyOrder) {
  state_->begin(1);
  for (const char* id : {"b", "d", "f"}) put(id, 1);
  state_->confirm(1);
  write();
  state_->begin(2);
  put("a", 2);
  put("d", 2);
  erase("f");
  put("g", 2);
  EXPECT_EQ(scanned(), "a=2 b=1 d=2 g=2 ");
}

TEST_F(StateTest, TheDigestIsThatOfTheRowsWhateverTheOrder) {
  state_->begin(1);
  put("a", 1);
  put("b", 2);
  state_->confirm(1);
  const auto first = state_->digest();
  state_->begin(2);
  erase("a");
  put("b", 7);
  state_->confirm(2);
  EXPECT_NE(state_->digest(), first);
  write();
  state_->begin(3);
  put("b", 2);
  put("a", 1);
  state_->confirm(3);
  EXPECT_EQ(state_->digest(), first);
  flush();
  EXPECT_EQ(*state_->recomputed_digest(), first);
  open();
  EXPECT_EQ(state_->digest(), first);
}

TEST_F(StateTest, EqualsAPlainMapOverRandomHistories) {
  std::mt19937 random(7);
  uint64_t n = 0;
  uint64_t confirmed = 0;
  std::vector<std::map<std::string, int64_t>> model(
      1);  // state after each unconfirmed append; [0] = confirmed
  for (int turn = 0; turn < 5'000; ++turn) {
    const auto dice = random() % 20;
    if (dice < 12) {
      state_->begin(++n);
      model.push_back(model.back());
      for (unsigned i = 0; i < 1 + random() % 3; ++i) {
        const std::string id = "r" + std::to_string(random() % 200);
        if (random() % 4 == 0) {
          erase(id);
          model.back().erase(id);
        } else {
          put(id, turn);
          model.back()[id] = turn;
        }
      }
    } else if (dice < 16 && confirmed < n) {
      const uint64_t up_to = confirmed + 1 + random() % (n - confirmed);
      state_->confirm(up_to);
      model.erase(model.begin(), model.begin() + static_cast<long>(up_to - confirmed));
      confirmed = up_to;
    } else if (dice == 16) {
      state_->discard();
      model.resize(1);
      n = confirmed;
    } else if (dice == 17 && confirmed < n) {
      state_->rollback();
      model.pop_back();
      --n;
    } else {
      write();
    }
    std::string expected;
    std::map<std::string, int64_t> sorted(model.back().begin(), model.back().end());
    for (const auto& [id, value] : sorted) expected += id + "=" + std::to_string(value) + " ";
    ASSERT_EQ(scanned(), expected) << "turn " << turn;
  }
}

// Files may not grow: the store's flush fails, and then every batch.
TEST_F(StateTest, RowsOfAFailedBatchAreStillReadAndCounted) {
  const auto earlier_handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit limit{};
  getrlimit(RLIMIT_FSIZE, &limit);
  state_->begin(1);
  for (int i = 0; i < 100; ++i) put("r" + std::to_string(i), i);
  state_->note_offset(kCode, 1, 77);
  state_->confirm(1);
  const auto rows_digest = state_->digest();
  const rlimit none{0, limit.rlim_max};
  setrlimit(RLIMIT_FSIZE, &none);
  EXPECT_FALSE(state_->flush(fold_, {}).ok());
  int failed = 0;
  for (uint64_t n = 2; n < 50 && failed < 2; ++n) {
    state_->begin(n);
    put("a", static_cast<int64_t>(n));
    state_->confirm(n);
    if (!state_->write(fold_, {}).ok()) ++failed;
    EXPECT_EQ(at("a"), static_cast<int64_t>(n));
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  setrlimit(RLIMIT_FSIZE, &limit);
  std::signal(SIGXFSZ, earlier_handler);
  EXPECT_EQ(failed, 2);
  EXPECT_GT(state_->unwritten_rows(), 0u);
  EXPECT_EQ(*state_->offset_of(kCode, 1), 77);
  state_->begin(50);
  erase("a");
  state_->confirm(50);
  EXPECT_EQ(state_->digest(), rows_digest);
  EXPECT_EQ(at("r99"), 99);
}

// The folder as a kill of the process leaves it: nothing was closed or flushed.
class KilledStateTest : public StateTest {
 protected:
  ~KilledStateTest() override { std::filesystem::remove_all(left_); }
  void written(const std::string& id, int64_t value) {
    state_->begin(1);
    put(id, value);
    state_->confirm(1);
    write();
    state_->digest();  // waits for the batch
    ASSERT_TRUE(state_->write(fold_, {}).ok());
  }
  // `lost`: bytes at the end that never got to the disk.
  void kill(uint64_t lost) {
    std::filesystem::copy(folder_, left_);
    for (const auto& file : std::filesystem::directory_iterator(left_)) {
      if (file.path().extension() == ".log" && file.file_size() > lost)
        std::filesystem::resize_file(file, file.file_size() - lost);
    }
    state_ = *State::open(left_, {});
  }
  const std::filesystem::path left_ = folder_.string() + ".left";
};

TEST_F(KilledStateTest, HasWhatWasWritten) {
  written("a", 1);
  written("b", 2);
  kill(0);
  EXPECT_EQ(scanned(), "a=1 b=2 ");
  EXPECT_EQ(*state_->recomputed_digest(), state_->digest());
}

TEST_F(KilledStateTest, GoesBackToAnEarlierBatchWhereTheDiskLostTheEnd) {
  written("a", 1);
  const auto digest = state_->digest();
  written("b", 2);
  kill(1);
  EXPECT_EQ(scanned(), "a=1 ");
  EXPECT_EQ(state_->digest(), digest);
  EXPECT_EQ(*state_->recomputed_digest(), digest);
}

TEST_F(StateTest, TheFolderOpensWhatIsThereAndTheRestWhenAsked) {
  const auto directory = folder_.string() + ".all";
  std::filesystem::create_directories(directory + "/notes");
  state_.reset();
  for (const uint32_t partition : {0u, 2u}) {
    state_ = *StateFolder(directory, {}).open(partition);
    state_->begin(1);
    put("a", partition);
    state_->confirm(1);
    flush();
    state_.reset();
  }
  {
    StateFolder folder(directory, {});
    for (const uint32_t partition : {2u, 0u, 1u}) {
      state_ = *folder.open(partition);
      EXPECT_EQ(at("a"), partition == 1 ? -1 : int64_t{partition});
    }
    // It is open, also for another folder of the same directory, until it is closed.
    EXPECT_FALSE(StateFolder(directory, {}).open(1).ok());
    StateFolder later(directory, {});
    state_.reset();
    EXPECT_TRUE(later.open(1).ok());
  }
  std::filesystem::remove_all(directory);
}

TEST_F(StateTest, AFlippedByteIsFoundNotRead) {
  state_->begin(1);
  for (int i = 0; i < 500; ++i) put("r" + std::to_string(i), i);
  state_->confirm(1);
  flush();
  state_.reset();
  for (const auto& file : std::filesystem::directory_iterator(folder_)) {
    if (file.path().extension() != ".sst") continue;
    std::fstream bytes(file.path(), std::ios::in | std::ios::out | std::ios::binary);
    bytes.seekg(60);
    const char old = static_cast<char>(bytes.get());
    bytes.seekp(60);
    bytes.put(static_cast<char>(old ^ 1));
  }
  auto opened = State::open(folder_, {});
  if (!opened.ok()) return;  // refused: fine
  for (int i = 0; i < 500; ++i) {
    const auto* row =
        (*opened)->ledger(kCode).find(row_type<Row>(), make_key("k", "r" + std::to_string(i)));
    if (row) {
      EXPECT_EQ(static_cast<const Row&>(*row).first_seq(), i);
    } else {
      EXPECT_FALSE((*opened)->status().ok());
    }
  }
  EXPECT_FALSE((*opened)->recomputed_digest().ok());
}

}  // namespace
}  // namespace taizhang
