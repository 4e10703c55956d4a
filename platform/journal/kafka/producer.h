// Writes to a few partitions through one idempotent producer, and makes a new one when librdkafka
// gives it up.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "platform/journal/kafka/client.h"
#include "platform/journal/kafka/settings.h"
#include "platform/journal/kafka/tail.h"
#include "platform/journal/log.h"

namespace taizhang::journal::kafka {

// A fatal error stops all partitions of a producer, hence few share one.
inline constexpr int kPartitionsPerProducer = 8;

class ProducerSession;

// What is produced to one partition and not reported yet, in order. Every record gets exactly one
// report, in the order of produce(): a report that comes early waits for those before it, one that
// comes after the record was given up is dropped.
//
// `gather`: librdkafka gets what was produced while the last group was in flight as the next group.
// Records that wait inside librdkafka 2.0.2 behind a request in flight make its thread poll without
// a pause, and the broker gets more and smaller requests. Thread-safe.
class Line {
 public:
  Line(int32_t partition, Tail& tail, int64_t records_max, int64_t bytes_max, bool gather);

  int32_t partition() const { return partition_; }
  void set_sink(ReportSink sink);
  absl::Status room() const;

  struct Entry {
    Line* line = nullptr;
    const ProducerSession* session = nullptr;
    uint64_t tag = 0;
    std::string bytes;         // librdkafka reads them here until its session ends
    uint64_t connections = 0;  // of the session's client, before it was sent
    bool sent = false;
    bool reported = false;
    bool settled = false;
    absl::StatusOr<int64_t> offset = int64_t{-1};
  };
  // Queues and hands to `session`; takes `bytes` only then. ABORTED: the session has failed.
  absl::Status produce(ProducerSession& session, std::string& bytes, uint64_t tag);
  // What became of an entry; whoever hears it calls report_settled() after.
  void settle(Entry& entry, absl::StatusOr<int64_t> offset);
  // Reports what nothing unsettled stands before, and sends what waited for it. Called by the
  // session's thread.
  void report_settled(ProducerSession& session);
  // Reports all that the session has not settled as failed; returns the entries, which must live as
  // long as the session's client.
  std::vector<std::unique_ptr<Entry>> give_up(const ProducerSession& session,
                                              const absl::Status& why);

 private:
  absl::Status room_for(int64_t bytes) const;
  std::unique_ptr<Entry> take_front_locked();
  int32_t send_locked(ProducerSession& session, Entry& entry);
  void send_waiting_locked(ProducerSession& session);
  void report(std::vector<std::unique_ptr<Entry>>& settled);
  void feed_tail(const ProducerSession& session, std::vector<std::unique_ptr<Entry>>& settled);

  const int32_t partition_;
  Tail& tail_;
  const int64_t records_max_;
  const int64_t bytes_max_;
  std::mutex sink_mutex_;  // before mutex_; held while reporting, so that reports keep their order
  ReportSink sink_ = [](AppendReport) {};
  mutable std::mutex mutex_;
  std::deque<std::unique_ptr<Entry>> entries_;
  int64_t bytes_ = 0;
  const bool gather_;
  size_t unsent_ = 0;  // at the end of entries_
};

// One librdkafka producer from its making to its end, with the thread that hears its reports.
class ProducerSession {
 public:
  static absl::StatusOr<std::shared_ptr<ProducerSession>> start(const KafkaSettings& settings,
                                                                std::vector<Line*> lines);
  // Everything not settled is reported as failed.
  ~ProducerSession();

  // Its producer is no good any more; all that was in flight is or will be reported as failed.
  bool failed() const { return failed_.load(std::memory_order_acquire); }
  void fail(const std::string& why);
  // Whether the thread has ended: the destructor does not wait.
  bool ended() const { return ended_.load(std::memory_order_acquire); }
  // Until the topic's metadata is here or could not be had.
  void wait_warm();

  // What is sent or was reported now takes it. Called before run() ends.
  Route route() const { return {serial_, client_->connections()}; }

  // A librdkafka error code; 0: exactly one report will come. `entry` stays in place until then.
  int32_t send(Line::Entry& entry);

 private:
  ProducerSession(const KafkaSettings& settings, std::vector<Line*> lines);
  void run();

  const uint64_t serial_;  // unlike any other's of this process
  const KafkaSettings settings_;
  const std::vector<Line*> lines_;
  std::shared_ptr<Client> client_;  // until nothing can be sent any more
  std::atomic<bool> failed_{false};
  std::atomic<bool> fatal_{false};
  std::atomic<bool> ended_{false};
  std::mutex mutex_;
  std::condition_variable changed_;
  bool warm_ = false;
  bool all_given_up_ = false;
  std::string fatal_why_;
  std::vector<std::unique_ptr<Line::Entry>> given_up_;
  std::thread thread_;
};

// Thread-safe.
class Producer {
 public:
  // Returns when the first produce() would not wait for the topic's metadata. `lines` must outlive
  // it.
  static absl::StatusOr<std::unique_ptr<Producer>> open(const KafkaSettings& settings,
                                                        std::vector<Line*> lines);
  ~Producer();

  // As Log::produce(). After a fatal error everything in flight has been reported as failed before
  // a new producer takes the next record: the fold, not this engine, decides whether that is valid.
  absl::Status produce(Line& line, std::string bytes, uint64_t tag);

 private:
  explicit Producer(const KafkaSettings& settings) : settings_(settings) {}
  absl::StatusOr<std::shared_ptr<ProducerSession>> session();

  const KafkaSettings settings_;
  std::vector<Line*> lines_;
  std::mutex mutex_;
  std::shared_ptr<ProducerSession> session_;
  std::vector<std::shared_ptr<ProducerSession>> failed_;  // whose threads may still be ending
};

}  // namespace taizhang::journal::kafka
