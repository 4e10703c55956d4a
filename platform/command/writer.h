// The writer of one partition: one deciding loop that takes commands, decides them against the
// state, appends commits to the journal and answers when the answer is certain (design §3.2, §4).
//
// submit() and ask() from any thread; everything else happens on the loop's thread, or in step()
// when a simulation drives it. The overlay of the state and what is in flight always belong to the
// same epoch of the same Owner.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "platform/base/clock.h"
#include "platform/command/answer.h"
#include "platform/command/caller.h"
#include "platform/command/decide.h"
#include "platform/command/fingerprint.h"
#include "platform/journal/log.h"
#include "platform/journal/owner.h"
#include "platform/state/state.h"

namespace taizhang {

namespace journal::v1 {
class Commit;
}

struct WriterSettings {
  journal::OwnerSettings owner;
  // Commands waiting to be decided; more are answered RESOURCE_EXHAUSTED.
  size_t queued_commands_max = 10'000;
  // Of the records in flight, bulk commands may hold this share.
  size_t bulk_in_flight_max = 8'192;
  // Confirmed rows are written to the state tables at least this often, and when this many wait.
  int64_t state_write_us = 50'000;
  size_t state_write_rows = 20'000;
  // A digest of the state goes into the journal every so many commits.
  int64_t state_mark_commits = 1'000'000;
  int64_t claim_retry_us = 200'000;
  // How long the idle loop looks for work before it sleeps.
  int64_t spin_us = 20;
};

// A command on its way: validated, authorised and fingerprinted.
struct Submission {
  const CommandType* type = nullptr;
  std::shared_ptr<const google::protobuf::Message> request;
  const Caller* caller = nullptr;
  int64_t deadline_boot_us = 0;
  std::string ledger;
  std::string request_id;
  Fingerprints fingerprints;
  std::vector<Reference> references;  // views into `request`
  bool validate_only = false;
  bool bulk = false;
  Done done;
};

// GetOutcome.
struct OutcomeQuestion {
  std::string ledger;
  std::string request_id;
  bool settle = false;
  int64_t deadline_boot_us = 0;
  Done done;
};

class Writer : private journal::OwnerListener {
 public:
  // Everything must outlive the writer. `state` was opened on the same journal's data.
  Writer(journal::Log& log, Clock& clock, Random& random, const Registry& registry, State& state,
         const BlindIndex& blind_index, std::string key_id, WriterSettings settings);
  ~Writer() override;

  // Folds what the state misses, claims the partition, founds the directory ledger in a new
  // journal. Not OK: this process cannot serve; the message says why.
  absl::Status start();
  // Starts the loop's thread.
  void run();
  // Refuses new commands, answers every accepted one, writes the state, gives the claim up.
  void stop();

  void submit(Submission submission);
  void ask(OutcomeQuestion question);

  // One turn of the loop, for simulations; true: it did something.
  bool step();

  struct Stats {
    size_t queued = 0;
    size_t in_flight = 0;
    uint64_t commits = 0;
    uint64_t refusals = 0;
    uint64_t duplicates = 0;
    uint64_t epochs = 0;
    uint64_t void_records = 0;
    uint64_t foreign_records = 0;
    bool serving = false;
  };
  Stats stats() const;

 private:
  struct Receipt {
    int64_t first_seq = 0;
    int64_t last_seq = 0;
    int64_t recorded_time_us = 0;
    bool duplicate = false;
    bool unchanged = false;
  };
  // An answer that waits until append n is confirmed.
  struct Waiting {
    uint64_t n = 0;
    Answer answer;
    // Set: the answer is built from the journal then.
    std::optional<Receipt> rebuild;
    // This entry's own append carries the commit of the submission.
    int64_t wrote_first_seq = 0;
    std::optional<Submission> submission;
    std::optional<OutcomeQuestion> question;
  };

  absl::Status on_record(const journal::Folded& record) override;
  void on_confirmed(uint64_t n, int64_t offset) override;
  void on_epoch_ended(const absl::Status& why) override;

  void loop();
  bool take_queue();
  void process(Submission submission);
  void process(OutcomeQuestion question);
  bool open_ledger(const Submission& submission, std::optional<Error>& error);
  void accept(Submission submission, const Occasion& occasion, Events& events);
  absl::StatusOr<uint64_t> append_commit(const journal::v1::Commit& commit,
                                         const std::vector<Emitted>& events,
                                         const Submission* submission, const Occasion& occasion);
  absl::Status append_ledger_opened(std::string_view ledger, int kind);
  absl::Status found_directory();
  Occasion occasion_for(const Submission& submission, int kind,
                        const common::v1::Actor* actor) const;
  absl::Status apply_commit(const journal::v1::Commit& commit, int64_t offset);
  // Answers when everything it was decided on is confirmed, and, where the engine needs it, an
  // append after it too.
  void answer_when_certain(Waiting waiting);
  void decide_again(Submission submission);
  void reply_refusal(Submission submission, const Refusal& refusal);
  std::unique_ptr<google::protobuf::Message> rebuild_response(const Submission& submission,
                                                              const Receipt& receipt);
  void deliver();
  bool recover();
  void expire(const char* outcome, std::deque<Waiting>& list);
  bool write_state(bool force);
  void wake();

  journal::Log& log_;
  Clock& clock_;
  const Registry& registry_;
  State& state_;
  const BlindIndex& blind_index_;
  const std::string key_id_;
  const WriterSettings settings_;
  std::unique_ptr<journal::Owner> owner_;
  Random& random_;

  // Shared with submitting threads.
  mutable std::mutex mutex_;
  std::condition_variable work_;
  std::deque<Submission> queue_;
  std::deque<Submission> bulk_queue_;
  std::deque<OutcomeQuestion> questions_;
  bool woken_ = false;
  std::atomic<bool> stopping_{false};
  std::atomic<size_t> queued_{0};

  // The loop's own.
  std::deque<Waiting> waiting_;  // ascending n
  std::deque<Waiting> ready_;
  std::deque<Waiting> doubtful_;  // of an epoch that ended
  size_t bulk_in_flight_ = 0;
  std::deque<uint64_t> bulk_appends_;
  bool need_barrier_ = false;
  std::map<uint64_t, std::pair<std::string, int64_t>> commit_at_;  // n -> ledger, first seq
  int64_t commits_since_mark_ = 0;
  int64_t last_state_write_us_ = 0;
  int64_t next_claim_us_ = 0;
  bool failed_ = false;  // this process must not serve any more
  std::thread thread_;

  std::atomic<uint64_t> commits_{0};
  std::atomic<uint64_t> refusals_{0};
  std::atomic<uint64_t> duplicates_{0};
  std::atomic<uint64_t> epochs_{0};
  std::atomic<size_t> in_flight_{0};
  std::atomic<uint64_t> void_records_{0};
  std::atomic<uint64_t> foreign_records_{0};
  std::atomic<bool> serving_{false};
  std::atomic<bool> damaged_{false};  // the state tables cannot be read
};

}  // namespace taizhang
