// Consumers of one named subscription, each with a thread that receives and one that acknowledges.
#include "tests/bench/named.h"

#include <signal.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "taizhang/common/v1/values.pb.h"
#include "taizhang/subscriptions/v1/commands.pb.h"
#include "taizhang/subscriptions/v1/queries.pb.h"
#include "tests/bench/book_server.h"
#include "tests/bench/event_stream.h"
#include "tests/bench/load.h"
#include "tests/bench/stopwatch.h"
#include "tests/bench/visible.h"
#include "tests/bench/workload.h"

namespace taizhang::bench {
namespace {

using Clock = std::chrono::steady_clock;
using namespace subscriptions::v1;

constexpr char kCreate[] = "/taizhang.subscriptions.v1.SubscriptionService/CreateSubscription";
constexpr char kReceive[] = "/taizhang.subscriptions.v1.SubscriptionService/Receive";
constexpr char kAcknowledge[] = "/taizhang.subscriptions.v1.SubscriptionService/Acknowledge";
constexpr int64_t kEvents = 20'000;
constexpr int kAcknowledgedMax = 1'000;  // seqs of one call
constexpr size_t kBareMessages = 64;
constexpr int64_t kBareMessagesSent = 20'000;

void give_up(const std::string& why) {
  fprintf(stderr, "named subscriptions: %s\n", why.c_str());
  exit(1);
}

void create(Connection& connection, const std::string& name, int number, int outstanding_max) {
  CreateSubscriptionRequest request;
  auto& context = *request.mutable_context();
  char id[37];
  snprintf(id, sizeof id, "0badcafe-0000-4000-8000-%012d", number);
  context.set_request_id(id);
  context.mutable_effective_date()->set_year(2026);
  context.mutable_effective_date()->set_month(7);
  context.mutable_effective_date()->set_day(1);
  context.mutable_source()->set_kind(common::v1::Source::KIND_SYSTEM);
  request.set_ledger(kBenchLedger);
  request.set_name(name);
  request.mutable_selection()->add_types("taizhang.registry.v1.HouseholdRegistered");
  request.mutable_rules()->set_outstanding_max(outstanding_max);
  const auto error =
      connection.call(kCreate, Daemon::token("operator"), request.SerializeAsString());
  if (!error.empty()) give_up(error);
}

class Consumer {
 public:
  Consumer(const std::string& address, const std::string& name, int batch_events_max,
           std::atomic<int64_t>& acknowledged, std::vector<std::string>* keep)
      : connection_(address),
        stream_(stream_channel(address), kReceive, Daemon::token("reader"),
                receive(name, batch_events_max)) {
    receiving_ = std::thread([this, keep] { receive_all(keep); });
    acknowledging_ =
        std::thread([this, name, &acknowledged] { acknowledge_all(name, acknowledged); });
  }
  ~Consumer() {
    stream_.cancel();
    receiving_.join();
    acknowledging_.join();
  }

 private:
  static ReceiveRequest receive(const std::string& name, int batch_events_max) {
    ReceiveRequest request;
    request.set_ledger(kBenchLedger);
    request.set_name(name);
    request.set_batch_events_max(batch_events_max);
    return request;
  }

  void receive_all(std::vector<std::string>* keep) {
    std::string bytes;
    while (stream_.read(&bytes)) {
      ReceiveResponse message;
      if (!message.ParseFromString(bytes)) give_up("a message that cannot be read");
      if (!message.has_batch()) continue;
      if (keep && keep->size() < kBareMessages) keep->push_back(bytes);
      const std::lock_guard lock(mutex_);
      for (const auto& delivery : message.batch().deliveries())
        received_.push_back(delivery.event().seq());
      changed_.notify_one();
    }
    const std::lock_guard lock(mutex_);
    over_ = true;
    changed_.notify_one();
  }

  void acknowledge_all(const std::string& name, std::atomic<int64_t>& acknowledged) {
    for (;;) {
      AcknowledgeRequest request;
      {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return over_ || !received_.empty(); });
        if (over_) return;
        while (!received_.empty() && request.seqs_size() < kAcknowledgedMax) {
          request.add_seqs(received_.front());
          received_.pop_front();
        }
      }
      request.set_ledger(kBenchLedger);
      request.set_name(name);
      const auto error =
          connection_.call(kAcknowledge, Daemon::token("reader"), request.SerializeAsString());
      if (!error.empty()) give_up(error);
      acknowledged += request.seqs_size();
    }
  }

  Connection connection_;
  EventStream stream_;
  std::thread receiving_;
  std::thread acknowledging_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::list<int64_t> received_;
  bool over_ = false;
};

// Deliveries of the messages that are sent over and over, per second.
double bare_per_second(const std::vector<std::string>& messages) {
  int64_t deliveries = 0;
  for (const auto& bytes : messages) {
    ReceiveResponse message;
    if (!message.ParseFromString(bytes)) give_up("a message that cannot be read");
    deliveries += message.batch().deliveries_size();
  }
  BareStreamServer server(messages, kBareMessagesSent);
  const auto start = Clock::now();
  EventStream bare(stream_channel(server.address()), kBareStream, "", ReceiveRequest());
  while (bare.read()) {
  }
  return double(deliveries) / double(messages.size()) * double(bare.messages()) /
         seconds_since(start);
}

}  // namespace

void run_named(const std::string& daemon, const std::string& folder, const std::string& reference) {
  BookServer server(Daemon{daemon, folder});
  if (!server.set_up(reference)) give_up("the server does not start");
  wait_for_views(server.address());
  Connection connection(server.address());
  int number = 0;
  struct Rules {
    int outstanding_max;
    int batch_events_max;
  };
  for (const Rules rules : {Rules{256, 64}, Rules{1'000, 256}}) {
    std::vector<std::string> messages;
    for (const int count : {1, 4}) {
      const std::string name = "bench" + std::to_string(++number);
      create(connection, name, number, rules.outstanding_max);
      std::atomic<int64_t> acknowledged{0};
      const auto start = Clock::now();
      const double server_cpu = server.process().cpu_seconds();
      double seconds = 0;
      int64_t events = 0;
      {
        std::list<Consumer> consumers;
        for (int i = 0; i < count; ++i)
          consumers.emplace_back(server.address(), name, rules.batch_events_max, acknowledged,
                                 i == 0 ? &messages : nullptr);
        while (acknowledged < kEvents && seconds_since(start) < 120)
          std::this_thread::sleep_for(std::chrono::milliseconds(1));
        seconds = seconds_since(start);
        events = acknowledged;
      }
      printf(
          "named subscription, %d consumers, outstanding_max %4d, batches of %3d: %7.0f events/s "
          "received and acknowledged, %.1f us CPU of the server an event\n",
          count, rules.outstanding_max, rules.batch_events_max, double(events) / seconds,
          (server.process().cpu_seconds() - server_cpu) / double(events) * 1e6);
    }
    printf("bare stream of the same messages: %9.0f events/s\n", bare_per_second(messages));
  }
  server.end(SIGTERM);
}

}  // namespace taizhang::bench
