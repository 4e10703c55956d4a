// A writer on the segment engine, driven from one seed in one thread: commands are decided on
// speculative state, the machine is killed, loses power, fails syncs and fills its disk at any
// operation, the clock drifts. After every start a reader that knows nothing but the bytes must
// find every acknowledged commit once, gapless, under one head.
#include <gtest/gtest.h>

#include <map>

#include "platform/base/log.h"
#include "platform/journal/owner.h"
#include "platform/journal/segments/segment_log.h"
#include "platform/journal/testing/history.h"
#include "platform/journal/testing/simulated_disk.h"
#include "taizhang/journal/v1/records.pb.h"

namespace taizhang::journal {
namespace {

using testing::ManualClock;
using testing::SeededRandom;
using testing::SimulatedDisk;

constexpr uint64_t kSeeds = 300;
constexpr int kLives = 8;
constexpr int64_t kSegmentBytes = 16'384;
constexpr const char* kLedgers[] = {"510101", "510102", "620102"};

// What the world outside knows: which commits it got an answer for.
struct World {
  std::map<std::string, int64_t> acknowledged;  // by payload: first seq
  int64_t next_command = 1;
};

// One process: an owner on an open log, with the commands it has in flight.
class Process : public OwnerListener {
 public:
  Process(SimulatedDisk& disk, ManualClock& clock, SeededRandom& random, World& world)
      : disk_(disk), clock_(clock), random_(random), world_(world) {}

  absl::Status start() {
    segments::SegmentOptions options;
    options.directory = "/journal";
    options.segment_bytes = kSegmentBytes;
    options.group_bytes_max = 4096;
    options.files = &disk_;
    options.random = &random_;
    options.threads = false;
    options.on_fatal = [this](const absl::Status&) { dead = true; };
    auto opened = segments::SegmentLog::open(std::move(options));
    if (!opened.ok()) return opened.status();
    log_ = *std::move(opened);
    OwnerSettings settings;
    settings.create = true;
    settings.claim_us_max = 100'000;
    owner_ = std::make_unique<Owner>(*log_, clock_, random_, *this, Fold(0), settings, [] {});
    return owner_->claim();
  }

  absl::Status on_record(const Folded&) override { return absl::OkStatus(); }
  void on_confirmed(uint64_t n, int64_t /*offset*/) override {
    const auto command = in_flight_.find(n);
    if (command == in_flight_.end()) return;
    world_.acknowledged[command->second.first] = command->second.second;
    in_flight_.erase(in_flight_.begin(), std::next(command));
  }
  void on_epoch_ended(const absl::Status&) override { in_flight_.clear(); }

  void step() {
    switch (random_.below(10)) {
      case 0: log_->flush_once(); break;
      case 1: log_->write_mark(); break;
      case 2: owner_->flush(true); break;
      case 3: owner_->poll(); break;
      case 4: clock_.advance_us(static_cast<int64_t>(random_.below(2'000'000))); break;
      case 5: log_->maintain(); break;
      default: decide();
    }
    if (!owner_->serving() && !dead) (void)owner_->claim();
  }

  void stop_cleanly() {
    (void)owner_->release(absl::ZeroDuration());
    log_->close();
  }

  bool dead = false;

 private:
  void decide() {
    if (!owner_->serving() || !owner_->room().ok()) return;
    const char* ledger = kLedgers[random_.below(std::size(kLedgers))];
    const LedgerState* state = owner_->speculative().ledger(ledger);
    if (!state || !state->open) {
      v1::LedgerOpened body;
      body.set_ledger(ledger);
      body.set_generation(state ? state->closed_generation + 1 : 1);
      body.set_next_seq(state ? state->next_seq : 1);
      body.set_recorded_time_us(owner_->next_recorded_time_us(ledger));
      (void)owner_->append(*Draft::of(Kind::kLedgerOpened, body));
      return;
    }
    v1::Commit body;
    body.set_ledger(ledger);
    body.set_first_seq(state->next_seq);
    body.set_recorded_time_us(owner_->next_recorded_time_us(ledger));
    const std::string command =
        std::to_string(world_.next_command++) + std::string(random_.below(300), '.');
    for (uint64_t i = 0; i <= random_.below(3); ++i) body.add_events()->set_payload(command);
    const auto n = owner_->append(*Draft::of(Kind::kCommit, body));
    if (n.ok()) in_flight_[*n] = {command, body.first_seq()};
  }

  SimulatedDisk& disk_;
  ManualClock& clock_;
  SeededRandom& random_;
  World& world_;
  std::unique_ptr<segments::SegmentLog> log_;
  std::unique_ptr<Owner> owner_;
  std::map<uint64_t, std::pair<std::string, int64_t>> in_flight_;
};

class Simulation {
 public:
  explicit Simulation(uint64_t seed) : random_(seed), disk_(seed + 7'000'000) {}

  void run() {
    for (int life = 0; life < kLives; ++life) {
      SCOPED_TRACE("life " + std::to_string(life));
      live();
      if (::testing::Test::HasFatalFailure()) return;
      check();
      if (::testing::Test::HasFatalFailure()) return;
    }
  }
  size_t acknowledged() const { return world_.acknowledged.size(); }

 private:
  void live() {
    Process process(disk_, clock_, random_, world_);
    if (random_.one_in(4))
      disk_.set_capacity_bytes(static_cast<int64_t>((3 + random_.below(4)) * kSegmentBytes));
    const bool cut = random_.one_in(2);
    if (cut) disk_.power_off_after(static_cast<int64_t>(random_.below(60)));
    if (random_.one_in(4)) disk_.fail_sync(static_cast<int64_t>(random_.below(15)));
    const absl::Status started = process.start();
    const uint64_t steps = started.ok() ? random_.below(120) : 0;
    for (uint64_t i = 0; i < steps && !process.dead; ++i) process.step();
    if (started.ok() && !process.dead && random_.one_in(3)) process.stop_cleanly();
    power_or_kill(cut);
  }

  // Before the process object dies, so that its destructors can do nothing any more.
  void power_or_kill(bool cut) {
    if (cut || random_.one_in(2)) {
      disk_.power_cut();
    } else {
      disk_.process_killed();
    }
    disk_.set_capacity_bytes(-1);
  }

  void check() {
    segments::SegmentOptions options;
    options.directory = "/journal";
    options.segment_bytes = kSegmentBytes;
    options.files = &disk_;
    options.random = &random_;
    options.threads = false;
    const auto log = segments::SegmentLog::open(std::move(options));
    ASSERT_TRUE(log.ok()) << log.status();
    Fold fold(0);
    std::map<std::string, int64_t> found;
    const auto cursor = (*log)->read(0);
    while (true) {
      const auto record = cursor->next();
      ASSERT_TRUE(record.ok()) << record.status();
      if (!*record) break;
      const auto folded = fold.apply((*record)->offset, (*record)->bytes);
      ASSERT_TRUE(folded.ok()) << folded.status();
      if (!folded->commit) continue;
      ASSERT_TRUE(
          found.emplace(folded->commit->events(0).payload(), folded->commit->first_seq()).second)
          << "a command took effect twice";
    }
    for (const auto& [command, seq] : world_.acknowledged) {
      const auto at = found.find(command);
      ASSERT_NE(at, found.end()) << "acknowledged command " << command.substr(0, command.find('.'))
                                 << " is lost";
      ASSERT_EQ(at->second, seq) << "and at another place than answered";
    }
    // The heads form one history: what this reader folded once is what every later one folds first.
    ASSERT_TRUE(last_ == nullptr || last_->check_resume(**log).ok()) << last_->check_resume(**log);
    last_ = std::make_unique<Fold>(std::move(fold));
  }

  SeededRandom random_;
  SimulatedDisk disk_;
  ManualClock clock_;
  World world_;
  std::unique_ptr<Fold> last_;
};

TEST(SegmentWriterSimulation, EveryAcknowledgedCommandIsThereOnce) {
  set_log_level(LogLevel::kError);
  size_t acknowledged = 0;
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Simulation simulation(seed);
    simulation.run();
    if (HasFatalFailure()) return;
    acknowledged += simulation.acknowledged();
  }
  EXPECT_GT(acknowledged, kSeeds * 20) << "the simulation did too little to prove anything";
}

}  // namespace
}  // namespace taizhang::journal
