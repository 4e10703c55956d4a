// Catch-up: one, many, filtered.
#include "tests/bench/catch_up.h"

#include <time.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <utility>
#include <vector>

#include "taizhang/common/v1/enums.pb.h"
#include "tests/bench/child.h"
#include "tests/bench/event_stream.h"
#include "tests/bench/events_node.h"
#include "tests/bench/stopwatch.h"
#include "tests/bench/workload.h"

namespace taizhang::bench {
namespace {

using Clock = std::chrono::steady_clock;
using ledger::v1::SubscribeRequest;

constexpr size_t kBareMessages = 256;

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
  const double cpu = own_cpu_seconds();
  EventStream stream(channel, kSubscribe, EventsNode::token(), request);
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
  result.cpu_seconds = own_cpu_seconds() - cpu;
  result.events = stream.events();
  result.messages = stream.messages();
  result.bytes = stream.bytes();
  return result;
}

}  // namespace

SubscribeRequest everything() {
  SubscribeRequest request;
  request.set_ledger(kBenchLedger);
  request.set_heartbeat_ms(60'000);
  return request;
}

void run_catch_up(const std::string& address, int rounds) {
  // RocksDB still puts the files of the new view in order while the first runs.
  std::vector<CaughtUp> runs;
  const std::vector<std::string> messages = catch_up(address, everything(), kBareMessages).first;
  for (int i = 0; i < rounds; ++i) runs.push_back(catch_up(address, everything()));
  std::sort(runs.begin(), runs.end(),
            [](const auto& a, const auto& b) { return a.seconds < b.seconds; });
  const CaughtUp& all = runs[runs.size() / 2];
  const auto events = double(all.events);
  const double per_second = events / all.seconds;
  const double cpu_us = all.cpu_seconds / events * 1e6;
  BareStreamServer bare_server(messages, all.messages);
  const auto channel = stream_channel(bare_server.address());
  channel->WaitForConnected(std::chrono::system_clock::now() + std::chrono::seconds(5));
  const auto start = Clock::now();
  const double cpu = own_cpu_seconds();
  EventStream bare(channel, kBareStream, "", everything());
  while (bare.read()) {
  }
  const double bare_per_second = double(bare.events()) / seconds_since(start);
  const double bare_cpu_us = (own_cpu_seconds() - cpu) / double(bare.events()) * 1e6;
  printf(
      "one subscriber catches up %9.0f events/s (best %.0f; aim >= 1,000,000), %.0f MB/s, %.2f us "
      "CPU an event; %lld events in %lld messages\n",
      per_second, events / runs.front().seconds, double(all.bytes) / all.seconds / 1e6, cpu_us,
      static_cast<long long>(all.events), static_cast<long long>(all.messages));
  printf(
      "bare stream of the same   %9.0f events/s, %.2f us CPU an event: ratio %.2f (aim >= 0.40), "
      "of "
      "processor time %.2f\n",
      bare_per_second, bare_cpu_us, per_second / bare_per_second, bare_cpu_us / cpu_us);
}

void run_many_catch_up(const std::string& address, int64_t last_seq, int64_t events) {
  for (const int count : {1, 10, 1'000}) {
    auto request = everything();
    request.set_after_seq(std::max<int64_t>(last_seq - events, 0));
    std::vector<CaughtUp> found(static_cast<size_t>(count));
    std::vector<std::thread> threads;
    const auto start = Clock::now();
    const double cpu = own_cpu_seconds();
    for (auto& one : found) threads.emplace_back([&] { one = catch_up(address, request); });
    for (auto& thread : threads) thread.join();
    const double seconds = seconds_since(start);
    double sum = 0;
    for (const auto& one : found) sum += double(one.events);
    printf(
        "%4d subscribers catch up with %lld events each: %9.0f events/s together, %.2f us CPU an "
        "event, the last one after %.2f s\n",
        count, static_cast<long long>(events), sum / seconds, (own_cpu_seconds() - cpu) / sum * 1e6,
        seconds);
  }
}

void run_filters(const std::string& address, int64_t events) {
  const auto filtered = [&](const char* name, const SubscribeRequest& request) {
    const CaughtUp found = catch_up(address, request);
    printf("filter %-42s %8lld of %lld events  %8.2f ms  %6.2f us an event found\n", name,
           static_cast<long long>(found.events), static_cast<long long>(events),
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

}  // namespace taizhang::bench
