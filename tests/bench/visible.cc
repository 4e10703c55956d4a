// Probes between writing and reading.
#include "tests/bench/visible.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <thread>

#include "tests/bench/report.h"
#include "tests/bench/stopwatch.h"
#include "tests/bench/workload.h"

namespace taizhang::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr char kRecordVisit[] = "/taizhang.assistance.v1.AssistanceService/RecordVisit";
constexpr char kVisits[] = "/taizhang.duties.v1.DutiesService/Visits";
constexpr double kViewsSeconds = 120;
constexpr int kProbesPerSecond = 100;
constexpr int kLoadCallers = 64;

}  // namespace

void wait_for_views(const std::string& address) {
  Connection reader(address);
  const auto start = Clock::now();
  std::string error;
  do {
    error = reader.call(kVisits, Daemon::token("reader"), visits_at(0, 0));
    if (error.empty()) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  } while (seconds_since(start) < kViewsSeconds);
  fprintf(stderr, "the views do not answer: %s\n", error.c_str());
  exit(1);
}

Visible write_to_visible(BookServer& writer, const std::string& reader_address, double per_second,
                         double seconds) {
  Visible visible;
  std::thread load([&] { visible.beside = writer.unary(kLoadCallers, seconds, per_second); });
  Connection maker(writer.address());
  Connection reader(reader_address);
  const int64_t run = writer.take_run();
  const auto start = Clock::now();
  for (int64_t i = 0; seconds_since(start) < seconds; ++i) {
    std::this_thread::sleep_until(start +
                                  std::chrono::microseconds(i * 1'000'000 / kProbesPerSecond));
    std::string response;
    std::string error =
        maker.call(kRecordVisit, Daemon::token("maker"), probe_visit(run, i), &response);
    const auto receipt = Clock::now();
    if (error.empty()) {
      error = reader.call(kVisits, Daemon::token("reader"), visits_at(i, seq_in(response)));
    }
    if (error.empty()) {
      visible.us.push_back(seconds_since(receipt) * 1e6);
    } else if (visible.errors++ == 0) {
      visible.first_error = error;
    }
  }
  load.join();
  std::sort(visible.us.begin(), visible.us.end());
  return visible;
}

void print_visible(const char* where, const Visible& visible, const char* aim_p99_ms) {
  printf(
      "write -> visible at %s, %.0f commands/s beside it: p50 %.1f ms  p99 %.1f ms  max %.1f ms of "
      "%zu%s%s (aim p99 %s)\n",
      where, visible.beside.per_second, visible.at(0.5) / 1e3, visible.at(0.99) / 1e3,
      visible.at(1) / 1e3, visible.us.size(), visible.errors ? "  ERRORS: " : "",
      visible.first_error.c_str(), aim_p99_ms);
}

nlohmann::json json_of(const Visible& visible) {
  return {{"p50_ms", visible.at(0.5) / 1e3}, {"p99_ms", visible.at(0.99) / 1e3},
          {"max_ms", visible.at(1) / 1e3},   {"probes", visible.us.size()},
          {"errors", visible.errors},        {"beside", json_of(visible.beside)}};
}

}  // namespace taizhang::bench
