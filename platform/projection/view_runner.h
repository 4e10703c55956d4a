// One running view: its files, the thread that folds into them, and its queries.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <variant>
#include <vector>

#include "platform/command/dispatcher.h"
#include "platform/projection/feed.h"
#include "platform/projection/folder.h"
#include "platform/projection/journal_identity.h"
#include "platform/projection/query_plan.h"
#include "platform/projection/rate_meter.h"
#include "platform/projection/row_digests.h"
#include "platform/projection/signal.h"
#include "platform/projection/verify.h"
#include "platform/projection/views.h"
#include "platform/projection/waiters.h"

namespace taizhang::projection {

// What the views of a process share. Outlives them all.
struct Shared {
  Shared(std::vector<journal::Log*> partitions, Clock& time, ViewsSettings given)
      : logs(std::move(partitions)),
        clock(time),
        settings(std::move(given)),
        build_memory(settings.build_bytes_max),
        identity(static_cast<int>(logs.size())) {}

  int partitions() const { return static_cast<int>(logs.size()); }
  // Offset after the last record of each partition.
  std::vector<int64_t> ends() const;
  // What the feeds know of a ledger that no view holds yet.
  std::optional<Feed::KnownLedger> known(std::string_view ledger) const;

  const std::vector<journal::Log*> logs;  // by partition
  Clock& clock;
  const ViewsSettings settings;
  BuildMemory build_memory;
  std::function<std::string(std::string_view)> blind_index;
  std::shared_ptr<StoreResources> resources;
  std::string token_key;
  std::unique_ptr<Waiters> waiters;
  JournalIdentity identity;
  Signal grown;                              // raised by every feed
  std::vector<std::unique_ptr<Feed>> feeds;  // by partition; set before any view folds
  const EventSource* events = nullptr;
  std::function<bool(int partition)> close_time;  // as Views::close_times_with; may be null
  // A version of this view was built, has read a decision, or wants to be built anew. Never called
  // with a lock of the runner held.
  std::function<void(const std::string& view)> changed;
};

// Where calls wait for a partition's closed time, among those that wait for a ledger's seq.
inline std::string time_place(int partition) { return "time/" + std::to_string(partition); }

class ViewRunner : public LiveView, public std::enable_shared_from_this<ViewRunner> {
 public:
  ViewRunner(std::shared_ptr<Shared> shared, View view);
  ~ViewRunner() override;

  // Opens the files. Damage is no error here: the view stands still, and status() says why.
  void open();
  // Whether the journal is the one the files were made of. DATA_LOSS: it was rewound, damaged or
  // replaced.
  absl::Status check_journal() const;
  // Where a partition's fold stands with this view; nothing when none of it was folded.
  absl::StatusOr<std::optional<journal::Fold>> journal_fold(int partition) const {
    return folder_->journal_fold(partition);
  }
  int64_t position(int partition) const { return positions_[partition]; }
  bool healthy() const;
  // Queries are answered, or refused for one ledger only.
  bool answers() const;
  // The last one about this view, as far as this version has read.
  std::optional<LiveDecision> decision() const;
  // Has folded everything before these offsets and answers, or stands still.
  bool has_folded(const std::vector<int64_t>& ends) const;

  void start();  // folding
  void stop();

  // `places`: of the answer's rows, when it is not null; filled before `done` is called.
  void ask(const QueryPlan& plan, const Call& call,
           std::shared_ptr<const google::protobuf::Message> request, Done done,
           std::shared_ptr<RowPlaces> places = nullptr);
  const std::vector<std::unique_ptr<QueryPlan>>& plans() const { return plans_; }
  const View& view() const { return view_; }

  ViewStatus status() const;
  absl::Status rebuild();
  // It must be built anew although nobody asked for it: its files are damaged, or hold what is to
  // be passed over. rebuild(), mend() and drop() end that.
  bool wants_mending() const;
  // Builds it anew, unless meanwhile it does not want that any more.
  void mend();
  // It answers no more, so that nobody is sent to it while drop() waits; also when it is built anew
  // meanwhile. drop() must follow.
  void begin_drop();
  // After begin_drop(). Deletes the files; nothing is folded any more until rebuild().
  absl::Status drop();
  // UNAVAILABLE: it is being built. OUT_OF_RANGE, NOT_FOUND: see VerifyScope.
  absl::StatusOr<VerifyReport> verify(const VerifyScope& scope);
  // Its files, whole. UNAVAILABLE: it is being built or was dropped.
  absl::StatusOr<std::shared_ptr<const Store>> built_files() const;
  // What reading `files` said of them. Damage: it is built anew when they are its files still.
  void judge(const absl::Status& read, const Store& files) const;
  absl::StatusOr<std::vector<LedgerDigest>> digests(std::string_view ledger,
                                                    std::optional<int64_t> seq) const;
  // UNAVAILABLE: it is being built.
  absl::StatusOr<RowDigestsFound> row_digests(const RowDigestsWish& wish) const;
  bool find_event(std::string_view ledger, int64_t seq,
                  const std::function<void(const EventMeta&)>& visit) const;

  // Events of the ledger that are passed over as decided, also when the view stopped at a later
  // one. Errors as of progress(), but for that stop.
  std::variant<std::map<int64_t, Skip>, Error> skips_of(const std::string& ledger) const;

  // LiveView
  std::variant<Progress, Error> progress(const std::string& ledger) const override;
  std::optional<Error> read(const std::string& ledger, int64_t seq,
                            const std::function<void(SnapshotRows&)>& reading) const override;
  uint64_t when_beyond(const std::string& ledger, int64_t seq, int64_t deadline_boot_us,
                       std::function<void()> ready) override;
  void cancel(uint64_t waiting) override;
  int64_t boot_us() const override { return shared_->clock.boot_us(); }

 private:
  struct Published {
    int partition = 0;
    int64_t seq = 0;
    int64_t recorded_time_us = 0;
    int64_t stopped_seq = 0;
    std::string stopped_why;
  };

  static Published published_of(const LedgerProgress& progress);
  // `time_asked`: its moment as of a recorded time was waited for already.
  void answer(const QueryPlan& plan, const Call& call,
              std::shared_ptr<const google::protobuf::Message> request, Done done,
              std::shared_ptr<RowPlaces> places, bool time_asked);
  // Whether the moment may still receive commits, and the partition's owner was asked to end that.
  bool close_time(int partition, int64_t time_us, const Known& known) const;
  std::string directory() const;
  // There when the version was dropped: it is not built again by itself.
  std::string dropped_mark() const { return directory() + ".dropped"; }
  absl::StatusOr<std::shared_ptr<Store>> open_files() const;
  void open(const Skips& known_skips);
  absl::Status let_go_of_files();
  // With `operation_` held.
  absl::Status build_anew();
  absl::Status delete_files();
  BatchLimits limits() const;
  FoldSettings fold_settings() const;
  Wanted wanted() const;

  // Of the view's thread.
  void run();
  absl::StatusOr<bool> follow(int partition);
  absl::Status take(const Batch& batch);
  absl::Status flush_when_due();
  absl::Status write();
  // Calls again what found no room on the disk, until it does or the view stops.
  absl::Status until_room(const std::function<absl::Status()>& write_once);
  absl::Status read_alone(int partition, int64_t end_offset);
  // Hands on every batch before `end_offset`, however long the journal cannot be reached meanwhile.
  absl::Status read_until(int partition, journal::Fold fold, int64_t end_offset,
                          const std::function<absl::Status(const Batch&)>& take_one);
  // Of what reading the journal said: its damage is not mended by folding it again.
  absl::Status of_journal(absl::Status status);
  absl::Status resume_stopped();
  absl::Status resume_stopped(int partition);
  void publish();
  absl::Status begin_build();
  absl::Status finish_building();

  // kRebuild: the journal can give what the files have lost.
  enum class Mending { kNone, kRebuild };
  // `read_from`: the files that are blamed; nothing happens when others have taken their place, or
  // are about to.
  void fail(absl::Status why, Mending mending, const Store* read_from = nullptr) const;
  // Has it built anew by whoever looks after the views; `why` is told.
  void want_mending(std::string why);
  void publish_decisions();
  // With `mutex_` held.
  void set_skips(const Skips& skips);
  // An error when the view cannot answer at all; otherwise its files.
  std::variant<std::shared_ptr<Store>, Error> files() const;
  Known known_of(const std::string& ledger, const Published& published) const;
  bool stopping() const { return stopping_.load(std::memory_order_relaxed); }

  const std::shared_ptr<Shared> shared_;
  const View view_;
  std::vector<std::unique_ptr<QueryPlan>> plans_;

  std::unique_ptr<Folder> folder_;  // of the view's thread while it runs
  int64_t unflushed_events_ = 0;
  int64_t unflushed_since_us_ = 0;
  std::vector<int64_t> build_until_;  // the view is built once it has folded so far
  bool built_marked_ = false;         // and its files say so
  bool journal_failed_ = false;       // of the view's thread
  int decisions_seen_ = 0;            // of the view's thread

  mutable std::mutex mutex_;
  mutable std::condition_variable published_changed_;
  std::shared_ptr<Store> store_;
  std::map<std::string, Published, std::less<>> published_;
  mutable absl::Status status_;  // who only reads may find that it stands still
  bool building_ = false;
  bool dropped_ = false;
  int dropping_ = 0;  // drops that began and have not ended
  bool disk_full_ = false;
  mutable std::string mending_why_;  // wants to be built anew
  std::string rebuilt_why_;          // it was, since the start
  mutable int damage_rebuilds_ = 0;
  Skips skips_;
  std::map<std::string, std::shared_ptr<const std::vector<int64_t>>> skipped_seqs_;  // of skips_
  std::optional<LiveDecision> decision_;
  std::vector<int64_t> closed_times_us_;  // by partition
  int64_t last_time_us_ = 0;              // recorded time of the last commit folded
  RateMeter event_rate_;
  RateMeter record_rate_;
  int64_t first_records_ = 0;                    // where the meter began
  std::vector<std::atomic<int64_t>> positions_;  // by partition
  std::atomic<int64_t> events_folded_{0};
  std::atomic<int64_t> rows_written_{0};
  std::atomic<bool> resuming_{false};  // ledgers that stood still are being folded again
  std::atomic<bool> deciding_{false};  // what it has read or built is being followed
  std::atomic<bool> stopping_{false};
  std::mutex operation_;  // one rebuild or verify at a time
  std::thread thread_;
};

}  // namespace taizhang::projection
