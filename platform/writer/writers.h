// All writers of one process: one per partition of the journal, and who leads.
//
// One process decides at a time, for every partition: who holds the claim of partition 0 claims the
// others; who loses any claim lets go of all. A second process with the same settings follows the
// journal, and takes over when the first one seems dead (liveness.h), has released its claims, or
// an operator says so. With an engine that locks its journal there is one partition and nobody
// else: start() claims it or fails.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "platform/journal/heartbeat.h"
#include "platform/journal/liveness.h"
#include "platform/state/state.h"
#include "platform/state/state_folder.h"
#include "platform/writer/writer.h"

namespace taizhang {

struct WritersSettings {
  WriterSettings writer;
  journal::LivenessSettings liveness;
  // Between a suspicion and the claim, at most; random, so that two do not claim at once.
  int64_t backoff_us_max = 300'000;
  // Between two attempts to open the other partitions, after one failed.
  int64_t open_retry_us = 5'000'000;
  // The operator's word that the present owner is dead. For one start.
  bool takeover = false;
};

class Writers : public CommandIntake {
 public:
  struct Parts {
    std::vector<journal::Log*> logs;               // index = partition
    journal::HeartbeatChannel* channel = nullptr;  // null: nobody else can own the journal
    Clock& clock;
    Random& random;
    const Registry& registry;
    const BlindIndex& blind_index;
    std::string key_id;
    StateFolder& states;
  };
  // Everything must outlive the Writers.
  Writers(Parts parts, WritersSettings settings);
  ~Writers() override;  // stop()

  // Not OK: this process can never serve; the message says why. DATA_LOSS: the journal lacks what
  // the state tables hold. With a channel it does not wait to lead: that is later or never.
  absl::Status start();
  // Answers every accepted command, writes the states, gives the claims up.
  void stop();

  void submit(Submission submission) override;
  void ask(OutcomeQuestion question) override;

  // Appends something to the partition soon, whose recorded time is now or later. False: this
  // process does not lead.
  bool close_time(uint32_t partition);

  // Sums over the partitions; serving: all of them.
  Writer::Stats stats() const;
  // By partition; those whose Genesis is not known yet are missing.
  std::vector<Writer::Standing> standings() const;
  // Why this process decides nothing now; it names the one that does. Nothing: it decides.
  std::optional<Error> not_leading() const;
  // This process does not lead, another one does or may.
  bool standing_by() const { return !leading_; }

 private:
  struct Partition {
    std::unique_ptr<State> state;
    std::unique_ptr<Writer> writer;
    std::atomic<Writer*> running{nullptr};  // the writer once it takes commands
    journal::Id128 claimed_before{};        // by the process that had these tables before this one
    // Appends of partition 0 that were confirmed when this one was seen lost.
    std::optional<uint64_t> probing;
  };
  absl::Status open(uint32_t partition, journal::Fold fold);
  std::string claim_file(uint32_t partition) const;
  Writer* writer_of(const std::string& ledger, bool opening) const;

  void coordinate();
  absl::Status open_others();
  bool may_speak();
  void hear();
  void lead_or_follow();
  bool may_take_over(const Writer::Standing& first);
  void lead_others(const Writer::Standing& first);

  const Parts parts_;
  const WritersSettings settings_;
  std::vector<Partition> partitions_;
  journal::Liveness liveness_;
  const journal::Id128 sender_;

  mutable std::mutex mutex_;
  absl::flat_hash_map<std::string, uint32_t> placed_;  // open ledgers

  // The coordinating thread's own.
  int64_t next_beat_us_ = 0;
  int64_t next_open_us_ = 0;
  int64_t take_over_at_us_ = 0;  // 0: no suspicion
  bool takeover_ = false;
  bool led_ = false;

  std::atomic<bool> leading_{false};
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace taizhang
