// The writer alone, one thread, journal in memory: what a command costs without transport and disk,
// in processor time, by who pays it; then what a writer with empty tables needs for a record of
// that journal. For profilers:
//   valgrind --tool=callgrind decide_bench REFERENCE 2000
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "platform/journal/memory/memory_log.h"
#include "tests/bench/book.h"
#include "tests/bench/workload.h"

using namespace taizhang;  // NOLINT: a main of one page

namespace {

constexpr int kCallers = 64;  // commands that are decided in one turn

double cpu_us(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) * 1e6 + static_cast<double>(now.tv_nsec) / 1e3;
}

// Processor time so far, microseconds.
struct Spent {
  double thread = cpu_us(CLOCK_THREAD_CPUTIME_ID);
  double process = cpu_us(CLOCK_PROCESS_CPUTIME_ID);
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    fprintf(stderr, "usage: decide_bench REFERENCE_FILE COUNT\n");
    return 2;
  }
  const int count = atoi(argv[2]);
  journal::MemoryLog log(std::make_shared<journal::MemoryTopic>(), true);
  const std::string folder =
      std::filesystem::temp_directory_path() / ("taizhang-decide." + std::to_string(getpid()));
  auto first = std::make_unique<bench::Book>(log, folder, argv[1]);
  bench::Book& book = *first;
  for (int i = 0; i < std::min(count, bench::kHouseholds); ++i) {
    book.send("/taizhang.registry.v1.RegistryService/RegisterHousehold",
              bench::register_household(i));
    if (i % kCallers == kCallers - 1) book.step();
  }
  book.settle();
  std::vector<bench::Prepared> turn;
  double sending_us = 0;
  double deciding_us = 0;
  double process_us = 0;
  for (int i = 0; i < count;) {
    turn.clear();
    for (; i < count && turn.size() < kCallers; ++i)
      turn.push_back({bench::mixed_method(i), "", bench::mixed_request(0, i)});
    const Spent before;
    for (const auto& command : turn) book.send(command.method, command.bytes);
    const Spent sent;
    book.step();
    const Spent decided;
    sending_us += sent.thread - before.thread;
    deciding_us += decided.thread - sent.thread;
    process_us += decided.process - before.process;
  }
  const Spent before;
  book.settle();
  const Spent settled;
  deciding_us += settled.thread - before.thread;
  process_us += settled.process - before.process;
  printf(
      "%d mixed commands, %lld refused; processor time each: %.1f us, of it caller's thread "
      "%.1f (parse, validate, fingerprint), deciding thread %.1f, others %.1f\n",
      count, static_cast<long long>(book.refused()), process_us / count, sending_us / count,
      deciding_us / count, (process_us - sending_us - deciding_us) / count);
  const bool fine = book.refused() == 0;
  first.reset();
  const bench::Book again(log, folder, argv[1]);
  const double records = static_cast<double>(log.end());
  printf("%.0f records folded by a writer with empty tables: %.2f s, %.1f us each\n", records,
         again.start_seconds(), again.start_seconds() * 1e6 / records);
  return fine ? 0 : 1;
}
