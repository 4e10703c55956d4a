// A running view: its files, how it begins and ends, and what operators do with it.
#include "platform/projection/view_runner.h"

#include <algorithm>
#include <chrono>

#include "platform/base/log.h"
#include "platform/projection/verify.h"
#include "platform/projection/view_digest.h"

namespace taizhang::projection {
namespace {

constexpr auto kReadersEndWait = std::chrono::seconds(30);

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
  auto opened = open_files();
  if (!opened.ok()) return fail(opened.status());
  auto folder = std::make_unique<Folder>(view_, *opened, shared_->partitions(),
                                         shared_->settings.row_cache_bytes_per_view);
  if (const auto loaded = folder->load(); !loaded.ok()) return fail(loaded);
  const auto built = (*opened)->get(store_key::meta(store_key::kBuilt));
  if (!built.ok()) return fail(built.status());
  folder_ = std::move(folder);
  build_until_ = shared_->ends();
  const std::lock_guard lock(mutex_);
  store_ = *opened;
  built_marked_ = built->has_value();
  status_ = absl::OkStatus();
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
  return status_.ok();
}

bool ViewRunner::has_folded(const std::vector<int64_t>& ends) const {
  {
    const std::lock_guard lock(mutex_);
    if (!status_.ok()) return true;
    if (building_ || resuming_) return false;
  }
  for (size_t partition = 0; partition < ends.size(); ++partition) {
    if (positions_[partition] < ends[partition]) return false;
  }
  return true;
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

void ViewRunner::fail(absl::Status why) {
  log(LogLevel::kError, "view_stopped",
      {{"view", view_.name()}, {"why", std::string(why.message())}});
  {
    const std::lock_guard lock(mutex_);
    status_ = std::move(why);
    published_changed_.notify_all();
  }
  shared_->waiters->wake(this);
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
    int64_t lag = 0;
    feed.each_known([&](const std::string& code, int64_t seq) {
      const auto found = published_.find(code);
      lag += std::max<int64_t>(0, seq - (found == published_.end() ? 0 : found->second.seq));
    });
    if (lag == 0) continue;
    status.lag_events += lag;
    const int64_t first_us = feed.first_time_from(position);
    if (first_us != 0 || last_time_us_ != 0)
      since_us = std::min(since_us, first_us != 0 ? first_us : last_time_us_);
  }
  status.lag_us = wall_us - since_us;
  for (const auto& [code, published] : published_) {
    if (published.stopped_seq != 0)
      status.stopped.push_back({code, published.stopped_seq, published.stopped_why});
  }
  const double records_per_second = record_rate_.per_second(boot_us);
  if (building_ && records_per_second > 0) {
    status.build_seconds_left =
        static_cast<double>(status.journal_end - status.position) / records_per_second;
  }
  return status;
}

absl::Status ViewRunner::rebuild() {
  const std::lock_guard operation(operation_);
  stop();
  folder_.reset();
  std::shared_ptr<Store> old;
  {
    const std::lock_guard lock(mutex_);
    old = std::move(store_);
    building_ = true;
  }
  // Answers that are being made still read the old files.
  const auto give_up = std::chrono::steady_clock::now() + kReadersEndWait;
  while (old.use_count() > 1) {
    if (std::chrono::steady_clock::now() > give_up) {
      old.reset();
      fail(absl::UnavailableError("a reader did not let go of the view's files"));
      return absl::UnavailableError("a reader did not let go of the files of view " + view_.name());
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  old.reset();
  if (auto destroyed = Store::destroy(directory()); !destroyed.ok()) {
    fail(destroyed);
    return destroyed;
  }
  unflushed_events_ = 0;
  open();
  log(LogLevel::kInfo, "view_rebuild_started", {{"view", view_.name()}});
  start();
  const std::lock_guard lock(mutex_);
  return status_;
}

// Half a view equals half a fold: nothing that an operator wants to hear.
absl::StatusOr<std::shared_ptr<const Store>> ViewRunner::built_files() const {
  const std::lock_guard lock(mutex_);
  if (!status_.ok()) return status_;
  if (building_ || !store_)
    return absl::UnavailableError("view " + view_.name() + " is being built");
  return std::shared_ptr<const Store>(store_);
}

absl::StatusOr<std::vector<LedgerDigest>> ViewRunner::digests(std::string_view ledger,
                                                              std::optional<int64_t> seq) const {
  const auto live = built_files();
  if (!live.ok()) return live.status();
  if (!seq) return digests_now(**live, ledger);
  auto digest = digest_at(**live, ledger, *seq);
  if (!digest.ok()) return digest.status();
  return std::vector<LedgerDigest>{std::move(*digest)};
}

absl::StatusOr<VerifyReport> ViewRunner::verify() {
  const std::lock_guard operation(operation_);
  auto live = built_files();
  if (!live.ok()) return live.status();
  return verify_view(view_, std::move(*live), directory() + ".verify", shared_->logs,
                     shared_->resources, limits(), shared_->settings.row_cache_bytes_per_view);
}

}  // namespace taizhang::projection
