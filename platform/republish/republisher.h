// Mirrors a whole journal into its clean topic: one lane and one thread per partition.
//
// Any number of them may run at once, in any processes; one is enough, a second only adds copies.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "platform/base/clock.h"
#include "platform/journal/log.h"
#include "platform/republish/clean_topic.h"
#include "platform/republish/lane.h"

namespace taizhang::republish {

struct RepublisherSettings {
  // Made when missing. Holds a checkpoint per partition, which may be deleted at any time.
  std::string directory;
  LaneSettings lane;
  int64_t checkpoint_interval_us = 10'000'000;
  // Pause after a failed attempt: doubled from the first to the second.
  int64_t retry_us_min = 100'000;
  int64_t retry_us_max = 5'000'000;
};

// start() and stop() on one thread, status() on any.
class Republisher {
 public:
  // Index of `journal` = partition. The logs and the clock must outlive it.
  Republisher(std::vector<journal::Log*> journal, std::unique_ptr<CleanTopic> topic, Clock& clock,
              RepublisherSettings settings);
  ~Republisher();

  // FAILED_PRECONDITION: the topic has not as many partitions as the journal. INTERNAL: the
  // directory cannot be made. Everything that goes wrong later stands in status().
  absl::Status start();
  // Ends within a tenth of a second, or what a question to the topic takes; what is in flight is
  // found in the topic by the next start, or sent again. Not to be started again.
  void stop();

  // One per partition, in order.
  std::vector<LaneStatus> status() const;

 private:
  struct Worker {
    // Null until the partition's Genesis is known, and after its thread has ended.
    std::unique_ptr<Lane> lane;
    LaneStatus rest;  // what status() says then
    std::thread thread;
  };

  void run(uint32_t partition);
  std::unique_ptr<Lane> make_lane(uint32_t partition);
  void drive(uint32_t partition, Lane& lane);
  void save(uint32_t partition, const Lane& lane, Checkpoint& saved);
  std::string path_of(uint32_t partition) const;
  void pause(int64_t us);  // or until stop()
  bool stopping() const;

  const std::vector<journal::Log*> journal_;
  const std::unique_ptr<CleanTopic> topic_;
  Clock& clock_;
  const RepublisherSettings settings_;

  mutable std::mutex mutex_;
  std::condition_variable stop_asked_;
  bool stopping_ = false;
  std::vector<Worker> workers_;
};

}  // namespace taizhang::republish
