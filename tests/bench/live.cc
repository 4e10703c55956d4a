// Live delivery to many.
#include "tests/bench/live.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "platform/journal/memory/memory_log.h"
#include "tests/bench/book.h"
#include "tests/bench/catch_up.h"
#include "tests/bench/event_stream.h"
#include "tests/bench/events_node.h"
#include "tests/bench/stopwatch.h"
#include "tests/bench/workload.h"

namespace taizhang::bench {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;
using ledger::v1::SubscribeRequest;

constexpr int kSubscribersMax = 1'000;

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
      auto& stream =
          streams_.emplace_back(channels_.back(), kSubscribe, EventsNode::token(), request);
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

}  // namespace

void run_live(const fs::path& folder, const std::string& reference) {
  constexpr int kWarm = 20;
  constexpr int kProbes = 200;
  constexpr int kBurst = 2'000;
  journal::MemoryLog log(std::make_shared<journal::MemoryTopic>(), true);
  Book book(log, folder / "state", reference);
  for (int64_t i = 0; i < kSubscribersMax; ++i) {
    book.send("/taizhang.registry.v1.RegistryService/RegisterHousehold", register_household(i));
  }
  book.settle();
  EventsNode node(log, folder / "live", 2 * kSubscribersMax);
  int64_t visits = 0;
  const auto visit = [&] {
    // To each household that is there in turn, then again on the next day.
    const int64_t day = visits / kSubscribersMax;
    book.send("/taizhang.assistance.v1.AssistanceService/RecordVisit",
              record_visit(day * kHouseholds + visits++ % kSubscribersMax));
  };
  const auto measure = [&](const char* name, int count, int told,
                           const std::function<void(int, SubscribeRequest&)>& shape) {
    node.catch_up();
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

}  // namespace taizhang::bench
