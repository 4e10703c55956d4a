// Wiring of the read side: files, feed, one runner per view.
#include "platform/projection/views.h"

#include <fcntl.h>
#include <google/protobuf/descriptor.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>

#include "platform/base/log.h"
#include "platform/projection/view_runner.h"

namespace taizhang {
namespace {

using projection::ViewRunner;

constexpr size_t kTokenKeyBytes = 32;

// The key that seals page tokens: made once beside the views. Losing it only ends open lists.
absl::StatusOr<std::string> token_key(const std::string& directory) {
  const std::string path = directory + "/page_token.key";
  {
    std::ifstream in(path, std::ios::binary);
    std::string key((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
    if (key.size() == kTokenKeyBytes) return key;
  }
  const std::string key = system_random().bytes(kTokenKeyBytes);
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (file < 0) return absl::InternalError("the key of page tokens cannot be written");
  const bool written = ::write(file, key.data(), key.size()) == static_cast<ssize_t>(key.size());
  if (::close(file) != 0 || !written)
    return absl::InternalError("the key of page tokens cannot be written");
  return key;
}

}  // namespace

class Views::Impl : public EventSource {
 public:
  Impl(std::vector<journal::Log*> logs, Clock& clock, ViewsSettings settings,
       std::function<std::string(std::string_view)> blind_index)
      : shared_(std::make_shared<projection::Shared>(std::move(logs), clock, std::move(settings))) {
    shared_->blind_index = std::move(blind_index);
    shared_->events = this;
  }

  void add(View view) {
    for (const auto& runner : runners_) {
      if (runner->view().name() == view.name())
        broken_invariant("two views of the name " + view.name());
    }
    const bool holds_events = view.event_lookup() != nullptr;
    runners_.push_back(std::make_shared<ViewRunner>(shared_, std::move(view)));
    if (holds_events) event_view_ = runners_.back().get();
  }

  void close_times_with(std::function<bool(int)> close_time) {
    shared_->close_time = std::move(close_time);
  }

  absl::Status start() {
    const auto& settings = shared_->settings;
    std::error_code made;
    std::filesystem::create_directories(settings.directory, made);
    if (made)
      return absl::InternalError("the directory of the views cannot be made: " + made.message());
    auto key = token_key(settings.directory);
    if (!key.ok()) return key.status();
    shared_->token_key = std::move(*key);
    shared_->resources =
        projection::make_store_resources(settings.block_cache_bytes, settings.write_buffers_bytes);
    shared_->waiters =
        std::make_unique<projection::Waiters>(shared_->clock, settings.late_query_threads);

    for (const auto& runner : runners_) {
      runner->open();
      if (auto checked = runner->check_journal(); !checked.ok()) return checked;
    }
    for (int partition = 0; partition < shared_->partitions(); ++partition) {
      if (auto made_feed = add_feed(partition); !made_feed.ok()) return made_feed;
    }
    for (const auto& feed : shared_->feeds) feed->start();
    for (const auto& runner : runners_) runner->start();
    started_ = true;
    return absl::OkStatus();
  }

  void stop() {
    if (!started_) return;
    started_ = false;
    for (const auto& runner : runners_) runner->stop();
    for (const auto& feed : shared_->feeds) feed->stop();
    shared_->waiters->stop();
  }

  void register_queries(Dispatcher& dispatcher) {
    for (const auto& runner : runners_) {
      for (const auto& plan : runner->plans()) {
        dispatcher.handle(plan->name(), [runner, &plan](const Call& call, auto request, Done done) {
          runner->ask(*plan, call, std::move(request), std::move(done));
        });
      }
      for (const auto& method : runner->view().methods()) {
        if (!method.stream) continue;
        dispatcher.handle_stream(method.descriptor->full_name(),
                                 [runner, &method](const Call& call, auto request) {
                                   return method.stream(runner, call, std::move(request));
                                 });
      }
    }
  }

  void ask(std::string_view method, const Call& call,
           std::shared_ptr<const google::protobuf::Message> request, Done done,
           std::shared_ptr<RowPlaces> places) {
    for (const auto& runner : runners_) {
      for (const auto& plan : runner->plans()) {
        if (plan->name() == method) {
          return runner->ask(*plan, call, std::move(request), std::move(done), std::move(places));
        }
      }
    }
    done(failure(kUnimplemented, "METHOD_NOT_SERVED",
                 std::string(method) + " is not a query of any view"));
  }

  bool event(std::string_view ledger, int64_t seq,
             const std::function<void(const EventMeta&)>& visit) const override {
    return event_view_ && event_view_->find_event(ledger, seq, visit);
  }

  std::optional<Views::Query> query_of(std::string_view request_type) const {
    for (const auto& runner : runners_) {
      for (const auto& method : runner->view().methods()) {
        if (method.query && method.descriptor->input_type()->full_name() == request_type)
          return Views::Query{method.descriptor, runner};
      }
    }
    return std::nullopt;
  }

  ViewRunner* find(std::string_view name) const {
    for (const auto& runner : runners_) {
      if (runner->view().name() == name) return runner.get();
    }
    return nullptr;
  }

  const std::vector<std::shared_ptr<ViewRunner>>& runners() const { return runners_; }
  const projection::Shared& shared() const { return *shared_; }

 private:
  // The feed begins where the fastest view stands: whoever is behind reads on its own up to there.
  absl::Status add_feed(int partition) {
    const auto& settings = shared_->settings;
    const ViewRunner* fastest = nullptr;
    for (const auto& runner : runners_) {
      if (runner->healthy() &&
          (!fastest || runner->position(partition) > fastest->position(partition)))
        fastest = runner.get();
    }
    auto fold = fastest ? fastest->journal_fold(partition)
                        : absl::StatusOr<std::optional<journal::Fold>>(std::nullopt);
    if (!fold.ok()) return fold.status();
    projection::FeedSettings feed;
    feed.kept_bytes_max = settings.shared_batches_bytes_max / shared_->partitions();
    feed.ahead_bytes_max = feed.kept_bytes_max / 2;
    feed.batch = {settings.batch_events_max,
                  std::min(settings.batch_bytes_max, feed.ahead_bytes_max)};
    feed.gather_us = settings.gather_us;
    projection::Wanted wanted = [this](const google::protobuf::Descriptor* type) {
      return std::any_of(runners_.begin(), runners_.end(),
                         [type](const auto& runner) { return runner->view().wants(type); });
    };
    shared_->feeds.push_back(std::make_unique<projection::Feed>(
        *shared_->logs[partition], partition, std::move(*fold), std::move(wanted), feed,
        shared_->clock, shared_->identity, shared_->grown));
    return absl::OkStatus();
  }

  std::shared_ptr<projection::Shared> shared_;
  std::vector<std::shared_ptr<ViewRunner>> runners_;
  ViewRunner* event_view_ = nullptr;
  bool started_ = false;
};

Views::Views(std::vector<journal::Log*> logs, Clock& clock, ViewsSettings settings,
             std::function<std::string(std::string_view)> blind_index)
    : impl_(std::make_unique<Impl>(std::move(logs), clock, std::move(settings),
                                   std::move(blind_index))) {}

Views::~Views() { stop(); }

void Views::add(View view) { impl_->add(std::move(view)); }

void Views::close_times_with(std::function<bool(int)> close_time) {
  impl_->close_times_with(std::move(close_time));
}

absl::Status Views::start() { return impl_->start(); }

void Views::stop() { impl_->stop(); }

void Views::register_queries(Dispatcher& dispatcher) { impl_->register_queries(dispatcher); }

void Views::ask(std::string_view method, const Call& call,
                std::shared_ptr<const google::protobuf::Message> request, Done done,
                std::shared_ptr<RowPlaces> places) {
  impl_->ask(method, call, std::move(request), std::move(done), std::move(places));
}

std::optional<Views::Query> Views::query_of(std::string_view request_type) const {
  return impl_->query_of(request_type);
}

const EventSource& Views::events() const { return *impl_; }

const std::string& Views::page_token_key() const { return impl_->shared().token_key; }

std::vector<ViewStatus> Views::status() const {
  std::vector<ViewStatus> all;
  for (const auto& runner : impl_->runners()) all.push_back(runner->status());
  return all;
}

std::optional<ViewStatus> Views::status(std::string_view view) const {
  const auto* runner = impl_->find(view);
  if (!runner) return std::nullopt;
  return runner->status();
}

std::vector<PartitionStatus> Views::partitions() const {
  std::vector<PartitionStatus> all;
  const auto& shared = impl_->shared();
  for (size_t partition = 0; partition < shared.feeds.size(); ++partition) {
    auto state = shared.feeds[partition]->state();
    all.push_back({state.position, std::max(state.position, shared.logs[partition]->end()),
                   state.void_records, state.foreign_records, state.epoch,
                   std::move(state.owner_address)});
  }
  return all;
}

absl::Status Views::rebuild(std::string_view view) {
  auto* runner = impl_->find(view);
  if (!runner) return absl::NotFoundError("no view of the name " + std::string(view));
  return runner->rebuild();
}

absl::StatusOr<VerifyReport> Views::verify(std::string_view view) {
  auto* runner = impl_->find(view);
  if (!runner) return absl::NotFoundError("no view of the name " + std::string(view));
  return runner->verify();
}

absl::StatusOr<std::vector<LedgerDigest>> Views::digests(std::string_view view,
                                                         std::string_view ledger,
                                                         std::optional<int64_t> seq) const {
  const auto* runner = impl_->find(view);
  if (!runner) return absl::NotFoundError("no view of the name " + std::string(view));
  return runner->digests(ledger, seq);
}

int64_t Views::waiting() const {
  return impl_->shared().waiters ? impl_->shared().waiters->waiting() : 0;
}

bool Views::catch_up(int64_t timeout_us) {
  const auto ends = impl_->shared().ends();
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::microseconds(timeout_us);
  for (;;) {
    const bool all = std::all_of(impl_->runners().begin(), impl_->runners().end(),
                                 [&](const auto& runner) { return runner->has_folded(ends); });
    if (all) return true;
    if (std::chrono::steady_clock::now() > give_up) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

}  // namespace taizhang
