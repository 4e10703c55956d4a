// Events out: what one subscriber catches up at beside a bare stream of the same messages, what a
// filter costs by what it finds, and how long an event takes to reach 1, 10 and 1,000 subscribers.
//   subscribe_bench REFERENCE_FILE EVENTS
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <list>
#include <mutex>
#include <thread>
#include <vector>

#include "platform/base/log.h"
#include "platform/base/sha256.h"
#include "platform/command/dispatcher.h"
#include "platform/journal/memory/memory_log.h"
#include "platform/projection/views.h"
#include "platform/rpc/callers.h"
#include "platform/rpc/metrics.h"
#include "platform/rpc/server.h"
#include "projections/ledger/ledger_view.h"
#include "taizhang/common/v1/enums.pb.h"
#include "taizhang/config/v1/config.pb.h"
#include "tests/bench/book.h"
#include "tests/bench/event_stream.h"
#include "tests/bench/made_journal.h"
#include "tests/bench/workload.h"

namespace taizhang::bench {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;
using ledger::v1::SubscribeRequest;

constexpr const char* kToken = "bench-token";
constexpr int64_t kBuildUsMax = 3'600'000'000;
constexpr int kSubscribersMax = 1'000;
constexpr int kCatchUps = 5;  // the middle one counts
constexpr size_t kBareMessages = 256;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// Processor time of this process, which is server and subscriber in one.
double cpu_seconds() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return double(time.tv_sec) + double(time.tv_nsec) / 1e9;
}

// The ledger view of a log behind a port, in this process.
class Node {
 public:
  Node(journal::Log& log, const fs::path& folder) {
    ViewsSettings settings;
    settings.directory = folder;
    views_ = std::make_unique<Views>(std::vector<journal::Log*>{&log}, system_clock(), settings,
                                     [](std::string_view number) { return std::string(number); });
    views_->add(ledger_view::ledger_view());
    if (!views_->start().ok() || !views_->catch_up(kBuildUsMax)) exit(1);
    views_->register_queries(dispatcher_);
    auto callers =
        Callers::parse("bench",
                       "profiles { name: 'bench' subject: 's' roles: ROLE_MAKER everywhere: true "
                       "token_sha256: '" +
                           hex(bytes_of(sha256(kToken))) + "' }");
    callers_ = std::make_unique<Callers>(*std::move(callers));
    limits_.set_streams_max(2 * kSubscribersMax);
    limits_.set_streams_per_caller_max(2 * kSubscribersMax);
    auto server =
        RpcServer::start("127.0.0.1:0", limits_, dispatcher_, *callers_, metrics_, "127.0.0.1:0");
    if (!server.ok()) exit(1);
    server_ = std::move(*server);
  }
  ~Node() {
    server_->stop();
    views_->stop();
  }

  Views& views() { return *views_; }
  const std::string& address() const { return server_->address(); }

 private:
  std::unique_ptr<Views> views_;
  Dispatcher dispatcher_;
  std::unique_ptr<Callers> callers_;
  config::v1::Limits limits_;
  Metrics metrics_;
  std::unique_ptr<RpcServer> server_;
};

SubscribeRequest everything() {
  SubscribeRequest request;
  request.set_ledger(kBenchLedger);
  request.set_heartbeat_ms(60'000);
  return request;
}

// Reads until everything there is has been told.
struct CaughtUp {
  double seconds = 0;
  double cpu_seconds = 0;
  int64_t events = 0;
  int64_t messages = 0;
  int64_t bytes = 0;
  std::vector<std::string> first;  // messages, where asked for
};

CaughtUp catch_up(const std::string& address, const SubscribeRequest& request, size_t keep = 0) {
  CaughtUp result;
  const auto channel = stream_channel(address);
  channel->WaitForConnected(std::chrono::system_clock::now() + std::chrono::seconds(5));
  const auto start = Clock::now();
  const double cpu = cpu_seconds();
  EventStream stream(channel, kSubscribe, kToken, request);
  std::string bytes;
  while (!stream.caught_up()) {
    const bool kept = result.first.size() < keep;
    if (!stream.read(kept ? &bytes : nullptr)) {
      fprintf(stderr, "the stream broke off\n");
      exit(1);
    }
    if (kept && stream.events() > 0) result.first.push_back(bytes);
  }
  result.seconds = seconds_since(start);
  result.cpu_seconds = cpu_seconds() - cpu;
  result.events = stream.events();
  result.messages = stream.messages();
  result.bytes = stream.bytes();
  return result;
}

void run_catch_up(const fs::path& folder, const char* reference, int64_t events) {
  journal::MemoryLog log(std::make_shared<journal::MemoryTopic>(), true);
  make_journal(log, folder / "made", reference, events, 1);
  Node node(log, folder / "views");

  // RocksDB still puts the files of the new view in order while the first runs.
  std::vector<CaughtUp> runs;
  for (int i = 0; i < kCatchUps; ++i)
    runs.push_back(catch_up(node.address(), everything(), kBareMessages));
  std::sort(runs.begin(), runs.end(),
            [](const auto& a, const auto& b) { return a.seconds < b.seconds; });
  const CaughtUp& all = runs[runs.size() / 2];
  const double per_second = double(all.events) / all.seconds;
  BareStreamServer bare_server(all.first, all.messages);
  const auto channel = stream_channel(bare_server.address());
  channel->WaitForConnected(std::chrono::system_clock::now() + std::chrono::seconds(5));
  const auto start = Clock::now();
  const double cpu = cpu_seconds();
  EventStream bare(channel, kBareStream, "", everything());
  while (bare.read()) {
  }
  const double bare_per_second = double(bare.events()) / seconds_since(start);
  const double bare_cpu = cpu_seconds() - cpu;
  printf(
      "one subscriber catches up %9.0f events/s (aim >= 1,000,000), %.0f MB/s, %.2f us CPU an "
      "event; %lld events in %lld messages\n",
      per_second, double(all.bytes) / all.seconds / 1e6, all.cpu_seconds / double(all.events) * 1e6,
      static_cast<long long>(all.events), static_cast<long long>(all.messages));
  printf(
      "bare stream of the same   %9.0f events/s, %.2f us CPU an event: ratio %.2f (aim >= 0.40)\n",
      bare_per_second, bare_cpu / double(bare.events()) * 1e6, per_second / bare_per_second);

  const auto filtered = [&](const char* name, const SubscribeRequest& request) {
    const CaughtUp found = catch_up(node.address(), request);
    printf("filter %-42s %8lld of %lld events  %8.2f ms  %6.2f us an event found\n", name,
           static_cast<long long>(found.events), static_cast<long long>(all.events),
           found.seconds * 1e3, found.seconds * 1e6 / double(std::max<int64_t>(found.events, 1)));
  };
  const auto types = [](std::vector<std::string> names) {
    auto request = everything();
    for (auto& name : names) request.mutable_filter()->add_types("taizhang." + std::move(name));
    return request;
  };
  filtered("nothing (a type that is not there)", types({"funds.v1.PaymentReversed"}));
  filtered("1 type, rare", types({"registry.v1.WorkerRegistered"}));
  filtered("1 type of 20", types({"funds.v1.FundsArrived"}));
  filtered("2 types", types({"funds.v1.FundsArrived", "registry.v1.HouseholdRegistered"}));
  auto context = everything();
  context.mutable_filter()->add_contexts("funds");
  filtered("1 context", context);
  auto household = everything();
  auto& subject = *household.mutable_filter()->add_subjects();
  subject.set_kind(common::v1::SUBJECT_KIND_HOUSEHOLD);
  subject.set_id("000000b1-0000-4000-8000-000000000007");
  filtered("1 subject", household);
  *household.mutable_filter()->mutable_types() =
      types({"registry.v1.HouseholdRegistered"}).filter().types();
  filtered("1 subject and 1 type", household);
}

// Subscribers that read on a thread each, and tell when all have what was written.
class Audience {
 public:
  Audience(const std::string& address, int count, int64_t after_seq,
           const std::function<void(int, SubscribeRequest&)>& shape) {
    for (int i = 0; i < count; ++i) {
      if (i % 100 == 0) channels_.push_back(stream_channel(address));
      auto request = everything();
      request.set_after_seq(after_seq);
      if (shape) shape(i, request);
      auto& stream = streams_.emplace_back(channels_.back(), kSubscribe, kToken, request);
      while (!stream.caught_up()) {
        if (!stream.read()) exit(1);
      }
    }
    for (auto& stream : streams_) {
      threads_.emplace_back([this, &stream] {
        for (int64_t before = stream.events(); stream.read(); before = stream.events()) {
          if (stream.events() == before) continue;
          received_ += stream.events() - before;
          const std::lock_guard lock(mutex_);
          changed_.notify_all();
        }
      });
    }
  }
  ~Audience() {
    for (auto& stream : streams_) stream.cancel();
    for (auto& thread : threads_) thread.join();
  }

  void wait_for(int64_t deliveries) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return received_ >= deliveries; });
  }

 private:
  std::vector<std::shared_ptr<grpc::Channel>> channels_;
  std::list<EventStream> streams_;
  std::vector<std::thread> threads_;
  std::atomic<int64_t> received_{0};
  std::mutex mutex_;
  std::condition_variable changed_;
};

void run_live(const fs::path& folder, const char* reference) {
  constexpr int kWarm = 20;
  constexpr int kProbes = 200;
  constexpr int kBurst = 2'000;
  journal::MemoryLog log(std::make_shared<journal::MemoryTopic>(), true);
  Book book(log, folder / "state", reference);
  for (int64_t i = 0; i < kSubscribersMax; ++i) {
    book.send("/taizhang.registry.v1.RegistryService/RegisterHousehold", register_household(i));
  }
  book.settle();
  Node node(log, folder / "live");
  int64_t visits = 0;
  const auto visit = [&] {
    // To each household that is there in turn, then again on the next day.
    const int64_t day = visits / kSubscribersMax;
    book.send("/taizhang.assistance.v1.AssistanceService/RecordVisit",
              record_visit(day * kHouseholds + visits++ % kSubscribersMax));
  };
  const auto measure = [&](const char* name, int count, int told,
                           const std::function<void(int, SubscribeRequest&)>& shape) {
    if (!node.views().catch_up(kBuildUsMax)) exit(1);
    Audience audience(node.address(), count, book.last_seq(), shape);
    std::vector<double> ms;
    int64_t deliveries = 0;
    for (int i = 0; i < kWarm + kProbes; ++i) {
      visit();
      book.settle();
      const auto written = Clock::now();
      audience.wait_for(deliveries += told);
      if (i >= kWarm) ms.push_back(seconds_since(written) * 1e3);
    }
    const auto start = Clock::now();
    for (int i = 0; i < kBurst; ++i) {
      visit();
      if (i % 64 == 63) book.settle();
    }
    book.settle();
    const double written = seconds_since(start);
    audience.wait_for(deliveries += int64_t{told} * kBurst);
    const double seconds = seconds_since(start);
    std::sort(ms.begin(), ms.end());
    printf(
        "%4d subscribers, %-28s written -> read by all it concerns: p50 %6.2f ms  p99 %6.2f ms; "
        "%d events at once: %7.0f written/s, %9.0f deliveries/s\n",
        count, name, ms[ms.size() / 2], ms[ms.size() * 99 / 100], kBurst, kBurst / written,
        double(told) * kBurst / seconds);
    if (book.refused() > 0) exit(1);
  };
  for (const int count : {1, 10, kSubscribersMax}) measure("everything", count, count, nullptr);
  measure("of them one concerned", kSubscribersMax, 1, [](int i, SubscribeRequest& request) {
    if (i > 0) request.mutable_filter()->add_types("taizhang.funds.v1.FundsArrived");
  });
}

int run(const char* reference, int64_t events) {
  setvbuf(stdout, nullptr, _IOLBF, 0);  // a figure is seen when it is there
  const fs::path folder =
      fs::temp_directory_path() / ("taizhang-subscribe." + std::to_string(getpid()));
  fs::create_directories(folder);
  run_catch_up(folder, reference, events);
  run_live(folder, reference);
  fs::remove_all(folder);
  return 0;
}

}  // namespace
}  // namespace taizhang::bench

int main(int argc, char** argv) {
  if (argc != 3) {
    fprintf(stderr, "usage: subscribe_bench REFERENCE_FILE EVENTS\n");
    return 2;
  }
  taizhang::set_log_level(taizhang::LogLevel::kError);
  return taizhang::bench::run(argv[1], atoll(argv[2]));
}
