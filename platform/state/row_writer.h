// Writes batches of rows to the store on a thread of its own: serialising, hashing and RocksDB's
// sorted memory cost more than deciding does.
//
// One batch at a time; start(), finished() and take_result() from one thread, the deciding loop.
// The rows of a batch must not change or move until its result is taken.
#pragma once

#include <google/protobuf/message.h>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "platform/state/row_store.h"
#include "platform/state/state_digest.h"

namespace taizhang {

class RowWriter {
 public:
  struct Row {
    std::string_view key;
    const google::protobuf::Message* row = nullptr;  // null: erased
    // Of the row as it is counted in the digest; the batch counts it anew.
    RowHash* counted = nullptr;
  };
  struct Batch {
    std::vector<Row> rows;
    // Written as they are: positions.
    std::vector<std::pair<std::string, std::string>> others;
    // Key under which the digest of all rows is written.
    std::string digest_key;
  };

  // `digest`: of the rows in `store`, which must outlive this. What was written survives a power
  // cut after `sync_us` at the latest.
  RowWriter(RowStore& store, DigestSum digest, int64_t sync_us);
  // Finishes the batch under way.
  ~RowWriter();

  // Only when no batch is under way or waits for its result to be taken.
  void start(Batch batch);
  // A batch was written, or failed, and its result is not taken yet.
  bool finished() const;
  // Waits until the batch under way is done; OK when there is none. After a failure none of its
  // rows is in the store, but the digest counts them: they have to come again.
  absl::Status take_result();

  // Of all rows that were given so far; waits for the batch under way.
  DigestSum digest() const;

 private:
  enum class Phase { kIdle, kStarted, kDone, kStopping };
  void loop();
  absl::Status write(Batch& batch);

  RowStore& store_;
  const std::chrono::microseconds sync_interval_;
  std::optional<std::chrono::steady_clock::time_point> sync_at_;  // the thread's own
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  Phase phase_ = Phase::kIdle;
  Batch batch_;
  absl::Status result_;
  DigestSum digest_;
  std::thread thread_;
};

}  // namespace taizhang
