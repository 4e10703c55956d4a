// The clean topic from one seed: a growing journal with foreign and void records, republishers that
// are killed at any step and started again, two at once, appends that fail, are stored twice, or
// arrive long after their process died; and a reader of the consumer rule that is killed, too.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "platform/journal/testing/history.h"
#include "platform/republish/lane.h"
#include "platform/republish/test_clean_topic.h"

namespace taizhang::republish {
namespace {

using journal::AppendFault;
using journal::MemoryTopic;
using journal::testing::ManualClock;
using journal::testing::SeededRandom;
using taizhang::testing::accepted;
using taizhang::testing::EventJournal;
using taizhang::testing::header_of;
using taizhang::testing::stored;
using taizhang::testing::TestEvent;

constexpr uint64_t kSeeds = 400;
constexpr int kSteps = 400;
constexpr int kProcesses = 2;
const std::vector<std::string> kLedgers = {"510101", "510102", "510103"};

// A republisher as a process: it is killed with everything but its checkpoint file, and what it
// had sent may still arrive.
struct Process {
  std::unique_ptr<MemoryCleanPartition> clean;
  std::unique_ptr<Lane> lane;
  Checkpoint saved;
};

// A consumer that keeps its results, k and place together, as docs/consumers shows.
struct Consumer {
  std::vector<TestEvent> results;
  int64_t offset = 0;

  void read(const MemoryTopic& topic, int64_t records) {
    for (; records > 0 && offset < topic.end(); --records, ++offset) {
      const CleanRecord record = decode(topic.at(offset)->bytes);
      if (header_of(record, "ce_k") != std::to_string(results.size() + 1)) continue;
      results.push_back({header_of(record, "ce_id"), record.value});
    }
  }
};

class Simulation {
 public:
  explicit Simulation(uint64_t seed) : random_(seed) {
    for (const auto& ledger : kLedgers) journal_.open(ledger);
    settings_.in_flight_records_max = 1 + static_cast<int64_t>(random_.below(5));
    settings_.batch_events_max = 1 + static_cast<int64_t>(random_.below(6));
    settings_.clean_records_per_step = 1 + static_cast<int64_t>(random_.below(20));
  }

  void run() {
    for (int i = 0; i < kSteps; ++i) {
      if (random_.one_in(4)) grow();
      Process& process = processes_[random_.below(kProcesses)];
      if (!process.lane) {
        start(process);
      } else if (random_.one_in(25)) {
        kill(process);
      } else {
        // An attempt may fail: the next step begins another.
        (void)process.lane->step();
        if (random_.one_in(6)) process.clean->log().set_paused(!random_.one_in(3));
        process.clean->log().flush(true);
        if (random_.one_in(10)) process.saved = process.lane->checkpoint();
      }
      if (random_.one_in(8)) deliver_late();
      if (random_.one_in(3)) consumer_.read(*topic_, 1 + static_cast<int64_t>(random_.below(9)));
      check_consumer();
    }
    settle();
  }

 private:
  void grow() {
    switch (random_.below(8)) {
      case 0: journal_.barrier(); break;
      case 1: journal_.topic->append(random_.bytes(random_.below(100))); break;
      case 2: {
        // A copy of a record: void, for its n has passed.
        const auto copy = journal_.topic->at(journal_.topic->end() - 1);
        journal_.topic->append(copy->bytes);
        break;
      }
      default:
        journal_.record(kLedgers[random_.below(kLedgers.size())],
                        1 + static_cast<int>(random_.below(4)));
    }
  }

  void start(Process& process) {
    process.clean = std::make_unique<MemoryCleanPartition>(topic_);
    process.clean->log().set_faults([this](std::string_view) {
      if (!faulty_ || !random_.one_in(12)) return AppendFault::kNone;
      constexpr AppendFault kFaults[] = {AppendFault::kRejected,     AppendFault::kNoRoom,
                                         AppendFault::kFailedStored, AppendFault::kFailedNotStored,
                                         AppendFault::kNoOffset,     AppendFault::kDuplicated,
                                         AppendFault::kHeld};
      return kFaults[random_.below(std::size(kFaults))];
    });
    // Sometimes its disk is empty.
    if (random_.one_in(4)) process.saved = Checkpoint{};
    process.lane = std::make_unique<Lane>(0, std::nullopt, journal_.log, *process.clean, clock_,
                                          settings_, process.saved);
  }

  void kill(Process& process) {
    process.lane.reset();
    dead_.push_back(std::move(process.clean));
  }

  // What a dead process had sent, and what a broken connection held back.
  void deliver_late() {
    for (auto& clean : dead_) {
      clean->log().set_paused(false);
      clean->log().flush(true);
      clean->log().deliver_held();
    }
    dead_.clear();
    for (Process& process : processes_) {
      if (process.clean) process.clean->log().deliver_held();
    }
  }

  // Never a gap, never a double, whatever the moment.
  void check_consumer() {
    ASSERT_LE(consumer_.results.size(), journal_.events.size());
    ASSERT_TRUE(
        std::equal(consumer_.results.begin(), consumer_.results.end(), journal_.events.begin()));
  }

  // The faults end; one republisher is left and comes to rest.
  void settle() {
    deliver_late();
    for (Process& process : processes_) {
      if (process.lane) kill(process);
    }
    faulty_ = false;
    Process& last = processes_[0];
    start(last);
    auto step = absl::StatusOr<Lane::Step>(Lane::Step::kWorked);
    for (int i = 0; i < 100'000; ++i) {
      step = last.lane->step();
      if (step.ok() && *step == Lane::Step::kWaitsForJournal) break;
    }
    ASSERT_TRUE(step.ok()) << step.status();
    ASSERT_EQ(*step, Lane::Step::kWaitsForJournal);
    deliver_late();

    EXPECT_EQ(accepted(*topic_), journal_.events);
    consumer_.read(*topic_, topic_->end());
    EXPECT_EQ(consumer_.results, journal_.events);
    // All copies of a k are equal, and equal what somebody gives who starts today.
    auto fresh = std::make_shared<MemoryTopic>();
    MemoryCleanPartition clean(fresh);
    Lane reference(0, std::nullopt, journal_.log, clean, clock_, settings_, {});
    for (int i = 0; i < 100'000; ++i) {
      const auto stepped = reference.step();
      ASSERT_TRUE(stepped.ok()) << stepped.status();
      if (*stepped == Lane::Step::kWaitsForJournal) break;
    }
    const auto expected = stored(*fresh);
    ASSERT_EQ(expected.size(), journal_.events.size());
    for (const auto& record : stored(*topic_)) {
      const auto k = static_cast<size_t>(std::stoll(header_of(record, "ce_k")));
      ASSERT_LE(k, expected.size());
      EXPECT_EQ(record, expected[k - 1]);
    }
  }

  SeededRandom random_;
  ManualClock clock_;
  LaneSettings settings_;
  EventJournal journal_;
  std::shared_ptr<MemoryTopic> topic_ = std::make_shared<MemoryTopic>();
  Process processes_[kProcesses];
  std::vector<std::unique_ptr<MemoryCleanPartition>> dead_;
  bool faulty_ = true;
  Consumer consumer_;
};

TEST(RepublishSimulation, AReaderOfTheRuleSeesEachEventOnceWhateverHappens) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    Simulation simulation(seed);
    simulation.run();
    if (::testing::Test::HasFailure()) FAIL() << "seed " << seed;
  }
}

}  // namespace
}  // namespace taizhang::republish
