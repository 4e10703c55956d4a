// Threads, pauses and checkpoints around the lanes.
#include "platform/republish/republisher.h"

#include <algorithm>
#include <chrono>
#include <optional>

#include "absl/strings/str_cat.h"
#include "platform/base/file.h"
#include "platform/base/log.h"

namespace taizhang::republish {
namespace {

// How long a wait may keep stop() waiting.
constexpr int64_t kWaitUs = 100'000;

// What partition 0 says of the journal; nullopt: nothing yet.
absl::StatusOr<std::optional<journal::GenesisExpectation>> genesis_of(journal::Log& partition0) {
  journal::Fold fold(0);
  const auto cursor = partition0.read(0);
  while (!fold.has_genesis()) {
    const auto record = cursor->next();
    if (!record.ok()) return record.status();
    if (!*record) return std::nullopt;
    if (auto folded = fold.apply((*record)->offset, (*record)->bytes); !folded.ok()) {
      return folded.status();
    }
  }
  return journal::GenesisExpectation{.uuid = fold.uuid(),
                                     .partition_count = fold.partition_count()};
}

}  // namespace

Republisher::Republisher(std::vector<journal::Log*> journal, std::unique_ptr<CleanTopic> topic,
                         Clock& clock, RepublisherSettings settings)
    : journal_(std::move(journal)),
      topic_(std::move(topic)),
      clock_(clock),
      settings_(std::move(settings)) {}

Republisher::~Republisher() { stop(); }

absl::Status Republisher::start() {
  const auto partitions = static_cast<int>(journal_.size());
  if (topic_->partitions() != partitions) {
    return absl::FailedPreconditionError(absl::StrCat("the clean topic has ", topic_->partitions(),
                                                      " partitions, the journal ", partitions,
                                                      ": they must be as many"));
  }
  if (auto made = system_files().make_directory(settings_.directory); !made.ok()) return made;
  const std::lock_guard lock(mutex_);
  workers_.resize(journal_.size());
  for (uint32_t i = 0; i < workers_.size(); ++i) {
    workers_[i].rest.partition = i;
    workers_[i].thread = std::thread([this, i] { run(i); });
  }
  return absl::OkStatus();
}

void Republisher::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  stop_asked_.notify_all();
  for (Worker& worker : workers_) {
    if (worker.thread.joinable()) worker.thread.join();
  }
}

std::vector<LaneStatus> Republisher::status() const {
  const std::lock_guard lock(mutex_);
  std::vector<LaneStatus> status;
  status.reserve(workers_.size());
  for (const Worker& worker : workers_) {
    status.push_back(worker.lane ? worker.lane->status() : worker.rest);
  }
  return status;
}

void Republisher::run(uint32_t partition) {
  std::unique_ptr<Lane> made = make_lane(partition);
  if (!made) return;
  Lane& lane = *made;
  {
    const std::lock_guard lock(mutex_);
    workers_[partition].lane = std::move(made);
  }
  drive(partition, lane);
  // Its cursors must be gone before the journal is closed.
  const std::lock_guard lock(mutex_);
  workers_[partition].rest = lane.status();
  workers_[partition].lane.reset();
}

// Waits for the journal's Genesis; null: stopping.
std::unique_ptr<Lane> Republisher::make_lane(uint32_t partition) {
  std::optional<journal::GenesisExpectation> expected;
  for (; partition != 0; pause(kWaitUs)) {
    if (stopping()) return nullptr;
    auto genesis = genesis_of(*journal_[0]);
    if (genesis.ok() && *genesis) {
      expected = **genesis;
      break;
    }
    const std::lock_guard lock(mutex_);
    workers_[partition].rest.status = genesis.status();
  }
  auto checkpoint = load_checkpoint(path_of(partition));
  if (!checkpoint.ok()) {
    log(LogLevel::kWarning, "republish_checkpoint_dropped",
        {{"partition", static_cast<int64_t>(partition)},
         {"why", std::string(checkpoint.status().message())}});
    checkpoint = Checkpoint{};
  }
  return std::make_unique<Lane>(partition, expected, *journal_[partition],
                                topic_->partition(static_cast<int>(partition)), clock_,
                                settings_.lane, std::move(*checkpoint));
}

void Republisher::drive(uint32_t partition, Lane& lane) {
  Checkpoint saved = lane.checkpoint();
  int64_t saved_us = clock_.boot_us();
  int64_t retry_us = settings_.retry_us_min;
  while (!stopping()) {
    const auto step = lane.step();
    if (!step.ok()) {
      log(LogLevel::kError, "republish_attempt_ended",
          {{"partition", static_cast<int64_t>(partition)},
           {"why", std::string(step.status().message())}});
      // Trying again would only repeat it; the status stays until an operator has acted.
      if (is_final(step.status())) break;
      pause(retry_us);
      retry_us = std::min(2 * retry_us, settings_.retry_us_max);
      continue;
    }
    if (*step == Lane::Step::kWaitsForJournal) {
      retry_us = settings_.retry_us_min;
      journal_[partition]->wait_beyond(lane.status().journal_offset, absl::Microseconds(kWaitUs));
    }
    if (*step == Lane::Step::kWaitsForTopic) lane.wait(absl::Microseconds(kWaitUs));
    if (clock_.boot_us() - saved_us >= settings_.checkpoint_interval_us) {
      save(partition, lane, saved);
      saved_us = clock_.boot_us();
    }
  }
  save(partition, lane, saved);
}

void Republisher::save(uint32_t partition, const Lane& lane, Checkpoint& saved) {
  Checkpoint checkpoint = lane.checkpoint();
  if (checkpoint == saved) return;
  if (auto written = save_checkpoint(path_of(partition), checkpoint); !written.ok()) {
    // Only the next start is slower for it.
    log(LogLevel::kWarning, "republish_checkpoint_not_saved",
        {{"partition", static_cast<int64_t>(partition)}, {"why", std::string(written.message())}});
    return;
  }
  saved = std::move(checkpoint);
}

std::string Republisher::path_of(uint32_t partition) const {
  return absl::StrCat(settings_.directory, "/", partition, ".checkpoint");
}

void Republisher::pause(int64_t us) {
  std::unique_lock lock(mutex_);
  stop_asked_.wait_for(lock, std::chrono::microseconds(us), [this] { return stopping_; });
}

bool Republisher::stopping() const {
  const std::lock_guard lock(mutex_);
  return stopping_;
}

}  // namespace taizhang::republish
