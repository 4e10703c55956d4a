// Wiring of the read side: files, feed, one runner per view.
#include "platform/projection/views.h"

#include <fcntl.h>
#include <google/protobuf/descriptor.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>
#include <tuple>

#include "platform/base/file.h"
#include "platform/base/log.h"
#include "platform/projection/view_compare.h"
#include "platform/projection/view_routes.h"
#include "platform/projection/view_runner.h"
#include "platform/projection/view_service.h"
#include "platform/projection/view_versions.h"

namespace taizhang {
namespace {

using projection::ViewRunner;
using projection::ViewVersions;

constexpr size_t kTokenKeyBytes = 32;
// Nobody is waited for: looking for views to mend is told when there are some.
constexpr absl::Duration kMendingWait = absl::Minutes(1);

// The key that seals page tokens: made once beside the views. Losing it only ends open lists.
absl::StatusOr<std::string> load_token_key(const std::string& directory) {
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

// "duties-v3": the files of a version of a view. Nothing: another name.
std::optional<ViewFiles> files_of(const std::string& name) {
  const size_t mark = name.rfind("-v");
  int32_t version = 0;
  if (mark == std::string::npos || mark == 0) return std::nullopt;
  const char* end = name.data() + name.size();
  const auto read = std::from_chars(name.data() + mark + 2, end, version);
  if (read.ec != std::errc() || read.ptr != end || version <= 0) return std::nullopt;
  return ViewFiles{name.substr(0, mark), version};
}

}  // namespace

class Views::Impl : public EventSource {
 public:
  Impl(std::vector<journal::Log*> logs, Clock& clock, ViewsSettings settings,
       std::function<std::string(std::string_view)> blind_index)
      : shared_(std::make_shared<projection::Shared>(std::move(logs), clock, std::move(settings))) {
    shared_->blind_index = std::move(blind_index);
    shared_->events = this;
    shared_->changed = [this](const std::string& view) {
      if (auto* versions = find(view)) versions->settle();
      mending_.raise();
    };
  }

  void add(View view) {
    auto* versions = find(view.name());
    if (!versions) {
      views_.push_back(std::make_unique<ViewVersions>(view.name()));
      versions = views_.back().get();
    }
    if (view.event_lookup()) event_view_ = versions;
    runners_.push_back(
        std::make_shared<ViewRunner>(shared_, projection::with_common_queries(std::move(view))));
    versions->add(runners_.back());
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
    // Of two processes on the same files one would take the other's for damaged.
    auto held = system_files().lock_directory(settings.directory);
    if (!held.ok()) return held.status();
    lock_ = std::move(*held);
    auto key = load_token_key(settings.directory);
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
    for (const auto& versions : views_) versions->begin();
    for (const auto& feed : shared_->feeds) feed->start();
    for (const auto& runner : runners_) runner->start();
    started_ = true;
    mender_ = std::thread([this] { mend(); });
    return absl::OkStatus();
  }

  void stop() {
    if (!started_) return;
    started_ = false;
    mending_.raise();
    mender_.join();
    for (const auto& runner : runners_) runner->stop();
    for (const auto& feed : shared_->feeds) feed->stop();
    shared_->waiters->stop();
  }

  void register_queries(Dispatcher& dispatcher) {
    for (const auto& versions : views_) projection::serve_view(*versions, dispatcher);
    projection::serve_common([this](std::string_view name) { return live_of(name); }, dispatcher);
  }

  void ask(std::string_view method, const Call& call,
           std::shared_ptr<const google::protobuf::Message> request, Done done,
           std::shared_ptr<RowPlaces> places) {
    for (const auto& versions : views_) {
      const auto runner = versions->live();
      for (const auto& plan : runner->plans()) {
        if (plan->name() == method) {
          return runner->ask(*plan, call, std::move(request), std::move(done), std::move(places));
        }
      }
    }
    done(projection::not_served(method));
  }

  bool event(std::string_view ledger, int64_t seq,
             const std::function<void(const EventMeta&)>& visit) const override {
    return event_view_ && event_view_->live()->find_event(ledger, seq, visit);
  }

  std::optional<Views::Query> query_of(std::string_view request_type) const {
    for (const auto& versions : views_) {
      const auto runner = versions->live();
      for (const auto& method : runner->view().methods()) {
        if (method.query && method.descriptor->input_type()->full_name() == request_type)
          return Views::Query{method.descriptor, runner, versions->name()};
      }
    }
    return std::nullopt;
  }

  ViewVersions* find(std::string_view name) const {
    for (const auto& versions : views_) {
      if (versions->name() == name) return versions.get();
    }
    return nullptr;
  }
  std::shared_ptr<ViewRunner> live_of(std::string_view name) const {
    const auto* versions = find(name);
    return versions ? versions->live() : nullptr;
  }
  absl::StatusOr<std::shared_ptr<ViewRunner>> version_of(std::string_view name,
                                                         int32_t version) const {
    const auto* versions = find(name);
    if (!versions) return absl::NotFoundError("no view of the name " + std::string(name));
    auto runner = versions->find(version);
    if (!runner) {
      return absl::NotFoundError("view " + std::string(name) + " has no version " +
                                 std::to_string(version) + " in this program");
    }
    return runner;
  }

  absl::Status drop(std::string_view name, int32_t version) {
    const auto runner = version_of(name, version);
    if (runner.ok()) {
      if (!find(name)->give_up(**runner)) {
        return absl::FailedPreconditionError("version " + std::to_string(version) + " of view " +
                                             std::string(name) + " answers its queries");
      }
      return (*runner)->drop();
    }
    for (const auto& unknown : unknown_files()) {
      if (unknown.name != name || unknown.version != version) continue;
      return projection::Store::destroy(shared_->settings.directory + "/" + unknown.name + "-v" +
                                        std::to_string(unknown.version));
    }
    return runner.status();
  }

  std::vector<ViewFiles> unknown_files() const {
    std::vector<ViewFiles> unknown;
    std::error_code read;
    for (const auto& entry :
         std::filesystem::directory_iterator(shared_->settings.directory, read)) {
      auto files = files_of(entry.path().filename().string());
      if (!files || !entry.is_directory(read)) continue;
      const auto* versions = find(files->name);
      if (!versions || !versions->find(files->version)) unknown.push_back(std::move(*files));
    }
    std::sort(unknown.begin(), unknown.end(), [](const auto& a, const auto& b) {
      return std::tie(a.name, a.version) < std::tie(b.name, b.version);
    });
    return unknown;
  }

  const std::vector<std::shared_ptr<ViewRunner>>& runners() const { return runners_; }
  const std::vector<std::unique_ptr<ViewVersions>>& views() const { return views_; }
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

  // Builds anew what wants it, one view after the other.
  void mend() {
    while (started_) {
      const uint64_t seen = mending_.count();
      for (const auto& runner : runners_) {
        if (started_ && runner->wants_mending()) runner->mend();
      }
      if (started_) mending_.wait_beyond(seen, kMendingWait);
    }
  }

  std::unique_ptr<DirectoryLock> lock_;
  std::shared_ptr<projection::Shared> shared_;
  std::vector<std::shared_ptr<ViewRunner>> runners_;
  std::vector<std::unique_ptr<ViewVersions>> views_;
  const ViewVersions* event_view_ = nullptr;
  projection::Signal mending_;
  std::thread mender_;
  std::atomic<bool> started_{false};
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

std::shared_ptr<LiveView> Views::live(std::string_view view) const {
  const auto* versions = impl_->find(view);
  return versions ? versions->live() : nullptr;
}

const EventSource& Views::events() const { return *impl_; }

const std::string& Views::page_token_key() const { return impl_->shared().token_key; }

std::vector<ViewStatus> Views::status() const {
  std::vector<ViewStatus> all;
  for (const auto& versions : impl_->views()) {
    const auto live = versions->live();
    for (const auto& runner : versions->all()) {
      all.push_back(runner->status());
      all.back().live = runner == live;
    }
  }
  return all;
}

std::optional<ViewStatus> Views::status(std::string_view view, int32_t version) const {
  const auto runner = impl_->version_of(view, version);
  if (!runner.ok()) return std::nullopt;
  auto status = (*runner)->status();
  status.live = *runner == impl_->live_of(view);
  return status;
}

std::vector<ViewFiles> Views::unknown_files() const { return impl_->unknown_files(); }

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

absl::Status Views::rebuild(std::string_view view, int32_t version) {
  const auto runner = impl_->version_of(view, version);
  return runner.ok() ? (*runner)->rebuild() : runner.status();
}

absl::Status Views::drop(std::string_view view, int32_t version) {
  return impl_->drop(view, version);
}

absl::StatusOr<VerifyReport> Views::verify(std::string_view view, int32_t version,
                                           const VerifyScope& scope) {
  const auto runner = impl_->version_of(view, version);
  if (!runner.ok()) return runner.status();
  return (*runner)->verify(scope);
}

absl::StatusOr<ViewComparison> Views::compare(std::string_view view, int32_t version,
                                              int32_t other_version, const VerifyScope& scope) {
  std::shared_ptr<projection::ViewRunner> runners[2];
  std::shared_ptr<const projection::Store> files[2];
  for (int i = 0; i < 2; ++i) {
    auto runner = impl_->version_of(view, i == 0 ? version : other_version);
    if (!runner.ok()) return runner.status();
    auto built = (*runner)->built_files();
    if (!built.ok()) return built.status();
    runners[i] = std::move(*runner);
    files[i] = std::move(*built);
  }
  auto found = projection::compare_views(view, files[0], files[1], scope);
  if (absl::IsDataLoss(found.status())) {
    // Which of them is damaged, only their files say.
    for (int i = 0; i < 2; ++i) {
      runners[i]->judge(files[i]->verify_files(), *files[i]);
      files[i].reset();  // whoever builds it anew waits for that
    }
  }
  return found;
}

absl::StatusOr<std::vector<LedgerDigest>> Views::digests(std::string_view view,
                                                         std::string_view ledger,
                                                         std::optional<int64_t> seq,
                                                         int32_t version) const {
  const auto runner = impl_->version_of(view, version);
  if (!runner.ok()) return runner.status();
  return (*runner)->digests(ledger, seq);
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
