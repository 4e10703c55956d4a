// Power cuts, kills and failed syncs at any operation, from one seed each: what was acknowledged is
// there after every start, in order and unchanged, and a start is never refused for what a power
// cut leaves behind.
#include <gtest/gtest.h>

#include "tests/faults/segment_journal.h"

namespace taizhang::journal {
namespace {

using testing::SeededRandom;
using testing::SimulatedDisk;

constexpr uint64_t kSeeds = 400;
constexpr int kLives = 12;

class Lives {
 public:
  explicit Lives(uint64_t seed) : random_(seed), disk_(seed + 1'000'000), journal_(disk_, seed) {}

  void all_lives() {
    for (int life = 0; life < kLives; ++life) {
      SCOPED_TRACE("life " + std::to_string(life));
      start();
      if (::testing::Test::HasFatalFailure()) return;
      live();
      die();
    }
    start();
  }

 private:
  void start() {
    // A start, too, may be interrupted anywhere; the next one must manage.
    if (random_.one_in(3)) {
      disk_.power_off_after(1 + static_cast<int64_t>(random_.below(12)));
      if (!journal_.open().ok()) {
        journal_.drop();
        disk_.power_cut();
      } else {
        disk_.power_off_after(-1);
      }
    } else if (random_.one_in(6)) {
      disk_.fail_sync(static_cast<int64_t>(random_.below(4)));
      if (!journal_.open().ok()) {
        journal_.drop();
        disk_.process_killed();
      }
      disk_.fail_sync(-1);
    }
    const absl::Status status = journal_.open();
    ASSERT_TRUE(status.ok()) << status;
    const auto read = journal_.read_all();
    ASSERT_TRUE(read.ok()) << read.status();
    ASSERT_TRUE(is_prefix(*read, produced_))
        << "read " << read->size() << " of " << produced_.size();
    ASSERT_GE(static_cast<int64_t>(read->size()), journal_.acknowledged)
        << "an acknowledged record is lost";
    // What a start has shown is as good as acknowledged.
    journal_.acknowledged = static_cast<int64_t>(read->size());
    produced_ = *read;
  }

  void live() {
    if (random_.one_in(2)) disk_.power_off_after(static_cast<int64_t>(random_.below(40)));
    if (random_.one_in(5)) disk_.fail_sync(static_cast<int64_t>(random_.below(10)));
    const uint64_t steps = random_.below(60);
    for (uint64_t step = 0; step < steps && journal_.fatal.ok(); ++step) {
      switch (random_.below(6)) {
        case 0: journal_.log().flush_once(); break;
        case 1: journal_.log().flush(true); break;
        case 2: journal_.log().write_mark(); break;
        default: {
          // Few sizes, so that new frames often end exactly where old ones did.
          const std::string record(40 * (1 + random_.below(4)),
                                   static_cast<char>('a' + random_.below(26)));
          if (journal_.append(record).ok()) produced_.push_back(record);
        }
      }
    }
    if (random_.one_in(4) && journal_.fatal.ok()) journal_.log().close();
  }

  void die() {
    journal_.drop();
    if (random_.one_in(3)) {
      disk_.process_killed();
    } else {
      disk_.power_cut();
    }
  }

  SeededRandom random_;
  SimulatedDisk disk_;
  SmallJournal journal_;
  std::vector<std::string> produced_;
};

TEST(SegmentPower, NothingAcknowledgedIsLostOverManyLives) {
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Lives(seed).all_lives();
    if (HasFatalFailure()) return;
  }
}

}  // namespace
}  // namespace taizhang::journal
