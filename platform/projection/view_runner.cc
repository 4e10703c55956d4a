// A view's thread, and its answers.
#include "platform/projection/view_runner.h"

#include <google/protobuf/descriptor.h>

#include <algorithm>
#include <chrono>
#include <limits>

#include "platform/base/days.h"
#include "platform/base/log.h"
#include "platform/projection/read_ahead.h"
#include "platform/projection/row_reader.h"
#include "platform/projection/verify.h"
#include "platform/projection/view_digest.h"
#include "taizhang/common/v1/errors.pb.h"

namespace taizhang::projection {
namespace {

using google::protobuf::Message;

constexpr std::string_view kBuiltKey = "built";
// A view that has nothing to fold looks that often whether it shall end.
constexpr absl::Duration kIdleWait = absl::Seconds(1);
constexpr auto kDiskRetryWait = std::chrono::milliseconds(500);
constexpr int64_t kUnavailableRetryMs = 1'000;
// A call that waits is answered this long before its deadline, so that the answer still arrives.
constexpr int64_t kAnswerBeforeDeadlineUs = 20'000;
// How long an answer waits for the ledger view to hold an event it names.
constexpr auto kEventWait = std::chrono::seconds(1);
constexpr auto kReadersEndWait = std::chrono::seconds(30);

Error unavailable(const View& view, const char* reason, const char* message, const char* zh) {
  Error error =
      failure(kUnavailable, reason, message, {{"view", view.name()}}, kUnavailableRetryMs);
  error.zh = zh;
  return error;
}

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
  const auto built = (*opened)->get(store_key::meta(kBuiltKey));
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

void ViewRunner::run() {
  absl::Status status = resuming_ ? resume_stopped() : absl::OkStatus();
  if (status.ok()) status = finish_building();
  while (status.ok() && !stopping() && healthy()) {
    const uint64_t seen = shared_->grown.count();
    bool moved = false;
    // One batch of each in turn: a busy partition does not hold the others back.
    for (int partition = 0; status.ok() && partition < shared_->partitions(); ++partition) {
      const auto followed = follow(partition);
      if (!followed.ok()) {
        status = followed.status();
      } else if (*followed) {
        moved = true;
      }
    }
    if (status.ok() && !moved && !stopping()) shared_->grown.wait_beyond(seen, kIdleWait);
  }
  if (status.ok()) status = folder_->write_positions();
  if (status.ok()) status = store_->flush();
  if (!status.ok()) fail(std::move(status));
}

absl::StatusOr<bool> ViewRunner::follow(int partition) {
  const int64_t position = folder_->position(partition);
  const Feed& feed = *shared_->feeds[partition];
  if (!feed.has_news(position)) return false;
  const Feed::Step step = feed.next(position);
  absl::Status status = step.status;
  if (step.batch) {
    status = take(*step.batch);
  } else if (step.meeting_point > position) {
    status = read_alone(partition, step.meeting_point);
  }
  if (!status.ok()) return status;
  return true;
}

absl::Status ViewRunner::write() {
  bool told = false;
  for (;;) {
    auto written = folder_->write();
    if (written.code() != absl::StatusCode::kResourceExhausted || stopping()) return written;
    if (!told) log(LogLevel::kError, "view_disk_full", {{"view", view_.name()}});
    told = true;
    // Nothing is lost: the batch is kept, and the view goes on when there is room.
    std::unique_lock lock(mutex_);
    published_changed_.wait_for(lock, kDiskRetryWait);
    const auto store = store_;
    lock.unlock();
    if (const auto resumed = store->resume(); !resumed.ok()) continue;
  }
}

absl::Status ViewRunner::take(const Batch& batch) {
  if (auto folded = folder_->fold(batch); !folded.ok()) return folded;
  if (auto written = write(); !written.ok()) return written;
  shared_->feeds[batch.partition]->folded(batch.end);
  publish();
  unflushed_events_ += batch.events;
  if (unflushed_events_ >= shared_->settings.flush_events_max) {
    unflushed_events_ = 0;
    if (auto flushed = store_->flush(); !flushed.ok()) return flushed;
  }
  return finish_building();
}

absl::Status ViewRunner::finish_building() {
  if (built_marked_) return absl::OkStatus();
  for (int partition = 0; partition < shared_->partitions(); ++partition) {
    if (folder_->position(partition) < build_until_[partition]) return absl::OkStatus();
  }
  // What was written during a long build is folded as well, until the end is as near as a batch.
  auto ends = shared_->ends();
  int64_t behind = 0;
  for (int partition = 0; partition < shared_->partitions(); ++partition)
    behind += ends[partition] - folder_->position(partition);
  if (behind > shared_->settings.batch_events_max) {
    build_until_ = std::move(ends);
    return absl::OkStatus();
  }
  Puts built;
  built.add(store_key::meta(kBuiltKey), "1");
  if (auto written = store_->write(built); !written.ok()) return written;
  built_marked_ = true;
  {
    const std::lock_guard lock(mutex_);
    building_ = false;
  }
  log(LogLevel::kInfo, "view_built",
      {{"view", view_.name()}, {"events", folder_->events_folded()}});
  return absl::OkStatus();
}

absl::Status ViewRunner::read_alone(int partition, int64_t end_offset) {
  auto stands = folder_->journal_fold(partition);
  if (!stands.ok()) return stands.status();
  auto fold = *stands ? absl::StatusOr<journal::Fold>(std::move(**stands))
                      : shared_->identity.fold_from_start(partition);
  if (!fold.ok()) return fold.status();
  return read_until(partition, std::move(*fold), end_offset,
                    [this](const Batch& batch) { return take(batch); });
}

absl::Status ViewRunner::read_until(int partition, journal::Fold fold, int64_t end_offset,
                                    const std::function<absl::Status(const Batch&)>& take_one) {
  BatchReader reader(*shared_->logs[partition], std::move(fold), limits(), wanted());
  while (!stopping() && reader.offset() < end_offset) {
    ReadAhead ahead(reader, end_offset);
    while (!stopping()) {
      const auto batch = ahead.next();
      if (batch.status().code() == absl::StatusCode::kUnavailable) break;  // again, from there on
      if (!batch.ok()) return batch.status();
      if (!*batch) break;
      if (auto taken = take_one(**batch); !taken.ok()) return taken;
    }
  }
  return absl::OkStatus();
}

absl::Status ViewRunner::resume_stopped() {
  for (const int partition : folder_->begin_resume()) {
    if (auto resumed = resume_stopped(partition); !resumed.ok() || stopping()) return resumed;
  }
  if (auto ended = folder_->end_resume(); !ended.ok()) return ended;
  publish();
  resuming_ = false;
  return absl::OkStatus();
}

absl::Status ViewRunner::resume_stopped(int partition) {
  // From the start, for the ledger's own fold: rare, and simpler than a position per ledger.
  auto fold = shared_->identity.fold_from_start(partition);
  if (!fold.ok()) return fold.status();
  return read_until(partition, std::move(*fold), folder_->position(partition),
                    [this](const Batch& batch) {
                      if (auto folded = folder_->fold_resumed(batch); !folded.ok()) return folded;
                      if (auto written = write(); !written.ok()) return written;
                      publish();
                      return absl::OkStatus();
                    });
}

void ViewRunner::publish() {
  {
    const std::lock_guard lock(mutex_);
    for (const auto& code : folder_->moved()) {
      const auto& progress = folder_->ledgers().find(code)->second;
      auto& published = published_[code];
      if (progress.stopped_seq != 0 && published.stopped_seq == 0) {
        log(LogLevel::kError, "view_ledger_stopped",
            {{"view", view_.name()},
             {"ledger", code},
             {"seq", progress.stopped_seq},
             {"why", progress.stopped_why}});
      }
      published = published_of(progress);
      last_time_us_ = std::max(last_time_us_, progress.recorded_time_us);
    }
    int64_t records = -first_records_;
    for (int partition = 0; partition < shared_->partitions(); ++partition) {
      closed_times_us_[partition] = folder_->closed_time_us(partition);
      positions_[partition] = folder_->position(partition);
      records += positions_[partition];
    }
    events_folded_ = folder_->events_folded();
    const int64_t now_us = shared_->clock.boot_us();
    event_rate_.add(now_us, events_folded_);
    record_rate_.add(now_us, records);
    rows_written_ = folder_->versions_written();
    published_changed_.notify_all();
  }
  for (const auto& code : folder_->moved()) {
    const auto& progress = folder_->ledgers().find(code)->second;
    const bool stopped = progress.stopped_seq != 0;
    shared_->waiters->reached(this, code,
                              stopped ? std::numeric_limits<int64_t>::max() : progress.seq);
  }
}

std::variant<std::shared_ptr<Store>, Error> ViewRunner::files() const {
  const std::lock_guard lock(mutex_);
  if (!status_.ok()) {
    return data_loss(view_, "", 0, "the view stands still: it must be looked after, or built anew");
  }
  if (stopping())
    return unavailable(view_, "STOPPING", "the view is being stopped", "服务正在停止，请稍后重试");
  if (building_ || !store_)
    return unavailable(view_, "VIEW_BUILDING", "the view is being built",
                       "视图正在重建，请稍后重试");
  return store_;
}

Known ViewRunner::known_of(const std::string& ledger, const Published& published) const {
  Known known;
  known.seq = published.seq;
  known.recorded_time_us = published.recorded_time_us;
  known.closed_time_us = closed_times_us_[published.partition];
  const Feed& feed = *shared_->feeds[published.partition];
  const auto journal = feed.known(ledger);
  known.journal_seq = journal ? journal->seq : published.seq;
  if (known.journal_seq > known.seq) {
    int64_t since_us = feed.first_time_from(positions_[published.partition]);
    if (since_us == 0) since_us = published.recorded_time_us;
    known.lag_ms = std::max<int64_t>(0, shared_->clock.wall_us() - since_us) / 1'000;
  }
  return known;
}

void ViewRunner::ask(const QueryPlan& plan, const Call& call,
                     std::shared_ptr<const Message> request, Done done) {
  auto open_files = files();
  if (auto* error = std::get_if<Error>(&open_files)) return done(std::move(*error));
  auto& store = std::get<0>(open_files);
  auto wished = plan.wish(*request, store->build_id(), shared_->token_key,
                          shanghai_day(shared_->clock.wall_us()));
  if (auto* error = std::get_if<Error>(&wished)) return done(std::move(*error));
  const Wish& wish = std::get<0>(wished);

  Published published;
  Known known;
  bool held = false;
  {
    const std::lock_guard lock(mutex_);
    const auto found = published_.find(wish.ledger);
    held = found != published_.end();
    if (held) published = found->second;
    known = known_of(wish.ledger, published);
  }
  if (published.stopped_seq != 0) {
    return done(data_loss(view_, wish.ledger, published.stopped_seq, published.stopped_why));
  }
  if (!held && wish.at_least_seq == 0 && !shared_->known(wish.ledger)) {
    return done(error_of(refuse(common::v1::COMMON_REFUSAL_LEDGER_NOT_FOUND, "ledger")));
  }
  const int64_t needed = std::max<int64_t>(wish.at_least_seq, held ? 0 : 1);
  if (known.seq < needed) {
    const int64_t until_us = call.deadline_boot_us - kAnswerBeforeDeadlineUs;
    if (shared_->clock.boot_us() >= until_us) {
      Error error = failure(
          kDeadlineExceeded, "SEQ_NOT_REACHED", "the view did not reach the seq asked for in time",
          {{"view", view_.name()}, {"ledger", wish.ledger}, {"seq", std::to_string(known.seq)}});
      error.zh = "数据尚未更新到所要求的位置，请稍后重试";
      return done(std::move(error));
    }
    auto self = shared_from_this();
    shared_->waiters->add(
        this, wish.ledger, needed, until_us,
        [self, &plan, call, request = std::move(request), done = std::move(done)]() mutable {
          self->ask(plan, call, std::move(request), std::move(done));
        });
    // Published between the look and the wait: nobody else would tell.
    int64_t now_held = 0;
    {
      const std::lock_guard lock(mutex_);
      const auto found = published_.find(wish.ledger);
      if (found != published_.end()) now_held = found->second.seq;
    }
    if (now_held >= needed) shared_->waiters->reached(this, wish.ledger, now_held);
    return;
  }
  Answer answer = plan.answer(*request, wish, known, std::move(store), *call.caller,
                              shared_->events, &shared_->blind_index, shared_->token_key);
  if (const auto* error = std::get_if<Error>(&answer);
      error && error->code == kDataLoss && healthy()) {
    fail(absl::DataLossError("damaged files were read"));
  }
  done(std::move(answer));
}

std::variant<LiveView::Progress, Error> ViewRunner::progress(const std::string& ledger) const {
  auto open_files = files();
  if (auto* error = std::get_if<Error>(&open_files)) return std::move(*error);
  const std::lock_guard lock(mutex_);
  const auto found = published_.find(ledger);
  if (found == published_.end()) {
    if (!shared_->known(ledger))
      return error_of(refuse(common::v1::COMMON_REFUSAL_LEDGER_NOT_FOUND, "ledger"));
    return Progress{};
  }
  if (found->second.stopped_seq != 0) {
    return data_loss(view_, ledger, found->second.stopped_seq, found->second.stopped_why);
  }
  const Known known = known_of(ledger, found->second);
  return Progress{known.seq, std::max(known.journal_seq, known.seq), known.lag_ms};
}

std::optional<Error> ViewRunner::read(const std::string& ledger, int64_t seq,
                                      const std::function<void(SnapshotRows&)>& reading) const {
  auto open_files = files();
  if (auto* error = std::get_if<Error>(&open_files)) return std::move(*error);
  RowReader rows(std::get<0>(open_files), ledger, seq);
  reading(rows);
  if (!rows.status().ok())
    return data_loss(view_, ledger, seq, "the view's files are damaged; build it anew");
  return std::nullopt;
}

uint64_t ViewRunner::when_beyond(const std::string& ledger, int64_t seq, int64_t deadline_boot_us,
                                 std::function<void()> ready) {
  const uint64_t id =
      shared_->waiters->add(this, ledger, seq + 1, deadline_boot_us, std::move(ready));
  int64_t now_held = 0;
  bool still = false;
  {
    const std::lock_guard lock(mutex_);
    const auto found = published_.find(ledger);
    if (found != published_.end()) {
      now_held =
          found->second.stopped_seq != 0 ? std::numeric_limits<int64_t>::max() : found->second.seq;
    }
    still = !status_.ok() || stopping();
  }
  if (still) {
    shared_->waiters->wake(this);
  } else if (now_held > seq) {
    shared_->waiters->reached(this, ledger, now_held);
  }
  return id;
}

void ViewRunner::cancel(uint64_t waiting) { shared_->waiters->cancel(waiting); }

bool ViewRunner::find_event(std::string_view ledger, int64_t seq,
                            const std::function<void(const EventMeta&)>& visit) const {
  const std::string code(ledger);
  {
    std::unique_lock lock(mutex_);
    const bool held = published_changed_.wait_for(lock, kEventWait, [&] {
      const auto found = published_.find(code);
      return !status_.ok() || stopping() || (found != published_.end() && found->second.seq >= seq);
    });
    if (!held) return false;
  }
  bool found = false;
  const auto error = read(code, std::numeric_limits<int64_t>::max(), [&](SnapshotRows& rows) {
    found = view_.event_lookup()(rows, seq, visit);
  });
  return !error && found;
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
