// A taizhangd with the benchmark's book.
#include "tests/bench/book_server.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <thread>

#include "tests/bench/stopwatch.h"
#include "tests/bench/workload.h"

namespace taizhang::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr char kRecordVisit[] = "/taizhang.assistance.v1.AssistanceService/RecordVisit";
constexpr char kExecute[] = "/taizhang.ledger.v1.CommandService/Execute";
constexpr double kRestartSeconds = 600;

}  // namespace

LoadOptions load_on(const std::string& address, const std::string& method, int callers,
                    double seconds) {
  LoadOptions options;
  options.address = address;
  options.method = method;
  options.token = Daemon::token("maker");
  options.callers = callers;
  options.seconds = seconds;
  return options;
}

bool BookServer::wait_for_addresses(double seconds) {
  address_ = process_.wait_for_line(daemon_.address_file(), seconds);
  admin_address_ = process_.wait_for_line(daemon_.admin_address_file(), 1);
  return !address_.empty() && !admin_address_.empty();
}

bool BookServer::set_up(const std::string& reference_file) {
  daemon_.prepare();
  process_.start(daemon_.command());
  if (!wait_for_addresses(30)) {
    fprintf(stderr, "%s: the server did not start\n", daemon_.folder.c_str());
    return false;
  }
  Connection maker(address_);
  Connection admin(admin_address_);
  bool first = true;
  for (const auto& step : setting_up(reference_file)) {
    Connection& caller = step.method.starts_with("/taizhang.admin.") ? admin : maker;
    std::string error = caller.call(step.method, Daemon::token(step.profile), step.bytes);
    // On Kafka a server has an address before it has the claim.
    for (const auto start = Clock::now(); first && !error.empty() && seconds_since(start) < 20;) {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      error = caller.call(step.method, Daemon::token(step.profile), step.bytes);
    }
    if (!error.empty()) {
      fprintf(stderr, "setting up: %s: %s\n", step.method.c_str(), error.c_str());
      return false;
    }
    first = false;
  }
  constexpr int kPerMessage = 500;
  auto options = load_on(address_, kExecute, 4, kRestartSeconds);
  options.messages = kHouseholds / kPerMessage;
  const auto result = bulk_load(
      options, kPerMessage,
      [&](int64_t index) { return household_bulk(index * kPerMessage, kPerMessage); }, refused_in);
  printf("set up %s: %lld households, %.0f/s\n",
         std::filesystem::path(daemon_.folder).filename().c_str(),
         static_cast<long long>(result.calls), result.per_second);
  return result.calls == kHouseholds;
}

// The mix goes to three methods: a caller's method follows from the index of its request.
LoadResult BookServer::unary(int callers, double seconds, double per_second) {
  auto options = load_on(address_, "", callers, seconds);
  options.per_second = per_second;
  options.method_of = mixed_method;
  return unary_load(options,
                    [run = take_run()](int64_t index) { return mixed_request(run, index); });
}

LoadResult BookServer::bulk(double seconds) {
  return bulk_load(
      load_on(address_, kExecute, kBulkMessages, seconds), kBulkCommands,
      [run = take_run()](int64_t index) {
        return mixed_bulk(run, index * kBulkCommands, kBulkCommands);
      },
      refused_in);
}

void BookServer::fill(int64_t commands) {
  while (commands > 0) {
    const int64_t part = std::min(commands, kRunCommandsMax);
    auto options = load_on(address_, kExecute, kBulkMessages, kRestartSeconds);
    options.messages = part / kBulkCommands;
    const auto result = bulk_load(
        options, kBulkCommands,
        [run = take_run()](int64_t index) {
          return mixed_bulk(run, index * kBulkCommands, kBulkCommands);
        },
        refused_in);
    printf("filled with %lld more commands at %.0f/s%s%s\n", static_cast<long long>(result.calls),
           result.per_second,
           result.first_error.empty() ? "" : "  ERROR: ", result.first_error.c_str());
    commands -= part;
  }
}

double BookServer::restart(const std::vector<std::string>& more_arguments) {
  std::filesystem::remove(daemon_.address_file());
  auto command = daemon_.command();
  command.insert(command.end(), more_arguments.begin(), more_arguments.end());
  const std::string visit = probe_visit(take_run(), 0);
  process_.start(command);
  const auto start = Clock::now();
  if (!wait_for_addresses(kRestartSeconds)) return -1;
  Connection caller(address_);
  while (seconds_since(start) < kRestartSeconds) {
    if (caller.call(kRecordVisit, Daemon::token("maker"), visit).empty()) {
      return seconds_since(start);
    }
    // Asking is not to cost what is measured: a fiftieth of the time so far is exact enough.
    const int64_t pause_us = int64_t(seconds_since(start) * 1e6) / 50;
    std::this_thread::sleep_for(
        std::chrono::microseconds(std::clamp<int64_t>(pause_us, 500, 50'000)));
  }
  return -1;
}

}  // namespace taizhang::bench
