// A view's answers: queries at once or when it holds what they wait for, streams, events of its
// own.
#include <algorithm>
#include <chrono>
#include <limits>

#include "platform/base/days.h"
#include "platform/projection/row_reader.h"
#include "platform/projection/view_runner.h"
#include "taizhang/common/v1/errors.pb.h"

namespace taizhang::projection {
namespace {

using google::protobuf::Message;

constexpr int64_t kUnavailableRetryMs = 1'000;
// A call that waits is answered this long before its deadline, so that the answer still arrives.
constexpr int64_t kAnswerBeforeDeadlineUs = 20'000;
// How long an answer waits for the ledger view to hold an event it names.
constexpr auto kEventWait = std::chrono::seconds(1);

Error unavailable(const View& view, const char* reason, const char* message, const char* zh) {
  Error error =
      failure(kUnavailable, reason, message, {{"view", view.name()}}, kUnavailableRetryMs);
  error.zh = zh;
  return error;
}

}  // namespace

std::variant<std::shared_ptr<Store>, Error> ViewRunner::files() const {
  const std::lock_guard lock(mutex_);
  if (!status_.ok()) {
    return data_loss(view_, "", 0, "the view stands still: it must be looked after, or built anew");
  }
  if (building_ || !store_)
    return unavailable(view_, "VIEW_BUILDING", "the view is being built",
                       "视图正在重建，请稍后重试");
  if (stopping())
    return unavailable(view_, "STOPPING", "the view is being stopped", "服务正在停止，请稍后重试");
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
  if (const auto found = skipped_seqs_.find(ledger); found != skipped_seqs_.end())
    known.skipped = found->second;
  return known;
}

void ViewRunner::ask(const QueryPlan& plan, const Call& call,
                     std::shared_ptr<const Message> request, Done done,
                     std::shared_ptr<RowPlaces> places) {
  answer(plan, call, std::move(request), std::move(done), std::move(places),
         /*time_asked=*/false);
}

bool ViewRunner::close_time(int partition, int64_t time_us, const Known& known) const {
  return time_us > known.closed_time_us && time_us <= shared_->clock.wall_us() &&
         shared_->close_time && shared_->close_time(partition);
}

void ViewRunner::answer(const QueryPlan& plan, const Call& call,
                        std::shared_ptr<const Message> request, Done done,
                        std::shared_ptr<RowPlaces> places, bool time_asked) {
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
  const int64_t until_us = call.deadline_boot_us - kAnswerBeforeDeadlineUs;
  if (known.seq < needed) {
    if (shared_->clock.boot_us() >= until_us) {
      Error error = failure(
          kDeadlineExceeded, "SEQ_NOT_REACHED", "the view did not reach the seq asked for in time",
          {{"view", view_.name()}, {"ledger", wish.ledger}, {"seq", std::to_string(known.seq)}});
      error.zh = "数据尚未更新到所要求的位置，请稍后重试";
      return done(std::move(error));
    }
    auto self = shared_from_this();
    shared_->waiters->add(this, wish.ledger, needed, until_us,
                          [self, &plan, call, request = std::move(request), done = std::move(done),
                           places = std::move(places), time_asked]() mutable {
                            self->answer(plan, call, std::move(request), std::move(done),
                                         std::move(places), time_asked);
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
  if (wish.as_of_time_us && !time_asked &&
      close_time(published.partition, *wish.as_of_time_us, known)) {
    const int64_t enough_us = shared_->clock.boot_us() + shared_->settings.final_wait_us;
    const std::string place = time_place(published.partition);
    auto self = shared_from_this();
    shared_->waiters->add(this, place, *wish.as_of_time_us, std::min(until_us, enough_us),
                          [self, &plan, call, request = std::move(request), done = std::move(done),
                           places = std::move(places)]() mutable {
                            self->answer(plan, call, std::move(request), std::move(done),
                                         std::move(places),
                                         /*time_asked=*/true);
                          });
    // As above.
    int64_t now_closed_us = 0;
    {
      const std::lock_guard lock(mutex_);
      now_closed_us = closed_times_us_[published.partition];
    }
    shared_->waiters->reached(this, place, now_closed_us);
    return;
  }
  // Held until the end: no other files take the blame for these.
  Answer answer = plan.answer(*request, wish, known, store, *call.caller, shared_->events,
                              &shared_->blind_index, shared_->token_key, places.get());
  if (const auto* error = std::get_if<Error>(&answer); error && error->code == kDataLoss)
    judge(absl::DataLossError("damaged files were read"), *store);
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
  const auto& store = std::get<0>(open_files);
  RowReader rows(store, ledger, seq);
  reading(rows);
  judge(rows.status(), *store);
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

}  // namespace taizhang::projection
