// The journal of this process, on either engine, chosen by the settings.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "platform/journal/heartbeat.h"
#include "platform/journal/log.h"

namespace taizhang {

namespace config::v1 {
class Config;
}
namespace journal::kafka {
class KafkaJournal;
}
namespace journal::segments {
class SegmentLog;
}

class ProcessJournal {
 public:
  // `folder`: of the settings file. The message of an error says what to do. FAILED_PRECONDITION
  // also where the journal is another one than this data folder was used with, or is empty.
  static absl::StatusOr<std::unique_ptr<ProcessJournal>> open(const config::v1::Config& config,
                                                              const std::string& folder);
  ~ProcessJournal();  // close()

  // Index = partition.
  const std::vector<journal::Log*>& partitions() const { return partitions_; }
  // Null: nobody else can own this journal.
  journal::HeartbeatChannel* heartbeats() const { return heartbeats_.get(); }
  // Nothing was ever written.
  bool empty() const;
  // Null: the other engine.
  const journal::segments::SegmentLog* segments() const { return segments_.get(); }

  // Writes down which journal this data folder belongs to, once there is one; a topic that was made
  // anew is then refused at the next start, also where every local store was lost.
  void remember();

  bool reachable() const;
  // What the last check of the topic found; empty: nothing, or no check is needed.
  std::string unsafe_why() const;

  // After everything that uses it. Idempotent.
  void close();

 private:
  ProcessJournal();
  absl::Status open_segments(const config::v1::Config& config);
  absl::Status open_kafka(const config::v1::Config& config, const std::string& folder);
  void check_again_and_again(int64_t interval_s);
  // Of the first record; empty: there is none yet.
  absl::StatusOr<std::string> uuid() const;
  absl::Status check_remembered();
  absl::Status write_down(const std::string& text) const;

  std::unique_ptr<journal::segments::SegmentLog> segments_;
  std::unique_ptr<journal::kafka::KafkaJournal> kafka_;
  std::unique_ptr<journal::HeartbeatChannel> heartbeats_;
  std::vector<journal::Log*> partitions_;
  std::string data_dir_;
  bool remembered_ = false;

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::string unsafe_why_;
  bool closing_ = false;
  std::thread checker_;
};

}  // namespace taizhang
