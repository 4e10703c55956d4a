// A running view: its files, how it begins and ends, and what operators do with it.
#include "platform/projection/view_runner.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>

#include "platform/base/log.h"
#include "platform/projection/verify.h"
#include "platform/projection/view_digest.h"
#include "taizhang/common/v1/errors.pb.h"

namespace taizhang::projection {
namespace {

constexpr auto kReadersEndWait = std::chrono::seconds(30);
// What status() names one by one; both are counted in full.
constexpr size_t kLaggingToldMax = 20;
constexpr size_t kSkippedToldMax = 100;

}  // namespace

std::vector<int64_t> Shared::ends() const {
  std::vector<int64_t> ends;
  ends.reserve(logs.size());
  for (const auto* log : logs) ends.push_back(log->end());
  return ends;
}

std::optional<Feed::KnownLedger> Shared::known(std::string_view ledger) const {
  for (const auto& feed : feeds) {
    if (auto known = feed->known(ledger)) return known;
  }
  return std::nullopt;
}

ViewRunner::ViewRunner(std::shared_ptr<Shared> shared, View view)
    : shared_(std::move(shared)),
      view_(std::move(view)),
      closed_times_us_(shared_->logs.size()),
      positions_(shared_->logs.size()) {
  for (const auto& method : view_.methods()) {
    if (method.query) plans_.push_back(std::make_unique<QueryPlan>(view_, method));
  }
}

ViewRunner::~ViewRunner() { stop(); }

std::string ViewRunner::directory() const {
  return shared_->settings.directory + "/" + view_.name() + "-v" + std::to_string(view_.version());
}

BatchLimits ViewRunner::limits() const {
  return {shared_->settings.batch_events_max, shared_->settings.batch_bytes_max};
}

FoldSettings ViewRunner::fold_settings() const {
  const auto& settings = shared_->settings;
  return {settings.row_cache_bytes_per_view, settings.fold_threads_per_view,
          settings.build_filter_bytes_max};
}

Wanted ViewRunner::wanted() const {
  return [this](const google::protobuf::Descriptor* type) { return view_.wants(type); };
}

ViewRunner::Published ViewRunner::published_of(const LedgerProgress& progress) {
  return {static_cast<int>(progress.partition), progress.seq, progress.recorded_time_us,
          progress.stopped_seq, progress.stopped_why};
}

absl::StatusOr<std::shared_ptr<Store>> ViewRunner::open_files() const {
  auto opened = Store::open(directory(), shared_->resources);
  if (opened.status().code() != absl::StatusCode::kFailedPrecondition) return opened;
  // All of it stands in the journal, so another format is no reason to refuse.
  log(LogLevel::kWarning, "view_format_changed",
      {{"view", view_.name()},
       {"why", std::string(opened.status().message())},
       {"doing", "it is built anew from the journal"}});
  if (auto destroyed = Store::destroy(directory()); !destroyed.ok()) return destroyed;
  return Store::open(directory(), shared_->resources);
}

void ViewRunner::open() {
  std::error_code looked;
  if (std::filesystem::exists(dropped_mark(), looked)) {
    const std::lock_guard lock(mutex_);
    dropped_ = true;
    return;
  }
  open({});
}

void ViewRunner::open(const Skips& known_skips) {
  auto opened = open_files();
  if (!opened.ok()) return fail(opened.status(), Mending::kRebuild);
  auto folder = std::make_unique<Folder>(view_, *opened, shared_->partitions(), fold_settings());
  if (const auto loaded = folder->load(); !loaded.ok()) return fail(loaded, Mending::kRebuild);
  const auto built = (*opened)->get(store_key::meta(store_key::kBuilt));
  if (!built.ok()) return fail(built.status(), Mending::kRebuild);
  folder->assume(known_skips);
  folder_ = std::move(folder);
  journal_failed_ = false;
  build_until_ = shared_->ends();
  const std::lock_guard lock(mutex_);
  store_ = *opened;
  built_marked_ = built->has_value();
  status_ = absl::OkStatus();
  set_skips(folder_->decisions().skips());
  decision_ = folder_->decisions().live();
  decisions_seen_ = folder_->decisions().changes();
  published_.clear();
  last_time_us_ = 0;
  for (const auto& [code, progress] : folder_->ledgers()) {
    published_[code] = published_of(progress);
    last_time_us_ = std::max(last_time_us_, progress.recorded_time_us);
  }
  building_ = false;
  first_records_ = 0;
  for (int partition = 0; partition < shared_->partitions(); ++partition) {
    const int64_t position = folder_->position(partition);
    closed_times_us_[partition] = folder_->closed_time_us(partition);
    positions_[partition] = position;
    first_records_ += position;
    if (!built_marked_ && position < build_until_[partition]) building_ = true;
  }
  event_rate_ = RateMeter();
  record_rate_ = RateMeter();
  resuming_ = folder_->has_stopped();
}

bool ViewRunner::healthy() const {
  const std::lock_guard lock(mutex_);
  return status_.ok() && !dropped_;
}

bool ViewRunner::answers() const {
  const std::lock_guard lock(mutex_);
  return status_.ok() && !building_ && !dropped_ && dropping_ == 0 && store_;
}

std::optional<LiveDecision> ViewRunner::decision() const {
  const std::lock_guard lock(mutex_);
  return decision_;
}

bool ViewRunner::has_folded(const std::vector<int64_t>& ends) const {
  {
    const std::lock_guard lock(mutex_);
    if (!mending_why_.empty()) return false;
    if (!status_.ok() || dropped_) return true;
    if (building_) return false;
  }
  for (size_t partition = 0; partition < ends.size(); ++partition) {
    if (positions_[partition] < ends[partition]) return false;
  }
  // Last: both begin before a position tells of it.
  return !resuming_ && !deciding_;
}

absl::Status ViewRunner::check_journal() const {
  if (!healthy()) return absl::OkStatus();
  for (int partition = 0; partition < shared_->partitions(); ++partition) {
    const auto fold = folder_->journal_fold(partition);
    if (!fold.ok()) return fold.status();
    if (!*fold) continue;
    auto checked = (*fold)->check_resume(*shared_->logs[partition]);
    if (checked.ok() && (*fold)->has_genesis()) checked = shared_->identity.learn(**fold);
    if (checked.ok()) continue;
    return absl::Status(checked.code(), "view " + view_.name() + " does not continue partition " +
                                            std::to_string(partition) +
                                            " of this journal: " + std::string(checked.message()));
  }
  return absl::OkStatus();
}

void ViewRunner::fail(absl::Status why, Mending mending, const Store* read_from) const {
  const std::string message(why.message());
  {
    const std::lock_guard lock(mutex_);
    if (read_from && (read_from != store_.get() || building_ || !status_.ok())) return;
    // A disk that damages files again and again is for people to look at, and so are files that
    // are not damaged but of another journal.
    const bool damage = absl::IsDataLoss(why) || absl::IsInternal(why);
    if (mending == Mending::kRebuild && damage && mending_why_.empty() &&
        damage_rebuilds_ < shared_->settings.damage_rebuilds_max) {
      ++damage_rebuilds_;
      mending_why_ = message;
    }
    status_ = std::move(why);
    published_changed_.notify_all();
  }
  log(LogLevel::kError, "view_stopped",
      {{"view", view_.name()}, {"version", view_.version()}, {"why", message}});
  shared_->waiters->wake(this);
  shared_->changed(view_.name());
}

void ViewRunner::judge(const absl::Status& read, const Store& files) const {
  if (absl::IsDataLoss(read) || absl::IsInternal(read)) fail(read, Mending::kRebuild, &files);
}

bool ViewRunner::wants_mending() const {
  const std::lock_guard lock(mutex_);
  return dropping_ == 0 && !mending_why_.empty();
}

void ViewRunner::want_mending(std::string why) {
  {
    const std::lock_guard lock(mutex_);
    mending_why_ = std::move(why);
    set_skips(folder_->decisions().skips());
    building_ = true;  // what it holds is not what it shall hold
  }
  shared_->changed(view_.name());
}

void ViewRunner::start() {
  if (!healthy()) return;
  stopping_ = false;
  thread_ = std::thread([this] { run(); });
}

void ViewRunner::stop() {
  stopping_ = true;
  shared_->grown.raise();
  if (thread_.joinable()) thread_.join();
  shared_->waiters->wake(this);
}

ViewStatus ViewRunner::status() const {
  ViewStatus status;
  const int64_t wall_us = shared_->clock.wall_us();
  const int64_t boot_us = shared_->clock.boot_us();
  const auto ends = shared_->ends();
  const std::lock_guard lock(mutex_);
  status.name = view_.name();
  status.version = view_.version();
  status.building = building_;
  status.dropped = dropped_ || dropping_ > 0;
  status.disk_full = disk_full_;
  status.rebuilt_why = rebuilt_why_;
  status.status = status_;
  status.events_folded = events_folded_;
  status.rows_written = rows_written_;
  status.events_per_second = event_rate_.per_second(boot_us);
  int64_t since_us = wall_us;
  for (int partition = 0; partition < shared_->partitions(); ++partition) {
    const int64_t position = positions_[partition];
    status.partitions.push_back({position, std::max(position, ends[partition])});
    status.position += position;
    status.journal_end += status.partitions.back().journal_end;
    if (shared_->feeds.empty()) continue;
    const Feed& feed = *shared_->feeds[partition];
    const int64_t first_us = feed.first_time_from(position);
    int64_t lag = 0;
    feed.each_known([&](const std::string& code, const Feed::KnownLedger& known) {
      const auto found = published_.find(code);
      ViewStatus::LedgerLag one{code, 0, known.seq, 0};
      int64_t last_us = 0;
      if (found != published_.end()) {
        one.seq = found->second.seq;
        one.events -= one.seq;
        // What a ledger that stands still waits with is older than what the view takes next.
        last_us = found->second.stopped_seq != 0 ? 0 : first_us;
        if (last_us == 0) last_us = found->second.recorded_time_us;
      }
      if (one.events <= 0) return;
      lag += one.events;
      if (last_us == 0) last_us = first_us != 0 ? first_us : known.recorded_time_us;
      one.us = std::max<int64_t>(0, wall_us - last_us);
      status.lagging.push_back(std::move(one));
    });
    if (lag == 0) continue;
    status.lag_events += lag;
    if (first_us != 0 || last_time_us_ != 0)
      since_us = std::min(since_us, first_us != 0 ? first_us : last_time_us_);
  }
  status.lagging_ledgers = static_cast<int64_t>(status.lagging.size());
  const auto told = std::min<size_t>(status.lagging.size(), kLaggingToldMax);
  std::partial_sort(status.lagging.begin(), status.lagging.begin() + static_cast<ptrdiff_t>(told),
                    status.lagging.end(), [](const auto& a, const auto& b) { return a.us > b.us; });
  status.lagging.resize(told);
  status.lag_us = wall_us - since_us;
  for (const auto& [code, published] : published_) {
    if (published.stopped_seq != 0)
      status.stopped.push_back({code, published.stopped_seq, published.stopped_why});
  }
  for (const auto& [code, events] : skips_) {
    status.skipped_total += static_cast<int64_t>(events.size());
    for (const auto& [seq, skip] : events) {
      if (status.skipped.size() < kSkippedToldMax)
        status.skipped.push_back({code, seq, skip.decided_by, skip.reason});
    }
  }
  const double records_per_second = record_rate_.per_second(boot_us);
  if (building_ && records_per_second > 0) {
    status.build_seconds_left =
        static_cast<double>(status.journal_end - status.position) / records_per_second;
  }
  return status;
}

std::variant<std::map<int64_t, Skip>, Error> ViewRunner::skips_of(const std::string& ledger) const {
  auto open_files = files();
  if (auto* error = std::get_if<Error>(&open_files)) return std::move(*error);
  const std::lock_guard lock(mutex_);
  if (!published_.contains(ledger) && !shared_->known(ledger))
    return error_of(refuse(common::v1::COMMON_REFUSAL_LEDGER_NOT_FOUND, "ledger"));
  const auto found = skips_.find(ledger);
  return found == skips_.end() ? std::map<int64_t, Skip>() : found->second;
}

absl::Status ViewRunner::let_go_of_files() {
  stop();
  folder_.reset();
  std::shared_ptr<Store> old;
  {
    const std::lock_guard lock(mutex_);
    old = std::move(store_);
  }
  // Answers that are being made still read the old files.
  const auto give_up = std::chrono::steady_clock::now() + kReadersEndWait;
  while (old.use_count() > 1) {
    if (std::chrono::steady_clock::now() > give_up) {
      old.reset();
      fail(absl::UnavailableError("a reader did not let go of the view's files"), Mending::kNone);
      return absl::UnavailableError("a reader did not let go of the files of view " + view_.name());
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  old.reset();
  if (auto destroyed = Store::destroy(directory()); !destroyed.ok()) {
    fail(destroyed, Mending::kNone);
    return destroyed;
  }
  unflushed_events_ = 0;
  return absl::OkStatus();
}

absl::Status ViewRunner::rebuild() {
  const std::lock_guard operation(operation_);
  // One that answers goes on answering rather than being deleted for files that have no room.
  if (answers()) {
    const std::string beside = directory() + ".verify";
    const auto begun = Store::open(beside, shared_->resources).status();
    if (const auto removed = Store::destroy(beside); !removed.ok()) return removed;
    if (absl::IsResourceExhausted(begun)) return begun;
  }
  return build_anew();
}

void ViewRunner::mend() {
  const std::lock_guard operation(operation_);
  if (wants_mending()) (void)build_anew();  // its status says the rest
}

absl::Status ViewRunner::build_anew() {
  stop();
  Skips known;
  std::string why;
  {
    const std::lock_guard lock(mutex_);
    status_ = absl::OkStatus();
    building_ = true;
    dropped_ = false;
    known = skips_;
    why = std::exchange(mending_why_, {});
    if (!why.empty()) rebuilt_why_ = why;
  }
  log(why.empty() ? LogLevel::kInfo : LogLevel::kError, "view_rebuild_started",
      {{"view", view_.name()},
       {"version", view_.version()},
       {"why", why.empty() ? "an operator asked for it" : why}});
  if (auto gone = let_go_of_files(); !gone.ok()) return gone;
  std::error_code removed;
  std::filesystem::remove(dropped_mark(), removed);
  open(known);
  start();
  const std::lock_guard lock(mutex_);
  return status_;
}

void ViewRunner::begin_drop() {
  const std::lock_guard lock(mutex_);
  ++dropping_;
}

absl::Status ViewRunner::drop() {
  const std::lock_guard operation(operation_);
  auto dropped = delete_files();
  const std::lock_guard lock(mutex_);
  --dropping_;
  return dropped;
}

absl::Status ViewRunner::delete_files() {
  // First the mark: a crash in between leaves files that are not opened, instead of a new build.
  std::ofstream(dropped_mark(), std::ios::trunc).flush();
  {
    const std::lock_guard lock(mutex_);
    dropped_ = true;
  }
  if (auto gone = let_go_of_files(); !gone.ok()) return gone;
  log(LogLevel::kInfo, "view_dropped", {{"view", view_.name()}, {"version", view_.version()}});
  const std::lock_guard lock(mutex_);
  status_ = absl::OkStatus();
  building_ = false;
  mending_why_.clear();
  published_.clear();
  return absl::OkStatus();
}

// Half a view equals half a fold: nothing that an operator wants to hear.
absl::StatusOr<std::shared_ptr<const Store>> ViewRunner::built_files() const {
  const std::lock_guard lock(mutex_);
  if (!status_.ok()) return status_;
  if (dropped_) return absl::UnavailableError("view " + view_.name() + " was dropped");
  if (building_ || !store_)
    return absl::UnavailableError("view " + view_.name() + " is being built");
  return std::shared_ptr<const Store>(store_);
}

absl::StatusOr<std::vector<LedgerDigest>> ViewRunner::digests(std::string_view ledger,
                                                              std::optional<int64_t> seq) const {
  const auto live = built_files();
  if (!live.ok()) return live.status();
  if (!seq) {
    auto now = digests_now(**live, ledger);
    judge(now.status(), **live);
    return now;
  }
  auto digest = digest_at(**live, ledger, *seq);
  judge(digest.status(), **live);
  if (!digest.ok()) return digest.status();
  return std::vector<LedgerDigest>{std::move(*digest)};
}

absl::StatusOr<RowDigestsFound> ViewRunner::row_digests(const RowDigestsWish& wish) const {
  const auto live = built_files();
  if (!live.ok()) return live.status();
  auto found = projection::row_digests(**live, wish);
  judge(found.status(), **live);
  return found;
}

absl::StatusOr<VerifyReport> ViewRunner::verify(const VerifyScope& scope) {
  const std::lock_guard operation(operation_);
  auto live = built_files();
  if (!live.ok()) return live.status();
  auto report = verify_view(view_, std::move(*live), scope, directory() + ".verify", shared_->logs,
                            shared_->resources, limits(), fold_settings(), shared_->build_memory);
  if (report.ok() && report->files_damaged)
    fail(absl::DataLossError(report->difference), Mending::kRebuild);
  return report;
}

}  // namespace taizhang::projection
