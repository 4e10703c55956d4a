// The writer of one partition: one deciding loop that takes commands, decides them against the
// state, appends commits to the journal and answers when the answer is certain (design §3.2, §4).
//
// It leads (holds the claim and decides) or follows (keeps its state near the journal's end, ready
// to lead). submit() and ask() from any thread; everything else happens on the loop's thread, or in
// step() when a simulation drives it. The overlay of the state and what is in flight always belong
// to the same epoch of the same Owner.
//
// writer.cc: the loop and the claim · writer_standing.cc: orders and signs of life ·
// writer_journal.cc: what the journal tells · writer_decide.cc: from a command to an append ·
// writer_outcome.cc: GetOutcome · writer_answer.cc: when and how callers are answered.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "platform/base/clock.h"
#include "platform/journal/heartbeat.h"
#include "platform/journal/log.h"
#include "platform/journal/owner.h"
#include "platform/state/state.h"
#include "platform/writer/command_queue.h"
#include "platform/writer/commit_reader.h"
#include "platform/writer/submission.h"

namespace taizhang {

namespace journal::v1 {
class Commit;
}

struct WriterSettings {
  journal::OwnerSettings owner;
  // Commands waiting to be decided; more are answered RESOURCE_EXHAUSTED.
  size_t queued_commands_max = 10'000;
  // The same of one ledger, so that one county's flood leaves room for the others.
  size_t queued_commands_per_ledger_max = 5'000;
  // Of the records in flight, bulk commands may hold this many.
  size_t bulk_in_flight_max = 8'192;
  // Confirmed rows are written to the state tables at least this often, and when this many wait.
  int64_t state_write_us = 50'000;
  size_t state_write_rows = 20'000;
  // A digest of the state goes into the journal every so many commits.
  int64_t state_mark_commits = 1'000'000;
  // Between a claim that failed and the next one; doubled up to the second figure as long as claims
  // end FAILED_PRECONDITION.
  int64_t claim_retry_us = 200'000;
  int64_t claim_retry_us_max = 30'000'000;
  // Requests that may be cancelled for good by GetOutcome, per second.
  int64_t settles_per_s_max = 100;
  // How long the idle loop looks for work before it sleeps.
  int64_t spin_us = 20;
  // Between two signs of life.
  int64_t heartbeat_us = 500'000;
  // After another process took the partition: follow, and wait for lead(). Otherwise claim again.
  bool follow_when_deposed = false;
};

// What the process around a writer does for it; each may be empty. Called on the loop's thread.
struct WriterHooks {
  // A ledger was opened (true) or closed in this partition, for ever.
  std::function<void(const std::string& ledger, bool open)> on_ledger;
  // A command OpenLedger whose ledger is placed in another partition.
  std::function<void(uint32_t partition, Submission submission)> forward;
  std::function<void(const journal::Heartbeat&)> beat;
};

class Writer : public CommandIntake, private journal::OwnerListener {
 public:
  // Everything must outlive the writer. `state` was opened on the same journal's data. `fold`: a
  // fresh one of the partition.
  Writer(journal::Log& log, Clock& clock, Random& random, const Registry& registry, State& state,
         const BlindIndex& blind_index, std::string key_id, WriterSettings settings,
         journal::Fold fold = journal::Fold(0), WriterHooks hooks = {});
  ~Writer() override;

  // Folds what the state misses, claims the partition, founds the directory ledger in a new
  // journal. Not OK: this process cannot serve; the message says why.
  absl::Status start();
  // Only finds where the state stands, and that the journal still holds all of it (DATA_LOSS: it
  // does not): the loop will follow until lead().
  absl::Status start_following();
  // Starts the loop's thread.
  void run();
  // Refuses new commands, answers every accepted one, writes the state, gives the claim up.
  void stop();

  void submit(Submission submission) override;
  void ask(OutcomeQuestion question) override;

  // The loop claims the partition when `only_after` (all zero: nobody) is its last owner, and
  // leads; otherwise it goes on following. Any thread.
  void lead(const journal::Id128& only_after);
  // The loop lets go of the claim and follows. Any thread.
  void follow();
  // The loop appends something: it finds out whether the claim still holds, and closes all time
  // before it. Any thread.
  void probe();

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

  // Where the partition stands, as far as this process has read the journal.
  struct Standing {
    bool leading = false;    // it holds the claim and decides
    bool following = false;  // it waits for lead(); neither: it is about to claim again
    bool claiming = false;   // lead() was asked for and has not ended
    bool failed = false;     // it never will again
    std::string failure;
    bool has_genesis = false;
    journal::Id128 uuid{};
    uint32_t partition_count = 0;
    uint64_t epoch = 0;
    journal::Id128 owner{};  // all zero: nobody
    std::string owner_address;
    bool at_end = false;     // nothing was left to read a moment ago
    bool own_claim = false;  // valid, and not served from yet
    uint64_t confirmed = 0;  // appends of this epoch
    int64_t offset = 0;
    int64_t end = 0;
  };
  Standing standing() const;

 private:
  struct Receipt {
    std::string ledger;
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
    // Set: the command goes on to that partition then.
    std::optional<uint32_t> forward;
    // Append n is this entry's own: what it asks for is done once that stands in the journal.
    bool wrote = false;
    std::optional<Submission> submission;
    std::optional<OutcomeQuestion> question;
    bool of_in_flight = false;  // the question's request is written and not confirmed
  };
  enum class Role { kLeading, kFollowing };

  // writer.cc
  absl::Status restore();
  absl::Status claim(std::optional<journal::Id128> only_after);
  void loop();
  bool done() const;
  bool follow_step();
  bool lead_step();
  bool claim_again();
  void stop_for_good(const absl::Status& why);
  bool take_work();
  void mark_state();
  void append_barrier();
  bool write_state(bool force);

  // writer_standing.cc
  void take_orders();
  void beat();
  void publish(bool at_end);

  // writer_journal.cc
  absl::Status on_record(const journal::Folded& record) override;
  void on_confirmed(uint64_t n, int64_t offset) override;
  void on_epoch_ended(const absl::Status& why) override;
  absl::Status apply_commit(const journal::v1::Commit& commit, int64_t offset);
  absl::Status apply_record(const journal::Folded& record);
  absl::Status keep(const journal::Folded& record);

  // writer_decide.cc
  absl::Status found_directory();
  absl::Status found_by_itself(std::string_view ledger_code, int kind, const char* name);
  // The ledger on which it is decided: the one it names, or this partition's system ledger.
  const std::string& home_of(const Submission& submission) const;
  void process(Submission submission);
  enum class Opening { kOpened, kForwarded, kPlacedOtherwise, kFailed };
  Opening open_ledger(Submission& submission, std::optional<Error>& error);
  uint32_t partition_with_fewest(const Ledger& directory) const;
  void accept(Submission submission, const Occasion& occasion, Events& events);
  absl::StatusOr<uint64_t> append_commit(const journal::v1::Commit& commit,
                                         const std::vector<Emitted>& events,
                                         const Submission* submission, const Occasion& occasion);
  absl::Status append_ledger_opened(std::string_view ledger, int kind);
  Occasion occasion_for(const Submission& submission, int kind,
                        const common::v1::Actor* actor) const;

  // writer_outcome.cc
  void process(OutcomeQuestion question);
  bool may_settle();

  // writer_answer.cc
  void answer_when_certain(Waiting waiting);
  void decide_again(Submission submission);
  void reply_refusal(Submission submission, const Refusal& refusal);
  Answer rebuild_answer(const Submission& submission, const Receipt& receipt);
  void deliver();
  void answer(Waiting& waiting, Answer with);
  void resolve_doubts();
  void decide_doubts();
  void answer_queued(int64_t late_boot_us);
  void expire_doubts();
  void expire_questions();
  Error unavailable(const char* outcome) const;

  journal::Log& log_;
  Clock& clock_;
  Random& random_;
  const Registry& registry_;
  State& state_;
  const BlindIndex& blind_index_;
  const std::string key_id_;
  const std::string system_ledger_;
  const WriterSettings settings_;
  const WriterHooks hooks_;
  journal::Fold fresh_fold_;
  const journal::Id128 sender_;
  std::unique_ptr<journal::Owner> owner_;
  CommandQueue queue_;
  CommitReader commits_in_journal_;

  // Shared with other threads.
  mutable std::mutex mutex_;
  std::optional<journal::Id128> lead_after_;
  bool follow_asked_ = false;
  bool probe_asked_ = false;
  Standing standing_;
  std::atomic<bool> stopping_{false};

  // The loop's own.
  Role role_ = Role::kLeading;
  std::deque<Waiting> waiting_;  // ascending n
  std::deque<Waiting> ready_;
  std::deque<Waiting> doubtful_;  // of the epoch that ended last
  uint64_t recovered_n_ = 0;      // appends of that epoch up to this one stand in the journal
  std::deque<uint64_t> bulk_appends_;
  size_t of_in_flight_ = 0;  // of waiting_
  bool need_barrier_ = false;
  bool need_directory_ = false;  // the directory ledger is not known to be there
  struct AppendedCommit {
    std::string ledger;
    int64_t first_seq = 0;
  };
  std::map<uint64_t, AppendedCommit> commit_at_;  // by n
  std::map<uint64_t, std::string> opened_at_;     // by n
  int64_t commits_since_mark_ = 0;
  int64_t last_state_write_us_ = 0;
  int64_t next_claim_us_ = 0;
  int64_t claim_pause_us_ = settings_.claim_retry_us;
  int64_t next_beat_us_ = 0;
  int64_t next_expiry_us_ = 0;
  int64_t settles_from_us_ = 0;
  int64_t settles_ = 0;
  bool failed_ = false;        // this process must not serve any more
  bool state_behind_ = false;  // a record was folded that the state does not hold
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
